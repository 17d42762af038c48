"""Every rule of the tables of scalar functions against 50 digits: value, first and second derivatives, with tails."""

import mpmath as mp
import numpy as np
import pytest

from ppl_mle.read.rows.pairs import BINARY
from ppl_mle.read.rows.scalar import DISCRETE, UNARY

TOLERANCE = 1e-12
SMALLEST, LARGEST = mp.mpf("1e-300"), mp.mpf("1e305")

REAL = (
    -800.3,
    -300.7,
    -40.1,
    -37.2,
    -20.3,
    -5.1,
    -1.3,
    -0.4,
    -1e-3,
    2e-6,
    0.3,
    0.9,
    2.2,
    5.0,
    20.1,
    37.4,
    40,
    300,
    800,
)
POSITIVE = (1e-6, 0.03, 0.4, 0.9, 1.7, 2.6, 5.0, 9.7, 20.3, 37.2, 40, 300.5, 800.3, 1e5)
NEGATIVE = tuple(-x for x in POSITIVE)
INSIDE = (-0.999, -0.7, -0.2, -1e-5, 1e-3, 0.4, 0.95, 1 - 1e-6)
UNIT = (1e-20, 1e-6, 0.03, 0.3, 0.6, 0.97, 1 - 1e-6)
MIXED = (-3.3, -0.7, 0.4, 1.6)


def ncdf(x):
    return mp.erfc(-x / mp.sqrt(2)) / 2


def npdf(x):
    return mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi)


def logistic(x):
    return 1 / (1 + mp.exp(-x))


def hurwitz(n, x):
    return mp.zeta(n, x)


def log_of(g, g1, g2):
    """The log of a function and its derivatives."""
    return lambda x: (mp.log(g(x)), g1(x) / g(x), g2(x) / g(x) - (g1(x) / g(x)) ** 2)


def step(function):
    return lambda x: (function(x), mp.mpf(0), mp.mpf(0))


def cloglog(x):
    rate = mp.exp(x)
    if rate > 2000:
        return mp.mpf(0), mp.mpf(0), mp.mpf(0)
    slope = rate / mp.expm1(rate)
    return mp.log1p(-mp.exp(-rate)), slope, slope * (1 - rate - slope)


def erfinv(y):
    x = mp.erfinv(y)
    slope = mp.sqrt(mp.pi) / 2 * mp.exp(x * x)
    return x, slope, 2 * x * slope**2


def erfcinv(y):
    x, slope, curvature = erfinv(1 - y)
    return x, -slope, curvature


def erfcx(x):
    u = mp.exp(x * x) * mp.erfc(x)
    slope = 2 * x * u - 2 / mp.sqrt(mp.pi)
    return u, slope, 2 * u + 2 * x * slope


def gamma(x):
    u, psi = mp.gamma(x), mp.digamma(x)
    return u, u * psi, u * (psi**2 + hurwitz(2, x))


def log_i0(x):
    ratio = mp.besseli(1, x) / mp.besseli(0, x)
    return mp.log(mp.besseli(0, x)), ratio, 1 - ratio / x - ratio**2


def bessel(family, sign):
    """The function of order 0 and of order 1, with derivatives by the recurrences."""

    def zero(x):
        u, v = family(0, x), family(1, x)
        return u, sign * v, sign * (u - v / x)

    def one(x):
        u, v = family(0, x), family(1, x)
        return v, u - v / x, sign * v - u / x + 2 * v / x**2

    return zero, one


I0, I1 = bessel(mp.besseli, 1)
J0, J1 = bessel(mp.besselj, -1)

