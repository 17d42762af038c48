"""Every closed-form row density against its textbook formula at 50 digits: value, first and second derivatives.

Where y - mean, or a log-density and its neighbours, cancel, the last bits of a predictor decide what is left, so that no
formula of double precision does better than eps |predictor| times the next derivative. `allowed` grants that much, and
no more, beside the tolerances.
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
SMALLEST, UNDERFLOW = 1e-300, 1e-290
BY_NAME = {kernel.name: kernel for kernel in KERNELS}
MAGNITUDES = (1e-8, 0.3, 5.0, 20.0, 37.0, 40.0, 300.0, 800.0)
ETAS = (0.0, *MAGNITUDES, *(-eta for eta in MAGNITUDES))
COUNTS = (0, 1, 7, 50, 5000, 10**7)
RATIOS = (-0.5, -0.1, -1e-3, 0.0, 1e-8, 1e-3, 1e-2, 0.3, 1.0)


class Dual:
    """A number with its gradient and Hessian in the predictors, by the rules of calculus on 50-digit numbers."""

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
    slope = -2 / mp.sqrt(mp.pi) * mp.exp(-x.value**2)
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
    for y, eta in [*near(COUNTS), *((y, eta) for y in COUNTS for eta in (-300.0, -37.0, -5.0, 0.3, 20.0, 40.0, 300.0))]
]
FAR_NB = [(y, (), (m, a)) for y in (0, 1, 50) for m in (-800.0, 0.3, 300.0, 800.0) for a in (-800.0, -300.0, 300.0, 800.0)]
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
    """The log-density in 50 digits, the points, and the sizes of the terms that cancel in f and in its derivatives."""

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
    return -np.expm1(-np.exp(min(eta, 700.0)))


BINOMIAL = {
    "logit": Case(chances(logit), binomial_points(special.logit), trials(special.expit)),
    "probit": Case(chances(probit), binomial_points(special.ndtri), trials(special.ndtr), size),
    "cloglog": Case(
        chances(cloglog), binomial_points(lambda p: np.log(-np.log1p(-p))), trials(hazard_chance), size
    ),
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
    return [Dual(eta, [mp.mpf(i == j) for j in size], [[mp.mpf(0)] * len(etas) for _ in size]) for i, eta in enumerate(etas)]


def exact(density, y, data, etas):
    """Value, gradient and upper triangle of the Hessian of the log-density at one point."""
    with mp.workdps(70 if max(map(abs, etas)) < 45 else 350 if etas[-1] < 400 else 1100):
        whole = density(mp.mpf(y), tuple(map(mp.mpf, data)), *dual(list(map(mp.mpf, etas))))
        pairs = combinations_with_replacement(range(len(etas)), 2)
        return [whole.value, *whole.first, *(whole.second[i][j] for i, j in pairs)]


def evaluated(kernel, y, data, etas, order=2):
    with np.errstate(all="ignore"):
        f, first, second = kernel.evaluate(y, data, etas, order)
        return f + kernel.base(y, data), first, second


def shortfall(found, truth, tolerance):
    """The error in units of the tolerance."""
    if np.isnan(found):
        return np.inf
    if abs(truth) > LARGEST:
        return 0.0 if abs(found) > LARGEST / 1e10 and np.sign(found) == mp.sign(truth) else np.inf
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


def misses(name, y, data, etas):
    """Value and derivatives at one point: each error in units of its tolerance."""
    case = CASES[name]
    truths = exact(case.density, y, data, etas)
    f, first, second = evaluated(BY_NAME[name], np.array([float(y)]), tuple(np.array([float(n)]) for n in data), etas)
    found = [float(np.broadcast_to(part, (1,))[0]) for part in (f, *first, *second)]
    if truths[0] < -LARGEST:
        return [0.0 if found[0] < -LARGEST / 1e30 else np.inf]
    floors = [case.level(y, data, etas), *[case.scale(y, data, etas) / 10] * (len(truths) - 1)]
    tolerances = [TOLERANCE * (abs(truth) + floor) for truth, floor in zip(truths, floors, strict=True)]
    spread = moved(case.density, y, data, etas, truths)
    return [shortfall(*trio) for trio in zip(found, truths, map(max, tolerances, spread), strict=True)]
