"""Every closed-form row density against its textbook formula in 70 digits and more.

A tolerance of 1e-12 is relative, of 1 + |log-density| for the value. Three things are granted beside it, each because
no formula in double precision does better:

- where y - mean cancels, a derivative of a count may err by 1e-13 of |y| + mean: exp(eta) is a rounded number. So may
  the derivatives of the exponential and the Weibull density by 1e-13, where a ratio of about one is compared with one;
- the value of a probit or complementary log-log binomial may err by 1e-12 n: it is a difference of sums of that size,
  and the link has no logit to take the distance of;
- anything may err by as much as the truth itself moves with the last bit of a predictor. This is what decides where
  log y - log_scale nearly cancels, times a shape of 1e8.

A truth below 1e-300 may come as any number below 1e-290, a truth beyond 1e308 as any number of that size or infinity.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations_with_replacement
from typing import Any

import mpmath as mp
import numpy as np
import pytest
from scipy import special, stats

from ppl_mle.read.rows.kernels import KERNELS

TOLERANCE = 1e-12
LARGEST = 1e308
HUGE = 1e280
SMALLEST, UNDERFLOW = 1e-300, 1e-290
BY_NAME = {kernel.name: kernel for kernel in KERNELS}
MAGNITUDES = (1e-8, 0.3, 5.0, 20.0, 37.0, 40.0, 300.0, 800.0)
ETAS = (0.0, *MAGNITUDES, *(-eta for eta in MAGNITUDES))
COUNTS = (0, 1, 7, 50, 5000, 10**7)
RATIOS = (-0.5, -0.1, -1e-3, 0.0, 1e-8, 1e-3, 1e-2, 0.3, 1.0)


class Dual:
    """A number with its gradient and Hessian in the predictors, by the rules of calculus."""

    def __init__(self, value, first, second):
        self.value, self.first, self.second = value, first, second

    @staticmethod
    def lift(x, like):
        k = len(like.first)
        return x if isinstance(x, Dual) else Dual(mp.mpf(x), [mp.mpf(0)] * k, [[mp.mpf(0)] * k for _ in range(k)])

    def apply(self, u, u1, u2):
        """The function whose value and derivatives at this number are u, u1 and u2."""
        first = [u1 * a for a in self.first]
        second = [
            [u1 * h + u2 * a * b for h, b in zip(row, self.first, strict=True)]
            for row, a in zip(self.second, self.first, strict=True)
        ]
        return Dual(u, first, second)

    def __add__(self, other):
        other = Dual.lift(other, self)
        first = [a + b for a, b in zip(self.first, other.first, strict=True)]
        rows = zip(self.second, other.second, strict=True)
        return Dual(self.value + other.value, first, [[a + b for a, b in zip(*row, strict=True)] for row in rows])

    def __mul__(self, other):
        other = Dual.lift(other, self)
        u, v, a, b = self.value, other.value, self.first, other.first
        size = range(len(a))
        second = [
            [u * other.second[i][j] + v * self.second[i][j] + a[i] * b[j] + a[j] * b[i] for j in size] for i in size
        ]
        return Dual(u * v, [u * y + v * x for x, y in zip(a, b, strict=True)], second)

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + -other

    def __rsub__(self, other):
        return -self + other

    __radd__ = __add__
    __rmul__ = __mul__


def exp(x):
    u = mp.exp(x.value)
    return x.apply(u, u, u)


def log(x):
    return x.apply(mp.log(x.value), 1 / x.value, -1 / x.value**2)


def log1p(x):
    slope = 1 / (1 + x.value)
    return x.apply(mp.log1p(x.value), slope, -slope * slope)


@cache
def gamma_functions(x, digits):
    return mp.loggamma(x), mp.digamma(x), mp.psi(1, x)


def log_gamma(x):
    return x.apply(*gamma_functions(x.value, mp.mp.dps))


def erfc(x):
    slope = -2 / mp.sqrt(mp.pi) * mp.exp(-(x.value**2))
    return x.apply(mp.erfc(x.value), slope, -2 * x.value * slope)


def log_factorial(y):
    return mp.loggamma(y + 1)


def log_sum(a, b):
    gap = b - a
    return a + log1p(exp(gap)) if gap.value < 0 else b + log1p(exp(-gap))


def logit(eta):
    return (-log1p(exp(-eta)), -eta - log1p(exp(-eta))) if eta.value > 0 else (eta - log1p(exp(eta)), -log1p(exp(eta)))


def probit(eta):
    """The smaller probability as it is, the other one through it."""
    if eta.value > 0:
        return probit(-eta)[::-1]
    p = 0.5 * erfc(-(1 / mp.sqrt(2)) * eta)
    return log(p), log1p(-p)


def cloglog(eta):
    hazard = exp(eta)
    if hazard.value > 2000:
        return 0 * eta, -hazard
    miss = mp.exp(-hazard.value)
    hit = hazard.apply(-mp.expm1(-hazard.value), miss, -miss)
    return log(hit) if hazard.value < 1 else log1p(-exp(-hazard)), -hazard


def chances(link):
    def density(y, data, eta):
        n = data[0] if data else mp.mpf(1)
        p, q = link(eta)
        return log_factorial(n) - log_factorial(y) - log_factorial(n - y) + y * p + (n - y) * q

    return density


def poisson(y, data, eta):
    return y * eta - exp(eta) - log_factorial(y)


def negative_binomial(y, data, log_mu, log_alpha):
    alpha, total = exp(log_alpha), log_sum(log_mu, log_alpha)
    choices = log_gamma(y + alpha) - log_gamma(alpha) - log_factorial(y)
    return choices + alpha * (log_alpha - total) + y * (log_mu - total)


def normal(y, data, mu, log_sd):
    z = (y - mu) * exp(-log_sd)
    return -0.5 * z * z - log_sd - mp.log(2 * mp.pi) / 2


def normal_known(y, data, mu):
    z = (y - mu) * (1 / data[0])
    return -0.5 * z * z - mp.log(2 * mp.pi) / 2 - mp.log(data[0])


def lognormal(y, data, mu, log_sd):
    return normal(mp.log(y), data, mu, log_sd) - mp.log(y)


def exponential(y, data, log_mean):
    return -log_mean - y * exp(-log_mean)


def gamma(y, data, log_mean, log_alpha):
    log_rate, alpha = log_alpha - log_mean, exp(log_alpha)
    return alpha * log_rate + (alpha - 1) * mp.log(y) - y * exp(log_rate) - log_gamma(alpha)


def weibull(y, data, log_scale, log_shape):
    z = exp(log_shape) * (mp.log(y) - log_scale)
    return log_shape + z - mp.log(y) - exp(z)


def near(counts, link=np.log):
    """Counts with predictors for means about them."""
    return [(float(y), float(link(y * (1 + ratio)))) for y in counts for ratio in RATIOS if y]


BINARY_POINTS = [(y, (), (eta,)) for y in (0, 1) for eta in ETAS]


def binomial_points(inverse):
    points = []
    for n, hits in ((1, (0, 1)), (10, (0, 1, 3, 10)), (10**7, (0, 1, 7, 5000, 3 * 10**6, 10**7 - 1, 10**7))):
        for y in hits:
            points += [(y, (n,), (eta,)) for eta in ETAS]
            if n > 1 and 0 < y < n:
                shares = [y / n * (1 + ratio) for ratio in RATIOS]
                points += [(y, (n,), (float(inverse(share)),)) for share in shares if share < 1]
    return points


POISSON_POINTS = [(y, (), (eta,)) for y in COUNTS for eta in ETAS] + [(y, (), (eta,)) for y, eta in near(COUNTS)]
ALPHAS = (1e-3, 1.0, 50.0, 1e4, 1e10)
NB_POINTS = [
    (y, (), (eta, float(np.log(alpha))))
    for alpha in ALPHAS
    for y, eta in [
        *near(COUNTS),
        *((y, eta) for y in COUNTS for eta in (-800.0, -300.0, -37.0, -5.0, 0.3, 20.0, 40.0, 300.0, 800.0)),
    ]
]
FAR_NB = [(y, (), (m, a)) for y in (0, 1, 50) for m in ETAS[3::2] for a in (-800.0, -300.0, -37.0, 300.0, 800.0)]
REALS = (-1e5, -3.7, 0.0, 1e-8, 0.3, 2.5, 37.0)
NORMAL_POINTS = [(y, (), (mu, s)) for y in REALS for mu in (0.0, 1e-8, 0.3, -5.0, 40.0, 800.0) for s in ETAS]
KNOWN_POINTS = [(y, (sd,), (mu,)) for y in REALS for mu in ETAS for sd in (1e-8, 0.7, 1.0, 1e5)]
SIZES = (1e-200, 1e-8, 0.3, 1.0, 1.0 + 1e-8, 2.5, 1e5, 1e200)
LOGNORMAL_POINTS = [(y, (), (mu, s)) for y in SIZES for mu in (0.0, 0.3, -5.0, 40.0, 300.0, -800.0) for s in ETAS[::2]]
EXPONENTIAL_POINTS = [(y, (), (eta,)) for y in (0.0, *SIZES) for eta in ETAS]
SHAPES = (-800.0, -300.0, -37.0, -5.0, -0.3, 0.0, 1e-8, 0.3, 2.0, 5.0, 20.0)
POSITIVE_POINTS = [
    (y, (), (m, a))
    for a in SHAPES
    for y, m in [
        *((y, float(np.log(y) + gap)) for y in (0.3, 1.0, 1e5) for gap in (-1.0, -1e-3, 0.0, 1e-8, 1e-2, 0.5)),
        *((y, m) for y in (1e-200, 0.3, 1.0, 1e5) for m in (-800.0, -40.0, -5.0, 0.0, 20.0, 300.0, 800.0)),
    ]
] + [(1.0, (), (m, a)) for m in (0.0, 1e-8, -1e-8, 0.3) for a in (37.0, 40.0, 300.0, 800.0)]


@dataclass(frozen=True)
class Case:
    """The log-density, the points, and the sizes of the terms that cancel in f and in its derivatives."""

    density: Callable[..., Dual]
    points: Sequence[tuple[Any, ...]]
    scale: Callable[..., float] = lambda y, data, etas: 0.0
    level: Callable[..., float] = lambda y, data, etas: 1.0


def counts(y, data, etas):
    return y + np.exp(min(etas[0], 700.0))


def trials(inverse):
    return lambda y, data, etas: y + data[0] * inverse(etas[0])


def size(y, data, etas):
    return max(1.0, data[0])


def hazard_chance(eta):
    return -np.expm1(-np.exp(np.minimum(eta, 700.0)))


BINOMIAL = {
    "logit": Case(chances(logit), binomial_points(special.logit), trials(special.expit)),
    "probit": Case(chances(probit), binomial_points(special.ndtri), trials(special.ndtr), size),
    "cloglog": Case(chances(cloglog), binomial_points(lambda p: np.log(-np.log1p(-p))), trials(hazard_chance), size),
}
CASES = {
    "bernoulli_logit": Case(chances(logit), BINARY_POINTS),
    "bernoulli_probit": Case(chances(probit), BINARY_POINTS),
    "bernoulli_cloglog": Case(chances(cloglog), BINARY_POINTS),
    **{f"binomial_{link}": case for link, case in BINOMIAL.items()},
    "poisson_log": Case(poisson, POISSON_POINTS, counts),
    "negative_binomial": Case(negative_binomial, NB_POINTS + FAR_NB, counts),
    "normal": Case(normal, NORMAL_POINTS),
    "normal_known": Case(normal_known, KNOWN_POINTS),
    "lognormal": Case(lognormal, LOGNORMAL_POINTS),
    "exponential": Case(exponential, EXPONENTIAL_POINTS, lambda y, data, etas: 1.0),
    "gamma": Case(gamma, POSITIVE_POINTS),
    "weibull": Case(weibull, POSITIVE_POINTS, lambda y, data, etas: 1.0),
}


def dual(etas):
    size = range(len(etas))
    return [
        Dual(eta, [mp.mpf(i == j) for j in size], [[mp.mpf(0)] * len(etas) for _ in size]) for i, eta in enumerate(etas)
    ]


def exact(density, y, data, etas):
    """Value, gradient and upper triangle of the Hessian of the log-density at one point."""
    with mp.workdps(70 if max(map(abs, etas)) < 45 else 350 if etas[-1] < 400 else 1100):
        whole = density(mp.mpf(y), tuple(map(mp.mpf, data)), *dual(list(map(mp.mpf, etas))))
        pairs = combinations_with_replacement(range(len(etas)), 2)
        return [whole.value, *whole.first, *(whole.second[i][j] for i, j in pairs)]


def evaluated(name, y, data, etas, order=2):
    """Value with its base, first and second derivatives, in a row each."""
    kernel = BY_NAME[name]
    with np.errstate(all="ignore"):
        f, first, second = kernel.evaluate(y, data, etas, order)
        k = len(kernel.predictors)
        assert (len(first), len(second)) == ((0, 0), (k, 0), (k, k * (k + 1) // 2))[order]
        assert f.shape == y.shape
        return np.array([np.broadcast_to(part, y.shape) for part in (f + kernel.base(y, data), *first, *second)])


def shortfall(found, truth, tolerance):
    """The error in units of the tolerance."""
    if np.isnan(found):
        return np.inf
    if abs(truth) > LARGEST:
        return 0.0 if abs(found) > HUGE and np.sign(found) == mp.sign(truth) else np.inf
    if abs(truth) < SMALLEST:
        return 0.0 if abs(found) < max(UNDERFLOW, tolerance) else np.inf
    return float(abs(mp.mpf(float(found)) - truth) / tolerance)


def moved(density, y, data, etas, truths):
    """How far the last bit of a predictor moves the value and each derivative."""
    most = [mp.mpf(0)] * len(truths)
    for i, eta in enumerate(etas):
        near = (*etas[:i], float(np.nextafter(eta, np.inf)), *etas[i + 1 :])
        most = [max(m, abs(a - b)) for m, a, b in zip(most, truths, exact(density, y, data, near), strict=True)]
    return most


def tolerated(case, y, data, etas):
    """The truths at a point, and what the value and each derivative may err by."""
    truths = exact(case.density, y, data, etas)
    floor = case.scale(y, data, etas) / 10
    value, *slopes = map(abs, truths)
    tolerances = [TOLERANCE * (value + case.level(y, data, etas)), *(TOLERANCE * max(u, floor) for u in slopes)]
    return truths, list(map(max, tolerances, moved(case.density, y, data, etas, truths)))


def misses(found, truths, tolerances):
    """Errors in units of their tolerances; no derivatives are asked of a density of zero."""
    if truths[0] < -LARGEST:
        return [0.0 if found[0] < -HUGE else np.inf]
    return [shortfall(*trio) for trio in zip(found, truths, tolerances, strict=True)]


def columns(points):
    """Response, data and predictors of all points as arrays."""
    y, data, etas = zip(*points, strict=True)
    return np.array(y, float), tuple(np.array(data, float).T), tuple(np.array(etas).T)


def test_every_kernel_has_a_case():
    assert CASES.keys() == BY_NAME.keys() == ORDINARY.keys()
    assert len(KERNELS) == len(BY_NAME)


@pytest.mark.parametrize("name", CASES)
def test_textbook_densities_are_differentiated_rightly(name):
    case = CASES[name]
    y, data = mp.mpf(1), (mp.mpf(2),) * len(BY_NAME[name].data)
    etas = (0.7, -0.4)[: len(BY_NAME[name].predictors)]
    truths = exact(case.density, y, data, etas)
    size = range(len(etas))
    orders = [[0] * len(etas)] + [[int(i == j) for j in size] for i in size]
    orders += [[int(i == a) + int(i == b) for i in size] for a, b in combinations_with_replacement(size, 2)]
    with mp.workdps(60):
        for truth, order in zip(truths, orders, strict=True):
            found = mp.diff(lambda *at: case.density(y, data, *dual(at)).value, tuple(map(mp.mpf, etas)), tuple(order))
            assert abs(found - truth) < mp.mpf("1e-30") * (1 + abs(truth))


@pytest.mark.parametrize("name", CASES)
def test_density_and_derivatives_to_the_last_digits(name):
    """All points at once, and one by one with predictors that are numbers."""
    points = CASES[name].points
    whole = evaluated(name, *columns(points))
    worst = (0.0, None)
    for found, (y, data, etas) in zip(whole.T, points, strict=True):
        expected = tolerated(CASES[name], y, data, etas)
        alone = evaluated(name, np.array([y]), data, etas)[:, 0]
        for numbers in (found, alone):
            worst = max(worst, (max(misses(numbers, *expected)), (y, data, etas)), key=lambda pair: pair[0])
    assert worst[0] < 1.0, worst


def draws(predictors, seed=3, count=300):
    rng = np.random.default_rng(seed)
    return rng, tuple(0.5 * rng.standard_normal(count) for _ in range(predictors))


def ordinary_binomial(inverse, n):
    def draw():
        rng, (eta,) = draws(1)
        known = rng.integers(1, n + 1, 300)
        y = rng.binomial(known, inverse(eta))
        return y, (known,) if n > 1 else (), (eta,), stats.binom.logpmf(y, known, inverse(eta))

    return draw


def ordinary(sample, reference, predictors, known=False):
    """Rows drawn at random with their log-densities by SciPy."""

    def draw():
        rng, etas = draws(predictors)
        data = (rng.uniform(0.5, 2.0, 300),) if known else ()
        y = sample(rng, *etas, *data)
        return y, data, etas, reference(y, *etas, *data)

    return draw


ORDINARY = {
    **{
        f"{family}_{link}": ordinary_binomial(inverse, n)
        for family, n in (("bernoulli", 1), ("binomial", 12))
        for link, inverse in (
            ("logit", special.expit),
            ("probit", special.ndtr),
            ("cloglog", hazard_chance),
        )
    },
    "poisson_log": ordinary(lambda rng, m: rng.poisson(np.exp(m)), lambda y, m: stats.poisson.logpmf(y, np.exp(m)), 1),
    "negative_binomial": ordinary(
        lambda rng, m, a: rng.poisson(np.exp(m) * rng.gamma(np.exp(a)) / np.exp(a)),
        lambda y, m, a: stats.nbinom.logpmf(y, np.exp(a), special.expit(a - m)),
        2,
    ),
    "normal": ordinary(
        lambda rng, m, s: rng.normal(m, np.exp(s)), lambda y, m, s: stats.norm.logpdf(y, m, np.exp(s)), 2
    ),
    "normal_known": ordinary(
        lambda rng, m, sd: rng.normal(m, sd), lambda y, m, sd: stats.norm.logpdf(y, m, sd), 1, known=True
    ),
    "lognormal": ordinary(
        lambda rng, m, s: rng.lognormal(m, np.exp(s)),
        lambda y, m, s: stats.lognorm.logpdf(y, np.exp(s), scale=np.exp(m)),
        2,
    ),
    "exponential": ordinary(
        lambda rng, m: rng.exponential(np.exp(m)), lambda y, m: stats.expon.logpdf(y, scale=np.exp(m)), 1
    ),
    "gamma": ordinary(
        lambda rng, m, a: rng.gamma(np.exp(a), np.exp(m - a)),
        lambda y, m, a: stats.gamma.logpdf(y, np.exp(a), scale=np.exp(m - a)),
        2,
    ),
    "weibull": ordinary(
        lambda rng, m, a: np.exp(m) * rng.weibull(np.exp(a)),
        lambda y, m, a: stats.weibull_min.logpdf(y, np.exp(a), scale=np.exp(m)),
        2,
    ),
}


@pytest.mark.parametrize("name", ORDINARY)
def test_value_is_that_of_scipy(name):
    y, data, etas, expected = ORDINARY[name]()
    assert BY_NAME[name].accepts(y, data)
    np.testing.assert_allclose(evaluated(name, y, data, etas)[0], expected, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("name", ORDINARY)
def test_a_number_for_a_predictor_is_that_number_in_every_row(name):
    """Few counts that share one alpha come by a table."""
    y, data, etas, _ = ORDINARY[name]()
    for shared in range(1, 2 ** len(etas)):
        mixed = tuple(0.3 if shared >> i & 1 else eta for i, eta in enumerate(etas))
        whole = tuple(np.broadcast_to(eta, y.shape) for eta in mixed)
        for order in (0, 1, 2):
            found, expected = (evaluated(name, y, data, given, order) for given in (mixed, whole))
            np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", ORDINARY)
def test_a_number_for_the_data_is_that_number_in_every_row(name):
    y, data, etas, _ = ORDINARY[name]()
    number = tuple(np.max(part) for part in data)
    whole = tuple(np.full(y.shape, part) for part in number)
    np.testing.assert_array_equal(evaluated(name, y, number, etas), evaluated(name, y, whole, etas))


@pytest.mark.parametrize("name", CASES)
def test_lower_orders_are_parts_of_the_second(name):
    for y, data, etas in (columns(CASES[name].points), ORDINARY[name]()[:3]):
        whole = evaluated(name, y, data, etas)
        for order in (0, 1):
            part = evaluated(name, y, data, etas, order)
            np.testing.assert_array_equal(part, whole[: len(part)])


@pytest.mark.parametrize("kind", [np.int8, np.int64, np.uint16, np.float32])
@pytest.mark.parametrize("name", ORDINARY)
def test_response_of_any_kind_of_number(name, kind):
    y, data, etas, _ = ORDINARY[name]()
    y = np.clip(np.ceil(y), 0, 100) if y.dtype.kind == "f" else y
    typed = y.astype(kind)
    assert BY_NAME[name].accepts(typed, data)
    expected = evaluated(name, typed.astype(float), data, etas)
    np.testing.assert_allclose(evaluated(name, typed, data, etas), expected, rtol=1e-13, atol=1e-14)
    shared = tuple(0.3 for _ in etas)
    expected = evaluated(name, typed.astype(float), data, shared)
    np.testing.assert_allclose(evaluated(name, typed, data, shared), expected, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("name", CASES)
def test_no_rows(name):
    kernel = BY_NAME[name]
    empty = np.array([])
    data, shared = (empty,) * len(kernel.data), (0.3,) * len(kernel.predictors)
    for etas in (shared, (empty,) * len(shared)):
        assert evaluated(name, empty, data, etas).shape[1] == 0


BAD_COUNTS = (-1.0, 0.5, np.nan, np.inf)
OUTSIDE = {
    **{f"bernoulli_{link}": (2.0, 0.5, -1.0, np.nan, np.inf) for link in BINOMIAL},
    **{f"binomial_{link}": (*BAD_COUNTS, 6.0) for link in BINOMIAL},
    "poisson_log": BAD_COUNTS,
    "negative_binomial": BAD_COUNTS,
    "normal": (np.nan, np.inf, -np.inf),
    "normal_known": (np.nan, np.inf, -np.inf),
    "lognormal": (-1.0, 0.0, np.nan, np.inf),
    "exponential": (-1.0, np.nan, np.inf),
    "gamma": (-1.0, 0.0, np.nan, np.inf),
    "weibull": (-1.0, 0.0, np.nan, np.inf),
}
BAD_DATA = {"n": (0.0, -1.0, 2.5, np.nan, np.inf), "sd": (0.0, -1.0, np.nan, np.inf)}


@pytest.mark.parametrize("name", OUTSIDE)
def test_accepts_the_support_alone(name):
    kernel = BY_NAME[name]
    data = (5.0,) * len(kernel.data)
    inside = np.array([1.0, 0.0] if 0.0 not in OUTSIDE[name] else [1.0, 0.3])
    assert kernel.accepts(inside, data) is True
    for bad in OUTSIDE[name]:
        assert kernel.accepts(np.append(inside, bad), data) is False, bad
    for bad in BAD_DATA[kernel.data[0]] if kernel.data else ():
        assert kernel.accepts(inside, (bad,)) is False, bad
        assert kernel.accepts(inside, (np.array([5.0, bad]),)) is False, bad
