"""Time series and vectors: recursions, covariance matrices, hidden states, mixtures."""

from itertools import pairwise

import mpmath
import numpy as np
import pymc as pm
import pytensor.tensor as pt

from tests.stress.case import Case, Truth
from tests.stress.escapes import two_orders
from tests.stress.oracle import maximum, normal, poisson, total

SERIES = np.array([0.4, 1.1, 0.9, -0.2, 0.3, 1.4, 1.9, 1.0, 0.7, 1.6, 0.8, -0.1, -0.6, 0.2, 0.5, 1.2])
RETURNS = np.array(
    [0.2, -0.4, -0.3, -1.7, 2.1, 1.8, -0.5, 1.1, 0.4, -0.6, 0.9, -0.3, -0.3, -0.6, 0.3, -0.1, 0.3, -0.4, 0.1, -0.5]
)
RETURNS = np.r_[
    RETURNS, 0.5, 0.1, 0.2, 0.2, -0.6, 0.5, 1.3, -1.6, -2.2, -2.5, 1.7, 0.2, 1.6, 1.1, 0.3, 0.3, -0.2, 0.7, -0.9, -0.4
]
POINTS = np.array(
    [[1.2, 0.3, -1.0], [0.4, -0.7, 0.2], [-1.5, -0.9, 0.8], [2.2, 1.4, -0.3], [0.1, 0.9, 1.1], [-0.6, 0.5, -1.7]]
)
POINTS = np.vstack([POINTS, [[-1.1, -1.3, 0.4], [0.7, 0.2, 0.6]]])
VISITS = [0, 1, 0, 2, 1, 7, 9, 6, 8, 1, 0, 2, 1, 0, 6, 10, 7, 8, 9, 5, 1, 2, 0, 1]
FIELD_X = np.array([0.0, 0.6, 1.1, 1.9, 2.5, 3.2, 4.0, 4.4, 5.1, 6.0])
FIELD = np.array([0.2, 0.9, 1.3, 1.0, 0.4, -0.5, -1.1, -1.2, -0.6, 0.3])


def autoregression() -> None:
    pm.AR(
        "y",
        rho=pm.Flat("rho", shape=2),
        sigma=pm.HalfFlat("sigma"),
        constant=True,
        init_dist=pm.Normal.dist(0, 10),
        observed=SERIES,
    )


def autoregression_truth() -> tuple[Truth, ...]:
    x = np.column_stack([np.ones(15), SERIES[:-1]])
    b, rss = np.linalg.lstsq(x, SERIES[1:], rcond=None)[:2]
    sigma = np.sqrt(rss[0] / 15)
    errors = sigma * np.sqrt(np.diag(np.linalg.inv(x.T @ x)))
    return (Truth({"rho[0]": b[0], "rho[1]": b[1], "sigma": sigma}, {"rho[0]": errors[0], "rho[1]": errors[1]}),)


def stationary_autoregression() -> None:
    # The first value has the stationary distribution, so the likelihood is not quadratic in rho.
    mu, rho, sigma = pm.Flat("mu"), pm.Uniform("rho", -1, 1), pm.HalfFlat("sigma")
    pm.Normal("first", mu, sigma / pm.math.sqrt(1 - rho**2), observed=SERIES[0])
    pm.Normal("y", mu + rho * (SERIES[:-1] - mu), sigma, observed=SERIES[1:])


def stationary_autoregression_truth() -> tuple[Truth, ...]:
    rows = SERIES.tolist()

    def density(mu, rho, sigma):
        first = normal(rows[0], mu, sigma / mpmath.sqrt(1 - rho**2))
        return first + total(normal(y, mu + rho * (x - mu), sigma) for x, y in pairwise(rows))

    return (maximum(density, mu=0.7, rho=0.5, sigma=0.6),)


def random_walk() -> None:
    pm.GaussianRandomWalk(
        "y", mu=pm.Flat("drift"), sigma=pm.HalfFlat("sigma"), init_dist=pm.Normal.dist(0, 10), observed=SERIES
    )


