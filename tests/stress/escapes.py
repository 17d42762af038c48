"""Starts at saddles, on plateaus and outside the support; several maxima; long curved valleys."""

import mpmath
import numpy as np
import pymc as pm
import pytensor.tensor as pt

from tests.stress.case import Case, Truth, one_truth
from tests.stress.oracle import maximum, normal, total

X = np.arange(1, 13.0)
LUMPS = np.array([-2.1, -1.4, -3.0, -1.9, -2.6, -1.1, 1.7, 2.4, 0.9, 3.3, 2.0, 1.2, 2.9])
WAVE = np.array([-1.2, -2.1, -1.5, 0.3, 1.7, 2.2, 0.9, -0.8, -2.0, -1.8, -0.1, 1.6])
LOGS = np.array([0.8, 1.3, 1.5, 1.9, 2.0, 2.3, 2.2, 2.5, 2.6, 2.6, 2.8, 2.9])
POWER = np.array([2.1, 3.9, 5.0, 6.3, 7.2, 7.9, 8.9, 9.5, 10.3, 10.6, 11.4, 12.0])
LATE = np.round(7 * np.exp(-np.arange(0, 1100, 100) / 400) + 0.2 * np.cos(np.arange(11)), 3)
INF = np.inf


def equal_components() -> None:
    pm.NormalMixture("y", w=[0.5, 0.5], mu=pm.Flat("mu", shape=2), sigma=pm.HalfFlat("sigma"), observed=LUMPS)


def equal_components_truth() -> tuple[Truth, ...]:
    def density(m, n, s):
        rows = LUMPS.tolist()
        return total(mpmath.log((mpmath.exp(normal(y, m, s)) + mpmath.exp(normal(y, n, s))) / 2) for y in rows)

    return two_orders(maximum(density, **{"mu[0]": -2.0, "mu[1]": 2.0, "sigma": 0.7}), "mu")


def two_orders(truth: Truth, name: str) -> tuple[Truth, ...]:
    """The truth and its mirror image, where the labels 0 and 1 of a variable change places."""
    mirror = {f"{name}[0]": f"{name}[1]", f"{name}[1]": f"{name}[0]"}
    values = {mirror.get(label, label): v for label, v in truth.values.items()}
    errors = {mirror.get(label, label): v for label, v in truth.errors.items()}
    return truth, Truth(values, errors, truth.llf)


def wave_phase() -> None:
    amplitude, phase = pm.HalfFlat("amplitude"), pm.Flat("phase")
    pm.Deterministic("across", amplitude * pm.math.cos(phase))
    pm.Deterministic("along", amplitude * pm.math.sin(phase))
    pm.Normal("y", amplitude * pm.math.sin(0.9 * X + phase), pm.HalfFlat("sigma"), observed=WAVE)


def wave_phase_truth() -> tuple[Truth, ...]:
    b, rss = np.linalg.lstsq(np.column_stack([np.sin(0.9 * X), np.cos(0.9 * X)]), WAVE, rcond=None)[:2]
    return one_truth(across=b[0], along=b[1], sigma=np.sqrt(rss[0] / 12))


def log_of_a_line() -> None:
    # The logarithm of 0 at the default start.
    pm.Normal("y", pm.math.log(pm.Flat("a") + pm.Flat("b") * X), pm.HalfFlat("sigma"), observed=LOGS)


def log_of_a_line_truth() -> tuple[Truth, ...]:
    rows = list(zip(X.tolist(), LOGS.tolist(), strict=True))
    return (
        maximum(lambda a, b, s: total(normal(y, mpmath.log(a + b * x), s) for x, y in rows), a=0.9, b=1.4, sigma=0.05),
    )


def root_of_a_difference() -> None:
    # The square root of a negative number at the start c = 5.
    pm.Normal("y", pm.Flat("a") * pm.math.sqrt(X - pm.Flat("c", initval=5.0)), pm.HalfFlat("sigma"), observed=POWER)


def root_of_a_difference_truth() -> tuple[Truth, ...]:
    rows = list(zip(X.tolist(), POWER.tolist(), strict=True))

    def density(a, c, s):
        return total(normal(y, a * mpmath.sqrt(x - c), s) for x, y in rows) if c < 1 else -mpmath.inf

    return (maximum(density, a=3.5, c=0.3, sigma=0.2),)


def power_law() -> None:
    # At the start a = 0 nothing is known about the exponent.
    pm.Normal("y", pm.Flat("a") * X ** pm.Flat("b"), pm.HalfFlat("sigma"), observed=POWER)


def power_law_truth() -> tuple[Truth, ...]:
    rows = list(zip(X.tolist(), POWER.tolist(), strict=True))
    return (maximum(lambda a, b, s: total(normal(y, a * x**b, s) for x, y in rows), a=2.2, b=0.68, sigma=0.1),)


def decay_over_thousands() -> None:
    # exp(-k x) with x to 1000 vanishes at the start k = 1.
    x = np.arange(0, 1100, 100)
    pm.Normal("y", pm.HalfFlat("a") * pm.math.exp(-pm.HalfFlat("k") * x), pm.HalfFlat("sigma"), observed=LATE)


def decay_over_thousands_truth() -> tuple[Truth, ...]:
    rows = list(zip(range(0, 1100, 100), LATE.tolist(), strict=True))
    return (
        maximum(
            lambda a, k, s: total(normal(y, a * mpmath.exp(-k * x), s) for x, y in rows), a=7.0, k=1 / 400, sigma=0.15
        ),
    )


