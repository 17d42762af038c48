"""Binary and ordered responses: separation of every kind, and maxima that look like it but exist."""

import mpmath
import numpy as np
import pymc as pm
from pymc.distributions.transforms import ordered
from scipy import special

from tests.stress.case import Case, Truth, one_truth
from tests.stress.oracle import logit, maximum, normal, total

X = np.arange(8.0)
SPLIT = (X > 3.5).astype(int)
TIED = np.array([1, 2, 3, 3, 4, 5.0])
TIED_Y = np.array([0, 0, 0, 1, 1, 1])
MIXED = np.array([0, 1, 0, 0, 1, 0, 1, 1, 0, 1])
MIXED_X = np.round(np.linspace(-2, 2.5, 10), 2)
GROUP = np.r_[np.zeros(10), np.ones(5)]
LONG_X = np.arange(1, 21.0)
SWAPPED = (LONG_X > 10).astype(int)
SWAPPED[[9, 10]] = [1, 0]
INF = np.inf


def line(x: np.ndarray = X):
    return pm.Flat("a") + pm.Flat("b") * x


def probit_separated() -> None:
    pm.Bernoulli("y", p=pm.math.invprobit(line()), observed=SPLIT)


def cloglog_separated() -> None:
    pm.Bernoulli("y", p=1 - pm.math.exp(-pm.math.exp(line())), observed=SPLIT)


def grouped_separated() -> None:
    pm.Binomial("y", n=5, logit_p=line(np.arange(4.0)), observed=[0, 0, 5, 5])


def logit_tied() -> None:
    pm.Bernoulli("y", logit_p=line(TIED - 3), observed=TIED_Y)


def logit_tied_truth() -> tuple[Truth, ...]:
    return (Truth({"a": 0.0, "b": INF}, {"a": 2**0.5}, -2 * np.log(2)),)


def quasi_with_covariate() -> None:
    x, y = np.r_[MIXED_X, np.arange(5.0) / 4], np.r_[MIXED, np.ones(5, int)]
    pm.Bernoulli("y", logit_p=line(x) + pm.Flat("c") * GROUP, observed=y)


def quasi_with_covariate_truth() -> tuple[Truth, ...]:
    rows = list(zip(MIXED_X.tolist(), MIXED.tolist(), strict=True))
    face = maximum(lambda a, b: total(logit(y, a + b * x) for x, y in rows), a=0.0, b=0.5)
    return (Truth({**face.values, "c": INF}, face.errors, face.llf),)


def multinomial_separated() -> None:
    x = np.r_[MIXED_X, 4, 5, 6]
    a, b = pm.Flat("a", shape=2), pm.Flat("b", shape=2)
    eta = pm.math.concatenate([np.zeros((13, 1)), a + x[:, None] * b], axis=1)
    pm.Categorical("y", logit_p=eta, observed=np.r_[MIXED, 2, 2, 2])


def multinomial_separated_truth() -> tuple[Truth, ...]:
    rows = list(zip(MIXED_X.tolist(), MIXED.tolist(), strict=True))
    face = maximum(lambda a, b: total(logit(y, a + b * x) for x, y in rows), a=0.0, b=0.5)
    values = {"a[0]": face.values["a"], "b[0]": face.values["b"], "a[1]": -INF, "b[1]": INF}
    return (Truth(values, {"a[0]": face.errors["a"], "b[0]": face.errors["b"]}, face.llf),)


def ordered_separated() -> None:
    cuts = pm.Flat("cuts", shape=2, transform=ordered, initval=[-1.0, 1.0])
    pm.OrderedLogistic("y", eta=pm.Flat("b") * (X - 3.5), cutpoints=cuts, observed=[0, 0, 0, 1, 1, 2, 2, 2])


def ordered_overlapping() -> None:
    cuts = pm.Flat("cuts", shape=2, transform=ordered, initval=[-1.0, 1.0])
    pm.OrderedLogistic("y", eta=pm.Flat("b") * (X - 3.5), cutpoints=cuts, observed=[0, 1, 0, 1, 0, 2, 1, 2])