def random_walk_truth() -> tuple[Truth, ...]:
    steps = np.diff(SERIES)
    return (Truth({"drift": steps.mean(), "sigma": steps.std()}, {"drift": steps.std() / 15**0.5}),)


def garch() -> None:
    omega, alpha, beta = pm.HalfFlat("omega"), pm.Uniform("alpha", 0, 1), pm.Uniform("beta", 0, 1)
    pm.GARCH11("y", omega=omega, alpha_1=alpha, beta_1=beta, initial_vol=1.0, observed=RETURNS)


def garch_truth() -> tuple[Truth, ...]:
    rows = RETURNS.tolist()

    def density(omega, alpha, beta):
        variance, value = mpmath.mpf(1), mpmath.mpf(0)
        for y in rows:
            value += normal(y, 0, mpmath.sqrt(variance))
            variance = omega + alpha * mpmath.mpf(y) ** 2 + beta * variance
        return value

    return (maximum(density, omega=0.21, alpha=0.59, beta=0.22),)


def sample_covariance() -> None:
    chol, _, _ = pm.LKJCholeskyCov("chol", n=3, eta=1, sd_dist=pm.HalfFlat.dist(), compute_corr=True)
    pm.MvNormal("y", pm.Flat("mu", shape=3), chol=chol, observed=POINTS)


def sample_covariance_truth() -> tuple[Truth, ...]:
    covariance = np.cov(POINTS.T, bias=True)
    lower = np.linalg.cholesky(covariance)[np.tril_indices(3)]
    values = {f"mu[{i}]": v for i, v in enumerate(POINTS.mean(axis=0))}
    errors = {f"mu[{i}]": v for i, v in enumerate(np.sqrt(np.diag(covariance) / len(POINTS)))}
    llf = -len(POINTS) / 2 * (np.linalg.slogdet(2 * np.pi * covariance)[1] + 3)
    return (Truth(values | {f"chol[{i}]": v for i, v in enumerate(lower)}, errors, llf),)


def columns_that_add_up() -> None:
    chol, _, _ = pm.LKJCholeskyCov("chol", n=3, eta=1, sd_dist=pm.HalfFlat.dist(), compute_corr=True)
    rows = np.column_stack([POINTS[:, 0], POINTS[:, 1], 1 - POINTS[:, 0] - POINTS[:, 1]])
    pm.MvNormal("y", pm.Flat("mu", shape=3), chol=chol, observed=rows)


def mean_of_known_covariance() -> None:
    pm.MvNormal(
        "y", pm.Flat("m") * np.ones(3), cov=np.array([[2.0, 0.9, 0], [0.9, 1, 0.3], [0, 0.3, 0.5]]), observed=POINTS
    )


def mean_of_known_covariance_truth() -> tuple[Truth, ...]:
    weight = np.linalg.solve(np.array([[2.0, 0.9, 0], [0.9, 1, 0.3], [0, 0.3, 0.5]]), np.ones(3))
    return (Truth({"m": weight @ POINTS.mean(axis=0) / weight.sum()}, {"m": (8 * weight.sum()) ** -0.5}),)


def gaussian_process() -> None:
    scale, length, noise = pm.HalfFlat("scale"), pm.HalfFlat("length"), pm.HalfFlat("noise")
    field = pm.gp.Marginal(cov_func=scale**2 * pm.gp.cov.ExpQuad(1, ls=length))
    field.marginal_likelihood("y", X=FIELD_X[:, None], y=FIELD, sigma=noise, jitter=0.0)


