"""Densities without a bound, and maxima that exist beside such a corner."""

import mpmath
import numpy as np
import pymc as pm
import pytensor.tensor as pt

from tests.stress.case import Case, Truth
from tests.stress.oracle import maximum, normal, total

Y = np.array([2.1, 3.4, 1.9, 2.8, 3.9, 2.2, 3.1, 2.6])
X = np.arange(8.0)
GROUP = np.array([0, 0, 0, 1, 1, 1, 1, 2])
CLASS = np.repeat(np.arange(4), 2)
SIZES = np.array([1.02, 1.11, 1.3, 1.55, 1.9, 2.4, 3.3, 4.9, 8.1, 16.0])
PEAKED = np.array([1.0, 1.2, 1.45, 1.6, 1.7, 1.8, 1.95, 2.1, 2.3, 2.6, 3.1, 3.3])
LUMPS = np.array([-2.1, -1.4, -3.0, -1.9, -2.6, -1.1, -2.3, 1.7, 2.4, 0.9, 3.3, 2.0, 1.2, 2.9, 2.6, 1.8, 0.4])
TIED = np.array([0.0] * 8 + [1.2, -0.7, 2.5, -3.1])
NAN = np.nan


def threshold(y: np.ndarray, part):
    """Log-density of y above a free threshold."""
    pm.Potential("y", pt.sum(pm.logp(part, y - pm.Flat("gamma", initval=0.0))))


def lognormal_threshold() -> None:
    threshold(SIZES, pm.LogNormal.dist(pm.Flat("mu"), pm.HalfFlat("sigma")))


def weibull_threshold_steep() -> None:
    threshold(SIZES, pm.Weibull.dist(pm.HalfFlat("alpha"), pm.HalfFlat("beta")))


def weibull_threshold() -> None:
    threshold(PEAKED, pm.Weibull.dist(pm.HalfFlat("alpha"), pm.HalfFlat("beta")))


def weibull_threshold_truth() -> tuple[Truth, ...]:
    rows = PEAKED.tolist()

    def density(gamma, alpha, beta):
        if gamma >= rows[0]:
            return -mpmath.inf
        logs = total(mpmath.log((y - gamma) / beta) for y in rows)
        return 12 * mpmath.log(alpha / beta) + (alpha - 1) * logs - total(((y - gamma) / beta) ** alpha for y in rows)

    return (maximum(density, gamma=0.72, alpha=2.0, beta=1.48),)


def exact_line() -> None:
    pm.Normal("y", pm.Flat("a") + pm.Flat("b") * X, pm.HalfFlat("sigma"), observed=1.5 + 2 * X)


def lonely_group() -> None:
    pm.Normal("y", pm.Flat("mu", shape=3)[GROUP], pm.HalfFlat("sigma", shape=3)[GROUP], observed=Y)


def centered_intercepts() -> None:
    u = pm.Normal("u", pm.Flat("mu"), pm.HalfFlat("tau"), shape=4)
    pm.Normal("y", u[CLASS], pm.HalfFlat("sigma"), observed=Y)


def centered_slopes() -> None:
    tau = pm.HalfNormal("tau", 2)
    b = pm.Normal("b", 0, tau, shape=4)
    pm.Normal("y", pm.Normal("a", 0, 5) + b[CLASS] * (X - 3.5), 1.0, observed=Y)


def horseshoe() -> None:
    tau, local = pm.HalfCauchy("tau", 1), pm.HalfCauchy("lam", 1, shape=3)
    b = pm.Normal("b", 0, tau * local, shape=3)
    pm.Normal("y", np.column_stack([X, np.cos(X), np.sin(X)]) @ b, 1.0, observed=Y)


def tied_student() -> None:
    pm.StudentT("y", nu=1, mu=pm.Flat("mu"), sigma=pm.HalfFlat("sigma"), observed=TIED)


def constant_shares() -> None:
    pm.Beta("y", alpha=pm.HalfFlat("alpha"), beta=pm.HalfFlat("beta"), observed=np.full(6, 0.3))


def beta_prior_of_two_ends() -> None:
    pm.Binomial("y", n=7, p=pm.Beta("p", 0.5, 0.5), observed=0)


def one_death_at_the_end() -> None:
    # Survival times 1, 2, 3, 4 censored and a death at 5: a spike there has any height.
    alpha, beta = pm.HalfFlat("alpha"), pm.HalfFlat("beta")
    t = np.array([1.0, 2.0, 3.0, 4.0])
    pm.Potential("alive", -pt.sum((t / beta) ** alpha))
    pm.Weibull("y", alpha, beta, observed=[5.0])


def mixture_good_start() -> None:
    w = pm.Uniform("w", 0, 1)
    mu = pm.Flat("mu", shape=2, initval=[-2.0, 2.0])
    pm.NormalMixture("y", w=pt.stack([w, 1 - w]), mu=mu, sigma=pm.HalfFlat("sigma", shape=2), observed=LUMPS)


def mixture_good_start_truth() -> tuple[Truth, ...]:
    rows = LUMPS.tolist()

    def density(w, m, n, s, t):
        parts = [(w, m, s), (1 - w, n, t)]
        return total(mpmath.log(total(p * mpmath.exp(normal(y, c, d)) for p, c, d in parts)) for y in rows)

    return (maximum(density, **{"w": 0.41, "mu[0]": -2.0, "mu[1]": 1.95, "sigma[0]": 0.6, "sigma[1]": 0.85}),)