# name: (points, closed forms of the function and its derivatives, or the function alone to be differenced)
UNARY_CASES = {
    "exp": (REAL, lambda x: (mp.exp(x),) * 3),
    "exp2": (REAL, lambda x: (2**x, 2**x * mp.log(2), 2**x * mp.log(2) ** 2)),
    "expm1": (REAL, lambda x: (mp.expm1(x), mp.exp(x), mp.exp(x))),
    "log": (POSITIVE, mp.log),
    "log1p": ((*UNIT, *POSITIVE, -0.3, -0.99), lambda x: (mp.log1p(x), 1 / (1 + x), -1 / (1 + x) ** 2)),
    "log2": (POSITIVE, lambda x: mp.log(x) / mp.log(2)),
    "log10": (POSITIVE, lambda x: mp.log(x) / mp.log(10)),
    "sqrt": (POSITIVE, mp.sqrt),
    "sqr": (REAL, lambda x: x * x),
    "reciprocal": (REAL, lambda x: (1 / x, -1 / x**2, 2 / x**3)),
    "abs": (REAL, lambda x: (abs(x), mp.sign(x), mp.mpf(0))),
    "sign": (REAL, step(mp.sign)),
    "floor": (REAL, step(mp.floor)),
    "ceil": (REAL, step(mp.ceil)),
    "round_half_to_even": ((*REAL, 0.5, 1.5, 2.5, -0.5, -1.5), step(mp.nint)),
    "trunc": (REAL, step(lambda x: mp.sign(x) * mp.floor(abs(x)))),
    "sin": (REAL, lambda x: (mp.sin(x), mp.cos(x), -mp.sin(x))),
    "cos": (REAL, lambda x: (mp.cos(x), -mp.sin(x), -mp.cos(x))),
    "tan": (REAL, lambda x: (mp.tan(x), 1 + mp.tan(x) ** 2, 2 * mp.tan(x) * (1 + mp.tan(x) ** 2))),
    "arcsin": (INSIDE, mp.asin),
    "arccos": (INSIDE, mp.acos),
    "arctan": (REAL, mp.atan),
    "sinh": (REAL, lambda x: (mp.sinh(x), mp.cosh(x), mp.sinh(x))),
    "cosh": (REAL, lambda x: (mp.cosh(x), mp.sinh(x), mp.cosh(x))),
    "tanh": (REAL, lambda x: (mp.tanh(x), mp.sech(x) ** 2, -2 * mp.tanh(x) * mp.sech(x) ** 2)),
    "arcsinh": (REAL, mp.asinh),
    "arccosh": ((1 + 1e-6, 1.3, 5.0, 20.3, 800.3), mp.acosh),
    "arctanh": (INSIDE, mp.atanh),
    "sigmoid": (
        REAL,
        lambda x: (
            logistic(x),
            logistic(x) * logistic(-x),
            -logistic(x) * logistic(-x) * mp.tanh(x / 2),
        ),
    ),
    "softplus": (REAL, lambda x: (mp.log1p(mp.exp(x)), logistic(x), logistic(x) * logistic(-x))),
    "log_sigmoid": (REAL, lambda x: (-mp.log1p(mp.exp(-x)), logistic(-x), -logistic(x) * logistic(-x))),
    "log1mexp": (
        (*NEGATIVE, -0.69, -0.6932, -1e-40),
        lambda x: (mp.log(-mp.expm1(x)), -1 / mp.expm1(-x), -mp.exp(x) / mp.expm1(x) ** 2),
    ),
    "logit": (UNIT, lambda x: (mp.log(x / (1 - x)), 1 / (x * (1 - x)), (2 * x - 1) / (x * (1 - x)) ** 2)),
    "log1m_exp_neg_exp": ((*REAL, -0.69, -0.7, -0.36, 1.1, 6.1), cloglog),
    "erf": (
        REAL,
        lambda x: (mp.erf(x), 2 * npdf(x * mp.sqrt(2)) * mp.sqrt(2), -4 * x * npdf(x * mp.sqrt(2)) * mp.sqrt(2)),
    ),
    "erfc": (
        (*REAL, 25.7),
        lambda x: (mp.erfc(x), -2 * npdf(x * mp.sqrt(2)) * mp.sqrt(2), 4 * x * npdf(x * mp.sqrt(2)) * mp.sqrt(2)),
    ),
    "erfcx": ((*REAL[3:], 3.4, 3.6, 1e5), erfcx),
    "erfinv": (INSIDE, erfinv),
    "erfcinv": ((*UNIT, 1.3, 1.9), erfcinv),
    "ndtr": (REAL, lambda x: (ncdf(x), npdf(x), -x * npdf(x))),
    "log_ndtr": ((*REAL, -2.5, -3.9, -4.1, -7.7, -1e5), log_of(ncdf, npdf, lambda x: -x * npdf(x))),
    "gammaln": (POSITIVE, lambda x: (mp.loggamma(x), mp.digamma(x), hurwitz(2, x))),
    "psi": (POSITIVE, lambda x: (mp.digamma(x), hurwitz(2, x), -2 * hurwitz(3, x))),
    "tri_gamma": (POSITIVE, lambda x: (hurwitz(2, x), -2 * hurwitz(3, x), 6 * hurwitz(4, x))),
    "gamma": ((*POSITIVE, 150.3), gamma),
    "i0": (REAL, I0),
    "i1": (REAL, I1),
    "log_i0": ((*REAL, 1.99, 2.01, 9.7, 19.8, 30.2, 1e4), log_i0),
    "j0": (REAL, J0),
    "j1": (REAL, J1),
}


