"""Hard units: shifts and scales of the data must not change an answer, and far starts must be left."""

from fractions import Fraction

import mpmath
import numpy as np
import pymc as pm
from scipy import special

from tests.stress.case import Case, Truth
from tests.stress.oracle import logit, maximum, normal, poisson, total

Z = np.round(special.ndtri((np.arange(30) + 0.5) / 30), 3)[np.argsort(np.sin(np.arange(1, 31)))]
YEARS = np.arange(1950, 2021, 5)
POPULATION = np.array([2.5, 2.7, 3.0, 3.3, 3.7, 4.0, 4.4, 4.8, 5.3, 5.7, 6.1, 6.5, 6.9, 7.4, 7.8])
LONG = np.arange(0, 2001, 50)
COUNTS = np.array([1, 2, 0, 3, 2, 1, 4, 2, 3, 5, 3, 2, 6, 4, 5, 3, 8, 6, 7, 9, 5, 11, 8, 12, 10, 14, 9, 15, 17, 13])
COUNTS = np.r_[COUNTS, 20, 16, 24, 22, 27, 25, 33, 30, 38, 41, 47]
HITS = np.array([0, 0, 1, 0, 0, 1, 0, 1, 1, 0, 1, 1, 0, 1, 1, 1])
DOSE = np.arange(16)
SHAPES = np.array([9.98, 10.11, 10.02, 9.87, 10.05, 9.93, 10.09, 9.96, 10.01, 9.9])
SPECKS = np.array([1e-9, 3e-4, 0.02, 5e-14, 0.7, 1e-6, 2.1, 4e-3, 8e-20, 0.11])


def _normal(y: np.ndarray) -> tuple[Truth, ...]:
    """The sample's mean and standard deviation, in rational arithmetic."""
    exact = [Fraction(float(v)) for v in y]
    mean = sum(exact) / len(exact)
    sigma = float(sum((v - mean) ** 2 for v in exact) / len(exact)) ** 0.5
    errors = {"mu": sigma / len(y) ** 0.5, "sigma": sigma / (2 * len(y)) ** 0.5}
    return (Truth({"mu": float(mean), "sigma": sigma}, errors, -len(y) * (np.log(2 * np.pi * sigma**2) + 1) / 2),)


def _declare_normal(y: np.ndarray) -> None:
    pm.Normal("y", pm.Flat("mu"), pm.HalfFlat("sigma"), observed=y)


def _solve(x: np.ndarray, y: np.ndarray) -> tuple[Truth, ...]:
    """Least squares in rational arithmetic, for labels b[0], b[1]...; with the ML sigma."""
    with mpmath.workdps(60):
        design, response = mpmath.matrix(x.tolist()), mpmath.matrix(y.tolist())
        inverse = mpmath.inverse(design.T * design)
        b = inverse * (design.T * response)
        residual = response - design * b
        sigma = mpmath.sqrt((residual.T * residual)[0] / len(y))
        values = {f"b[{i}]": float(v) for i, v in enumerate(b)} | {"sigma": float(sigma)}
        errors = {f"b[{i}]": float(sigma * mpmath.sqrt(inverse[i, i])) for i in range(len(b))}
    return (Truth(values, errors),)


def _declare_linear(x: np.ndarray, y: np.ndarray) -> None:
    pm.Normal("y", x @ pm.Flat("b", shape=x.shape[1]), pm.HalfFlat("sigma"), observed=y)


def _columns(*columns: np.ndarray) -> np.ndarray:
    return np.column_stack([np.ones(len(columns[0])), *columns]).astype(float)


HUGE = _columns(Z * 1e8, np.cos(np.arange(30.0)) * 1e-8)
RESPONSE = np.round(1.5 + 0.8 * Z + 0.3 * np.sin(np.arange(30) ** 2), 3)
CALENDAR = _columns(YEARS, YEARS**2.0)
SPAN = _columns(*[(np.arange(12) / 4.0) ** k for k in range(1, 7)])
WAVES = np.round(np.sin(np.arange(12)), 3)


def poisson_long() -> None:
    pm.Poisson("y", pm.math.exp(pm.Flat("a") + pm.Flat("b") * LONG), observed=COUNTS)


def poisson_long_truth() -> tuple[Truth, ...]:
    rows = list(zip(LONG.tolist(), COUNTS.tolist(), strict=True))
    return (maximum(lambda a, b: total(poisson(y, mpmath.exp(a + b * x)) for x, y in rows), a=0.5, b=0.0017),)


def logistic_shifted() -> None:
    pm.Bernoulli("y", logit_p=pm.Flat("a") + pm.Flat("b") * (DOSE + 1_000_000), observed=HITS)


def logistic_shifted_truth() -> tuple[Truth, ...]:
    rows = list(zip((DOSE + 1_000_000).tolist(), HITS.tolist(), strict=True))
    return (maximum(lambda a, b: total(logit(y, a + b * x) for x, y in rows), a=-300001.95, b=0.3),)


def huge_offset() -> None:
    pm.Poisson("y", 3e9 * pm.math.exp(pm.Flat("a") + pm.Flat("b") * np.arange(4)), observed=[5, 9, 14, 31])


def huge_offset_truth() -> tuple[Truth, ...]:
    rows = list(enumerate([5, 9, 14, 31]))
    return (
        maximum(lambda a, b: total(poisson(y, 3 * 10**9 * mpmath.exp(a + b * x)) for x, y in rows), a=-20.2, b=0.6),
    )