def ordered_overlapping_truth() -> tuple[Truth, ...]:
    rows = list(zip((X - 3.5).tolist(), [0, 1, 0, 1, 0, 2, 1, 2], strict=True))

    def density(b, low, high):
        def below(cut, x):
            return 1 / (1 + mpmath.exp(b * x - cut))

        kinds = [lambda x: below(low, x), lambda x: below(high, x) - below(low, x), lambda x: 1 - below(high, x)]
        return total(mpmath.log(kinds[y](x)) for x, y in rows)

    truth = maximum(density, **{"b": 0.6, "cuts[0]": -0.6, "cuts[1]": 1.4})
    return (truth,)


def ordered_probit() -> None:
    cuts = pm.Flat("cuts", shape=2, transform=ordered, initval=[-1.0, 1.0])
    pm.OrderedProbit("y", eta=pm.Flat("b") * (X - 3.5), cutpoints=cuts, observed=[0, 1, 0, 1, 0, 2, 1, 2])


def ordered_probit_truth() -> tuple[Truth, ...]:
    rows = list(zip((X - 3.5).tolist(), [0, 1, 0, 1, 0, 2, 1, 2], strict=True))

    def density(b, low, high):
        def kind(y, x):
            edges = [mpmath.mpf(0), mpmath.ncdf(low - b * x), mpmath.ncdf(high - b * x), mpmath.mpf(1)]
            return edges[y + 1] - edges[y]

        return total(mpmath.log(kind(y, x)) for x, y in rows)

    return (maximum(density, **{"b": 0.35, "cuts[0]": -0.35, "cuts[1]": 0.85}),)


def all_ones() -> None:
    pm.Bernoulli("y", logit_p=pm.Flat("a"), observed=np.ones(12, int))


def empty_interaction_cell() -> None:
    first, second = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    eta = pm.Flat("a") + pm.Flat("b") * first + pm.Flat("c") * second + pm.Flat("d") * first * second
    pm.Binomial("y", n=[10, 12, 9, 11], logit_p=eta, observed=[4, 3, 6, 0])


def empty_interaction_cell_truth() -> tuple[Truth, ...]:
    a, ab, ac = np.log(4 / 6), np.log(6 / 3), np.log(3 / 9)
    error = (1 / 4 + 1 / 6) ** 0.5
    return (Truth({"a": a, "b": ab - a, "c": ac - a, "d": -INF}, {"a": error}),)


def one_swap() -> None:
    pm.Bernoulli("y", logit_p=line(LONG_X), observed=SWAPPED)


def one_swap_truth() -> tuple[Truth, ...]:
    rows = list(zip(LONG_X.tolist(), SWAPPED.tolist(), strict=True))
    return (maximum(lambda a, b: total(logit(y, a + b * x) for x, y in rows), a=-21, b=2.0),)


def probit_far_start() -> None:
    pm.Bernoulli("y", p=pm.math.invprobit(pm.Flat("a", initval=-45.0)), observed=np.repeat([0, 1], [13, 7]))


def probit_far_start_truth() -> tuple[Truth, ...]:
    a = special.ndtri(0.35)
    density = np.exp(-(a**2) / 2) / np.sqrt(2 * np.pi)
    return (Truth({"a": a}, {"a": (0.35 * 0.65 / 20) ** 0.5 / density}),)


def log_binomial_edge() -> None:
    # P(y) = exp(a + b x), with all events in the last group: the edge a + 2 b = 0 holds the maximum.
    eta = pm.Flat("a", initval=-3.0) + pm.Flat("b", initval=0.5) * np.arange(3)
    pm.Binomial("y", n=[10, 10, 10], p=pm.math.exp(eta), observed=[2, 4, 10])