def pairs(first, second=None):
    return [(a, b) for a in first for b in (first if second is None else second)]


def ordered(points):
    return [(a, b) for a in points for b in points if a > b]


def log_difference(g, g1, g2):
    """The log of a difference g(a) - g(b), with its derivatives."""

    def values(a, b):
        gap = g(a) - g(b)
        ua, ub = g1(a) / gap, -g1(b) / gap
        return mp.log(gap), ua, ub, g2(a) / gap - ua**2, -ua * ub, -g2(b) / gap - ub**2

    return values


def log_ndtr_difference(a, b):
    """In the lower tail, where nothing is near one."""
    if a + b <= 0:
        return log_difference(ncdf, npdf, lambda x: -x * npdf(x))(a, b)
    u, ua, ub, uaa, uab, ubb = log_ndtr_difference(-b, -a)
    return u, -ub, -ua, ubb, uab, uaa


def power(a, b):
    log = mp.log(a)
    return a**b, b * a ** (b - 1), a**b * log, b * (b - 1) * a ** (b - 2), a ** (b - 1) * (1 + b * log), a**b * log**2


def logaddexp(a, b):
    bend = logistic(a - b) * logistic(b - a)
    return mp.log(mp.exp(a) + mp.exp(b)), logistic(a - b), logistic(b - a), bend, -bend, bend


def betaln(a, b):
    level, bend = mp.digamma(a + b), hurwitz(2, a + b)
    value = mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b)
    return value, mp.digamma(a) - level, mp.digamma(b) - level, hurwitz(2, a) - bend, -bend, hurwitz(2, b) - bend


def log_rising(a, k):
    bend = hurwitz(2, a + k) - hurwitz(2, a)
    return mp.loggamma(a + k) - mp.loggamma(a), mp.digamma(a + k) - mp.digamma(a), None, bend, None, None


def arctan2(a, b):
    r = a**2 + b**2
    return mp.atan2(a, b), b / r, -a / r, -2 * a * b / r**2, (a**2 - b**2) / r**2, 2 * a * b / r**2


def incomplete(sign):
    def values(k, x):
        limits = (0, x) if sign > 0 else (x, mp.inf)
        slope = sign * mp.exp((k - 1) * mp.log(x) - x - mp.loggamma(k))
        return mp.gammainc(k, *limits, regularized=True), None, slope, None, None, slope * ((k - 1) / x - 1)

    return values


def winner(a, b, best):
    first = mp.mpf(best(a, b) == a)
    return best(a, b), first, 1 - first, mp.mpf(0), mp.mpf(0), mp.mpf(0)


CLOSE = [
    (c, c - gap)
    for c in (-800.3, -300, -37.5, -5.3, -0.9, 0.3, 0.01, 2.2, 7.1, 40, 300)
    for gap in (1.7, 0.3, 2e-3, 1e-7)
]
BOTH_TAILS = [(-38.0, -39.0), (40.0, 39.0), (0.7, -0.2), (5.0, -5.1), (1.1, -1.0)]
COUNTS = (
    (0.3, 0.03),
    (1, 2.5),
    (5, 0.4),
    (5, 30.2),
    (9.9, 8),
    (10.1, 9),
    (20, 40),
    (37, 20.3),
    (300, 290.1),
    (800, 850.3),
    (0.6, 300),
)