def rare_events() -> None:
    p = pm.math.invlogit(pm.Flat("a") + pm.Flat("b") * np.array([0, 1]))
    pm.Binomial("y", n=np.array([1_000_000, 2_000_000]), p=p, observed=[3, 41])


def rare_events_truth() -> tuple[Truth, ...]:
    a, c = np.log(3 / 999_997), np.log(41 / 1_999_959)
    first, second = 1 / 3 + 1 / 999_997, 1 / 41 + 1 / 1_999_959
    return (Truth({"a": a, "b": c - a}, {"a": first**0.5, "b": (first + second) ** 0.5}),)


def gamma_truth(y: np.ndarray, start: float) -> tuple[Truth, ...]:
    rows, n = y.tolist(), len(y)

    def density(alpha: mpmath.mpf, beta: mpmath.mpf) -> mpmath.mpf:
        logs, plain = total(mpmath.log(v) for v in rows), total(rows)
        return n * (alpha * mpmath.log(beta) - mpmath.loggamma(alpha)) + (alpha - 1) * logs - beta * plain

    return (maximum(density, alpha=start, beta=start / float(y.mean())),)


def declare_gamma(y: np.ndarray) -> None:
    pm.Gamma("y", alpha=pm.HalfFlat("alpha"), beta=pm.HalfFlat("beta"), observed=y)


def tiny_rates() -> None:
    x = np.arange(5)
    pm.Exponential(
        "y", pm.math.exp(pm.Flat("a") + pm.Flat("b") * x), observed=np.array([2.1, 1.3, 0.4, 0.6, 0.2]) * 1e12
    )


def tiny_rates_truth() -> tuple[Truth, ...]:
    rows = list(enumerate((np.array([2.1, 1.3, 0.4, 0.6, 0.2]) * 1e12).tolist()))
    return (maximum(lambda a, b: total(a + b * x - y * mpmath.exp(a + b * x) for x, y in rows), a=-28.4, b=0.5),)


def heteroscedastic() -> None:
    spread = pm.math.exp(pm.Flat("c") + pm.Flat("d") * Z)
    pm.Normal("y", pm.Flat("a") + pm.Flat("b") * Z, spread, observed=1000 * RESPONSE)


def heteroscedastic_truth() -> tuple[Truth, ...]:
    rows = list(zip(Z.tolist(), (1000 * RESPONSE).tolist(), strict=True))
    return (
        maximum(
            lambda a, b, c, d: total(normal(y, a + b * x, mpmath.exp(c + d * x)) for x, y in rows),
            **{"a": 1500.0, "b": 800.0, "c": 5.4, "d": 0.0},
        ),
    )


NEWTON = "Newton's method on the written-out log-likelihood in 60-digit arithmetic."
RATIONAL = "Least squares in 60-digit arithmetic on the same doubles."
CLOSED = "Closed form."
CASES = (
    Case("normal_at_a_million", lambda: _declare_normal(1e6 + Z), "CONVERGED", CLOSED, lambda: _normal(1e6 + Z)),
    Case(
        "normal_of_tiny_spread",
        lambda: _declare_normal(1e-6 + Z * 1e-9),
        "CONVERGED",
        CLOSED,
        lambda: _normal(1e-6 + Z * 1e-9),
    ),
    Case("normal_in_huge_units", lambda: _declare_normal(Z * 1e12), "CONVERGED", CLOSED, lambda: _normal(Z * 1e12)),
    Case("poisson_x_to_2000", poisson_long, "CONVERGED", NEWTON, poisson_long_truth),
    Case(
        "columns_of_1e8_and_1e-8",
        lambda: _declare_linear(HUGE, RESPONSE),
        "CONVERGED",
        RATIONAL,
        lambda: _solve(HUGE, RESPONSE),
    ),
    Case(
        "calendar_years_squared",
        lambda: _declare_linear(CALENDAR, POPULATION),
        "CONVERGED",
        RATIONAL,
        lambda: _solve(CALENDAR, POPULATION),
    ),
    Case(
        "polynomial_of_degree_6",
        lambda: _declare_linear(SPAN, WAVES),
        "CONVERGED",
        RATIONAL,
        lambda: _solve(SPAN, WAVES),
    ),
    Case("logistic_x_shifted_by_1e6", logistic_shifted, "CONVERGED", NEWTON, logistic_shifted_truth),
    Case("poisson_exposure_3e9", huge_offset, "CONVERGED", NEWTON, huge_offset_truth),
    Case("rare_events_in_millions", rare_events, "CONVERGED", "Log-odds of the two groups.", rare_events_truth),
    Case(
        "gamma_of_large_shape", lambda: declare_gamma(SHAPES), "CONVERGED", NEWTON, lambda: gamma_truth(SHAPES, 18000)
    ),
    Case("gamma_of_tiny_shape", lambda: declare_gamma(SPECKS), "CONVERGED", NEWTON, lambda: gamma_truth(SPECKS, 0.1)),
    Case("exponential_rates_of_1e-12", tiny_rates, "CONVERGED", NEWTON, tiny_rates_truth),
    Case("heteroscedastic_regression", heteroscedastic, "CONVERGED", NEWTON, heteroscedastic_truth),
)