def mixture_on_one_row() -> None:
    w = pm.Uniform("w", 0, 1, initval=0.9)
    mu = pm.Flat("mu", shape=2, initval=[0.0, 0.4])
    sigma = pm.HalfFlat("sigma", shape=2, initval=[2.0, 1e-3])
    pm.NormalMixture("y", w=pt.stack([w, 1 - w]), mu=mu, sigma=sigma, observed=LUMPS)


def many_means() -> None:
    pm.Normal("y", pm.Flat("mu", shape=4)[CLASS], pm.HalfFlat("sigma"), observed=Y)


def many_means_truth() -> tuple[Truth, ...]:
    means = Y.reshape(4, 2).mean(axis=1)
    sigma = np.sqrt(np.mean((Y - means[CLASS]) ** 2))
    values = {f"mu[{k}]": v for k, v in enumerate(means)} | {"sigma": sigma}
    return (Truth(values, {"mu[0]": sigma / 2**0.5, "sigma": sigma / 4}),)


def boundary_avoiding() -> None:
    tau = pm.InverseGamma("tau", 8, 4)
    u = pm.Normal("u", 0, tau, shape=2)
    pm.Normal("y", 2.5 + u[GROUP // 2], 1.0, observed=Y)


def boundary_avoiding_truth() -> tuple[Truth, ...]:
    rows = list(zip((GROUP // 2).tolist(), Y.tolist(), strict=True))

    def density(tau, u, v):
        prior = 8 * mpmath.log(4) - mpmath.loggamma(8) - 9 * mpmath.log(tau) - 4 / tau
        effects = normal(u, 0, tau) + normal(v, 0, tau)
        return prior + effects + total(normal(y, 2.5 + (u, v)[g], 1) for g, y in rows)

    return (maximum(density, **{"tau": 0.37, "u[0]": 0.1, "u[1]": 0.05}),)


NEWTON = "Newton's method on the written-out log-density in 60-digit arithmetic."
JOINT = "A normal density of latent variables at their mean has no bound as its scale goes to 0."
SPIKE = "A component on one observation has any height (Kiefer and Wolfowitz 1956)."


def lost(*labels: str):
    """The truth that these parameters have no value."""
    return lambda: (Truth(dict.fromkeys(labels, NAN)),)


CASES = (
    Case(
        "lognormal_threshold",
        lognormal_threshold,
        "UNBOUNDED",
        "The likelihood has no bound as gamma nears min(y) (Hill 1963).",
        lost("gamma"),
    ),
    Case(
        "weibull_threshold_of_steep_data",
        weibull_threshold_steep,
        "UNBOUNDED",
        "A shape below 1 has a pole at gamma = min(y) (Smith 1985).",
        lost("gamma"),
    ),
    Case(
        "weibull_threshold_inside",
        weibull_threshold,
        "CONVERGED",
        "The local maximum of shape above 1; " + NEWTON,
        weibull_threshold_truth,
        beside="unbounded",
    ),
    Case("line_without_error", exact_line, "UNBOUNDED", "No residual is left.", lost("sigma"), named=("sigma",)),
    Case(
        "group_of_one_with_its_own_sigma",
        lonely_group,
        "UNBOUNDED",
        "Its mean is its observation.",
        lost("sigma[2]"),
        named=("sigma[2]",),
    ),
    Case("centered_intercepts", centered_intercepts, "UNBOUNDED", JOINT, lost("tau"), named=("tau",)),
    Case("centered_slopes_map", centered_slopes, "UNBOUNDED", JOINT, lost("tau"), "MAP", named=("tau",)),
    Case("horseshoe_map", horseshoe, "UNBOUNDED", JOINT, tuple, "MAP"),
    Case(
        "cauchy_with_most_rows_tied",
        tied_student,
        "UNBOUNDED",
        "Eight of twelve rows at 0 (Copas 1975).",
        lost("sigma"),
        named=("sigma",),
    ),
    Case("beta_of_a_constant", constant_shares, "UNBOUNDED", "All shares are equal.", lost("alpha", "beta")),
    Case(
        "arcsine_prior_without_events",
        beta_prior_of_two_ends,
        "UNBOUNDED",
        "The posterior has the pole p^(-1/2).",
        tuple,
        "MAP",
        named=("p",),
    ),
    Case(
        "weibull_one_death_at_the_end",
        one_death_at_the_end,
        "UNBOUNDED",
        "The log-likelihood grows like log(alpha) at beta = 5.",
        lost("alpha"),
    ),
    Case(
        "mixture_of_two_free_scales",
        mixture_good_start,
        "CONVERGED",
        "The interior maximum; " + NEWTON,
        mixture_good_start_truth,
        beside="unbounded",
    ),
    Case("mixture_started_on_one_row", mixture_on_one_row, "UNBOUNDED", SPIKE, lost("sigma[1]"), named=("sigma[1]",)),
    Case(
        "many_means_of_two_rows",
        many_means,
        "CONVERGED",
        "Means and residual variance (Neyman and Scott 1948): biased, but a maximum.",
        many_means_truth,
    ),
    Case(
        "centered_with_inverse_gamma_map",
        boundary_avoiding,
        "CONVERGED",
        "The prior keeps tau off 0; " + NEWTON,
        boundary_avoiding_truth,
        "MAP",
    ),
)