BINARY_CASES = {
    "mul": (pairs(MIXED), lambda a, b: (a * b, b, a, mp.mpf(0), mp.mpf(1), mp.mpf(0))),
    "true_div": (pairs(MIXED), lambda a, b: (a / b, 1 / b, -a / b**2, mp.mpf(0), -1 / b**2, 2 * a / b**3)),
    "pow": ([*pairs(POSITIVE[:-1], (-2.0, -0.5, 0.5, 1.0, 2.0, 3.7)), (1e-200, 2.0), (1e-160, 2.3)], power),
    "maximum": (pairs((-2.0, 1.5), (-3.0, 1.0, 4.0)), lambda a, b: winner(a, b, max)),
    "minimum": (pairs((-2.0, 1.5), (-3.0, 1.0, 4.0)), lambda a, b: winner(a, b, min)),
    "logaddexp": (pairs(REAL[::3]), logaddexp),
    "log_exp_difference": ([*ordered(REAL[::2]), *CLOSE], log_difference(mp.exp, mp.exp, mp.exp)),
    "log_sigmoid_difference": (
        [*ordered(REAL[::2]), *CLOSE],
        log_difference(
            logistic,
            lambda x: logistic(x) * logistic(-x),
            lambda x: -logistic(x) * logistic(-x) * mp.tanh(x / 2),
        ),
    ),
    "log_ndtr_difference": ([*ordered(REAL), *CLOSE, *BOTH_TAILS], log_ndtr_difference),
    "betaln": (pairs((1e-3, 0.3, 5.0, 9.9, 20.3, 37.2, 300.5, 800.3, 1e5)), betaln),
    "log_rising": (pairs((1e-3, 0.3, 5.0, 9.9, 37.2, 800.3, 1e5, 1e13), (1.0, 3.0, 60.0, 2500.0)), log_rising),
    "arctan2": ([*pairs(MIXED), (300.0, -800.0), (1e-9, 5.0)], arctan2),
    "gammainc": (COUNTS, incomplete(1)),
    "gammaincc": (COUNTS, incomplete(-1)),
}


PLAIN = {
    "gammaln",
    "psi",
    "tri_gamma",
    "gamma",
    "betaln",
    "log_rising",
    "gammainc",
    "gammaincc",
    "i0",
    "i1",
    "log_i0",
    "j0",
    "j1",
}


def exact(name, case, arguments):
    """The 50-digit values at one point; closed forms such as log(1 - exp(-800)) are taken with more."""
    with mp.workdps(70 if name in PLAIN else spare_digits(arguments)):
        arguments = [mp.mpf(argument) for argument in arguments]
        values = case(*arguments)
        if not isinstance(values, tuple):
            values = (values, mp.diff(case, arguments[0]), mp.diff(case, arguments[0], 2))
        return [None if value is None else +value for value in values]


def spare_digits(arguments):
    widest = max(abs(float(argument)) for argument in arguments)
    return 110 if widest < 15 else 800


def error(found, expected):
    """The relative error; zero where both underflow, or both overflow to the same side."""
    if abs(expected) < SMALLEST:
        return 0.0 if abs(found) <= 1.01 * SMALLEST else np.inf
    if abs(expected) > LARGEST:
        return 0.0 if np.isinf(found) and np.sign(found) == mp.sign(expected) else np.inf
    return float(abs(found - expected) / abs(expected)) if np.isfinite(found) else np.inf


def flat(result):
    """The six entries of a rule of two arguments, or the three of a rule of one."""
    return [entry for part in result for entry in (part if isinstance(part, tuple) else (part,))]


def errors(name, rule, points, case):
    """Worst relative error of each entry, and where."""
    worst = {}
    for arguments in points:
        arguments = arguments if isinstance(arguments, tuple) else (arguments,)
        with np.errstate(all="ignore"):
            found = flat(rule(*map(float, arguments), 2))
        for entry, (value, expected) in enumerate(zip(found, exact(name, case, arguments), strict=True)):
            assert (value is None) == (expected is None)
            if value is not None:
                worst[entry] = max(worst.get(entry, (-1.0, None)), (error(float(value), expected), arguments))
    return worst


def test_every_rule_has_a_case():
    assert UNARY_CASES.keys() == UNARY.keys()
    assert BINARY_CASES.keys() == BINARY.keys()
    assert UNARY.keys() > DISCRETE


@pytest.mark.parametrize("name", UNARY)
def test_one_argument_to_50_digits(name):
    worst = errors(name, UNARY[name], *UNARY_CASES[name])
    assert max(worst.values())[0] < TOLERANCE, worst


@pytest.mark.parametrize("name", BINARY)
def test_two_arguments_to_50_digits(name):
    worst = errors(name, BINARY[name], *BINARY_CASES[name])
    assert max(worst.values())[0] < TOLERANCE, worst