def log_binomial_edge_truth() -> tuple[Truth, ...]:
    # On the edge a = -2 b the log-probabilities of the groups are -2 b and -b.
    def density(b):
        return total(y * k * -b + (10 - y) * mpmath.log(1 - mpmath.exp(-k * b)) for k, y in ((2, 2), (1, 4)))

    b = maximum(density, b=0.85).values["b"]
    return one_truth(a=-2 * b, b=b)


def tobit() -> None:
    latent = pm.Normal.dist(line(MIXED_X), pm.HalfFlat("sigma"))
    pm.Censored(
        "y", latent, lower=0, upper=None, observed=np.maximum(np.round(0.4 + MIXED_X * 0.7 + np.cos(MIXED_X * 9), 2), 0)
    )


def tobit_truth() -> tuple[Truth, ...]:
    rows = list(
        zip(
            MIXED_X.tolist(),
            np.maximum(np.round(0.4 + MIXED_X * 0.7 + np.cos(MIXED_X * 9), 2), 0).tolist(),
            strict=True,
        )
    )

    def density(a, b, sigma):
        kept = total(normal(y, a + b * x, sigma) for x, y in rows if y > 0)
        return kept + total(mpmath.log(mpmath.ncdf(-(a + b * x) / sigma)) for x, y in rows if y == 0)

    return (maximum(density, a=0.4, b=0.7, sigma=0.8),)


APART = "x > 3.5 separates the responses (Albert and Anderson 1984), so the supremum 0 is reached at infinity only."
FACE = "The responses that stay mixed alone decide the limit (Albert and Anderson 1984); "
NEWTON = "Newton's method on the written-out log-likelihood in 60-digit arithmetic."


def runaway() -> tuple[Truth, ...]:
    return (Truth({"a": -INF, "b": INF}),)


CASES = (
    Case("probit_separated", probit_separated, "INFINITE", APART, runaway),
    Case("cloglog_separated", cloglog_separated, "INFINITE", APART, runaway),
    Case("binomial_counts_separated", grouped_separated, "INFINITE", APART, runaway),
    Case(
        "logit_quasi_separated",
        logit_tied,
        "INFINITE",
        FACE + "the two rows at x = 3 give log-odds 0.",
        logit_tied_truth,
    ),
    Case(
        "quasi_separated_group",
        quasi_with_covariate,
        "INFINITE",
        FACE + "a logit of group 0.",
        quasi_with_covariate_truth,
    ),
    Case(
        "multinomial_separated",
        multinomial_separated,
        "INFINITE",
        FACE + "a logit of two kinds.",
        multinomial_separated_truth,
    ),
    Case(
        "ordered_separated",
        ordered_separated,
        "INFINITE",
        "The three levels do not overlap in x.",
        lambda: one_truth(b=INF),
    ),
    Case("ordered_overlapping", ordered_overlapping, "CONVERGED", NEWTON, ordered_overlapping_truth),
    Case("ordered_probit", ordered_probit, "CONVERGED", NEWTON, ordered_probit_truth),
    Case(
        "all_ones_in_log_odds",
        all_ones,
        "INFINITE",
        "The likelihood is a sigmoid to the 12th.",
        lambda: one_truth(a=INF),
    ),
    Case(
        "empty_interaction_cell",
        empty_interaction_cell,
        "INFINITE",
        "Log-odds of the cells.",
        empty_interaction_cell_truth,
    ),
    Case("one_swap_from_separation", one_swap, "CONVERGED", NEWTON, one_swap_truth),
    Case("probit_from_a_flat_start", probit_far_start, "CONVERGED", "Quantile of 7/20.", probit_far_start_truth),
    Case(
        "log_binomial_on_its_edge",
        log_binomial_edge,
        "BOUNDARY",
        "The one-dimensional maximum on a + 2 b = 0.",
        log_binomial_edge_truth,
    ),
    Case("tobit", tobit, "CONVERGED", NEWTON, tobit_truth),
)