def gaussian_process_truth() -> tuple[Truth, ...]:
    x, y = FIELD_X.tolist(), mpmath.matrix(FIELD.tolist())

    def density(scale, length, noise):
        cov = mpmath.matrix(10, 10)
        for i in range(10):
            for j in range(10):
                apart = (mpmath.mpf(x[i]) - x[j]) / length
                cov[i, j] = scale**2 * mpmath.exp(-(apart**2) / 2) + (noise**2 if i == j else 0)
        lower = mpmath.cholesky(cov)
        white = mpmath.lu_solve(lower, y)
        logdet = total(mpmath.log(lower[i, i]) for i in range(10))
        return -total(v**2 for v in white) / 2 - logdet - 5 * mpmath.log(2 * mpmath.pi)

    return (maximum(density, scale=0.92, length=1.36, noise=0.05),)


def hidden_states() -> None:
    stay = pm.Uniform("stay", 0, 1, shape=2)
    rate = pm.HalfFlat("rate", shape=2, initval=[1.0, 7.0])
    moves = pt.log(pt.stack([pt.stack([stay[0], 1 - stay[0]]), pt.stack([1 - stay[1], stay[1]])]))
    ahead = pm.logp(pm.Poisson.dist(rate), VISITS[0]) - np.log(2)
    for count in VISITS[1:]:
        ahead = pt.logsumexp(ahead[:, None] + moves, axis=0) + pm.logp(pm.Poisson.dist(rate), count)
    pm.Potential("y", pt.logsumexp(ahead))


def hidden_states_truth() -> tuple[Truth, ...]:
    def density(p, q, low, high):
        ahead = [mpmath.exp(poisson(VISITS[0], rate)) / 2 for rate in (low, high)]
        for count in VISITS[1:]:
            ahead = [ahead[0] * p + ahead[1] * (1 - q), ahead[0] * (1 - p) + ahead[1] * q]
            ahead = [v * mpmath.exp(poisson(count, rate)) for v, rate in zip(ahead, (low, high), strict=True)]
        return mpmath.log(total(ahead))

    return (maximum(density, **{"stay[0]": 0.85, "stay[1]": 0.8, "rate[0]": 1.0, "rate[1]": 7.5}),)


def poisson_mixture() -> None:
    w = pm.Uniform("w", 0, 1)
    parts = pm.Poisson.dist(pm.HalfFlat("rate", shape=2, initval=[1.0, 5.0]))
    pm.Mixture("y", w=pt.stack([w, 1 - w]), comp_dists=parts, observed=VISITS)


def poisson_mixture_truth() -> tuple[Truth, ...]:
    def density(w, low, high):
        return total(
            mpmath.log(w * mpmath.exp(poisson(y, low)) + (1 - w) * mpmath.exp(poisson(y, high))) for y in VISITS
        )

    return two_orders(maximum(density, **{"w": 0.58, "rate[0]": 1.0, "rate[1]": 7.5}), "rate")[:1]


NEWTON = "Newton's method on the written-out log-likelihood in 60-digit arithmetic."
CASES = (
    Case("autoregression", autoregression, "CONVERGED", "Least squares.", autoregression_truth),
    Case("stationary_autoregression", stationary_autoregression, "CONVERGED", NEWTON, stationary_autoregression_truth),
    Case("gaussian_random_walk", random_walk, "CONVERGED", "Moments of the steps.", random_walk_truth),
    Case("garch", garch, "CONVERGED", NEWTON, garch_truth, slow=True),
    Case(
        "sample_covariance",
        sample_covariance,
        "CONVERGED",
        "Sample mean and the Cholesky factor of the sample covariance.",
        sample_covariance_truth,
    ),
    Case("covariance_of_columns_that_add_up", columns_that_add_up, "UNBOUNDED", "The sample covariance has no rank."),
    Case(
        "mean_of_known_covariance",
        mean_of_known_covariance,
        "CONVERGED",
        "Generalized least squares.",
        mean_of_known_covariance_truth,
    ),
    Case("gaussian_process", gaussian_process, "CONVERGED", NEWTON, gaussian_process_truth, slow=True),
    Case("hidden_states", hidden_states, "CONVERGED", NEWTON, hidden_states_truth),
    Case("poisson_mixture", poisson_mixture, "CONVERGED", NEWTON, poisson_mixture_truth),
)