def growth_over_hundreds() -> None:
    # exp(r x) overflows in the square at the start r = 1.
    x = np.arange(0, 440, 40)
    pm.Normal("y", pm.math.exp(pm.Flat("c") + pm.Flat("r", initval=1.0) * x), 1, observed=LATE[::-1])


def growth_over_hundreds_truth() -> tuple[Truth, ...]:
    rows = list(zip(range(0, 440, 40), LATE[::-1].tolist(), strict=True))
    return (maximum(lambda c, r: total(normal(y, mpmath.exp(c + r * x), 1) for x, y in rows), c=-0.5, r=0.006),)


def banana() -> None:
    a, b = pm.Flat("a", initval=-1.2), pm.Flat("b", initval=1.0)
    pm.Potential("valley", -100 * (b - a**2) ** 2 - (1 - a) ** 2)


def banana_truth() -> tuple[Truth, ...]:
    return (Truth({"a": 1.0, "b": 1.0}, {"a": 0.5**0.5, "b": 2.005**0.5}, 0.0),)


def monkey_ends() -> None:
    # A monkey saddle in the middle, with no second derivatives at all there, and a quartic that closes it.
    v = pm.Flat("v", shape=2)
    pm.Potential("saddle", v[0] ** 3 - 3 * v[0] * v[1] ** 2 - (v[0] ** 2 + v[1] ** 2) ** 2)


def monkey_ends_truth() -> tuple[Truth, ...]:
    # In polar coordinates r^3 cos(3 phi) - r^4: r = 3/4 at three angles; the curvatures are 9/4 and 27/4.
    def at(x, y):
        return Truth({"v[0]": x, "v[1]": y}, {}, (3 / 4) ** 3 / 4)

    side = 0.75 * np.sqrt(0.75)
    return at(0.75, 0.0), at(-0.375, side), at(-0.375, -side)


def square_of_a_scale() -> None:
    # y ~ N(0, |s|) written with a signed s: two mirror maxima, a pole between them.
    pm.Normal("y", 0, pm.math.abs(pm.Flat("s", initval=0.1)), observed=WAVE)


def square_of_a_scale_truth() -> tuple[Truth, ...]:
    s = np.sqrt(np.mean(WAVE**2))
    return tuple(Truth({"s": sign * s}, {"s": s / 24**0.5}) for sign in (1, -1))


def loading_signs() -> None:
    # One factor of variance 1, three indicators: the loadings are known up to their common sign, and 0 is a saddle.
    loading, noise = pm.Flat("loading", shape=3), pm.HalfFlat("noise", shape=3)
    rows = np.array([[2.0, 0, 0], [1, 1.5, 0], [0.8, 0.5, 1.2]]) * np.sqrt(8 / 6)
    signs = np.array([[i & 1, i >> 1 & 1, i >> 2 & 1] for i in range(8)]) * 2 - 1.0
    y = signs @ rows.T * np.sqrt(6 / 8)
    cov = pt.outer(loading, loading) + pt.diag(noise**2)
    pm.MvNormal("y", np.zeros(3), cov=cov, observed=y)


def loading_signs_truth() -> tuple[Truth, ...]:
    # The second moments are R R'; three indicators reproduce any such matrix: l_1 l_2 = s_12 and so on.
    rows = np.array([[2.0, 0, 0], [1, 1.5, 0], [0.8, 0.5, 1.2]]) * np.sqrt(8 / 6)
    s = rows @ rows.T * 6 / 8
    first = np.sqrt(s[0, 1] * s[0, 2] / s[1, 2])
    loading = np.array([first, s[0, 1] / first, s[0, 2] / first])
    noise = {f"noise[{i}]": v for i, v in enumerate(np.sqrt(np.diag(s) - loading**2))}
    return tuple(Truth({f"loading[{i}]": sign * v for i, v in enumerate(loading)} | noise) for sign in (1, -1))


NEWTON = "Newton's method on the written-out log-likelihood in 60-digit arithmetic."
CASES = (
    Case(
        "mixture_from_equal_components", equal_components, "CONVERGED", NEWTON, equal_components_truth, beside="several"
    ),
    Case("phase_of_a_wave", wave_phase, "CONVERGED", "Least squares on sine and cosine.", wave_phase_truth),
    Case("log_of_a_line_from_0", log_of_a_line, "CONVERGED", NEWTON, log_of_a_line_truth),
    Case("root_of_a_negative_start", root_of_a_difference, "CONVERGED", NEWTON, root_of_a_difference_truth),
    Case("power_law_from_0", power_law, "CONVERGED", NEWTON, power_law_truth),
    Case("decay_over_thousands", decay_over_thousands, "CONVERGED", NEWTON, decay_over_thousands_truth),
    Case("growth_over_hundreds", growth_over_hundreds, "CONVERGED", NEWTON, growth_over_hundreds_truth),
    Case(
        "curved_valley",
        banana,
        "CONVERGED",
        "Rosenbrock (1960): the Hessian at (1, 1) is [[802, -400], [-400, 200]].",
        banana_truth,
    ),
    Case(
        "monkey_saddle",
        monkey_ends,
        "CONVERGED",
        "Closed form in polar coordinates.",
        monkey_ends_truth,
        beside="several",
    ),
    Case("signed_scale", square_of_a_scale, "CONVERGED", "Closed form, with either sign.", square_of_a_scale_truth),
    Case(
        "signs_of_factor_loadings",
        loading_signs,
        "CONVERGED",
        "Three indicators reproduce the second moments exactly.",
        loading_signs_truth,
        beside="several",
        slow=True,
    ),
)