CASES = [(UNARY[name], case[0]) for name, case in UNARY_CASES.items()]
CASES += [(BINARY[name], case[0]) for name, case in BINARY_CASES.items()]


@pytest.mark.parametrize(("rule", "points"), CASES, ids=[*UNARY_CASES, *BINARY_CASES])
def test_arrays_orders_and_scalars_agree(rule, points):
    columns = np.atleast_2d(np.array(points, float).T)[:, :4].reshape(-1, 2, 2)
    with np.errstate(all="ignore"):
        whole = flat(rule(*columns, 2))
        for place in np.ndindex(2, 2):
            for array, scalar in zip(whole, flat(rule(*(float(part[place]) for part in columns), 2)), strict=True):
                if array is not None:
                    assert np.ndim(scalar) == 0
                    np.testing.assert_allclose(np.broadcast_to(array, (2, 2))[place], scalar, rtol=1e-13)
        for order in (0, 1):
            partial = rule(*columns, order)
            assert [part is None for part in partial[1:]] == [True, order == 0] if order == 0 else [False, True]
            for lower, full in zip(flat(partial[: order + 1]), whole, strict=False):
                assert (lower is None) == (full is None)
                if lower is not None:
                    np.testing.assert_array_equal(lower, full)


@pytest.mark.parametrize("power", [0.0, 1.0, 2.0, 3.0])
def test_power_at_zero_and_below(power):
    base = np.array([-2.0, 0.0])
    with np.errstate(all="ignore"):
        u, (ua, _), (uaa, _, _) = BINARY["pow"](base, power, 2)
    derivative = np.polynomial.Polynomial([*[0.0] * int(power), 1.0])
    for found, degree in ((u, 0), (ua, 1), (uaa, 2)):
        np.testing.assert_array_equal(found, derivative.deriv(degree)(base) if degree else derivative(base))


def test_infinite_limits_of_an_interval():
    a, b = np.array([np.inf, 0.3, np.inf]), np.array([0.3, -np.inf, -np.inf])
    with np.errstate(all="ignore"):
        u, (ua, ub), (uaa, uab, ubb) = BINARY["log_ndtr_difference"](a, b, 2)
        below, above = UNARY["log_ndtr"](0.3, 2), UNARY["log_ndtr"](-0.3, 2)
    np.testing.assert_allclose(u, [above[0], below[0], 0.0], rtol=1e-14)
    np.testing.assert_allclose(ua, [0.0, below[1], 0.0], rtol=1e-14)
    np.testing.assert_allclose(ub, [-above[1], 0.0, 0.0], rtol=1e-14)
    np.testing.assert_allclose(uaa, [0.0, below[2], 0.0], rtol=1e-14)
    np.testing.assert_allclose(ubb, [above[2], 0.0, 0.0], rtol=1e-14)
    np.testing.assert_array_equal(uab, 0.0)


LIMITS = {
    "exp": (-np.inf, (0, 0, 0)),
    "tanh": (np.inf, (1, 0, 0)),
    "arctan": (np.inf, (np.pi / 2, 0, 0)),
    "sigmoid": (np.inf, (1, 0, 0)),
    "softplus": (-np.inf, (0, 0, 0)),
    "log_sigmoid": (np.inf, (0, 0, 0)),
    "log1mexp": (-np.inf, (0, 0, 0)),
    "log1m_exp_neg_exp": (np.inf, (0, 0, 0)),
    "erf": (-np.inf, (-1, 0, 0)),
    "erfc": (np.inf, (0, 0, 0)),
    "erfcx": (np.inf, (0, 0, 0)),
    "ndtr": (-np.inf, (0, 0, 0)),
    "log_ndtr": (np.inf, (0, 0, 0)),
}


@pytest.mark.parametrize("name", LIMITS)
def test_limits_at_infinity(name):
    end, limits = LIMITS[name]
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(UNARY[name](end, 2), limits)


def test_missing_values_stay_missing():
    with np.errstate(all="ignore"):
        for name in UNARY.keys() - DISCRETE - {"abs", "sqr"}:
            assert np.isnan(UNARY[name](np.nan, 2)).all(), name
        for name in BINARY.keys() - {"mul", "true_div", "maximum", "minimum"}:
            entries = flat(BINARY[name](np.nan, 0.4, 2))
            assert all(np.isnan(entry) for entry in entries if entry is not None), name
