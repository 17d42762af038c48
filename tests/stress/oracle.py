"""Maxima in 60-digit arithmetic: Newton's method on a log-density that is written out in mpmath, away from PyMC."""

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
from mpmath import mp

from tests.stress.case import Truth

_DIGITS, _STEP = 60, "1e-15"
_GAIN = "1e-24"


def maximum(log_density: Callable[..., Any], **start: float) -> Truth:
    """Return the maximum next to a start, with standard errors from the curvature there.

    Parameters
    ----------
    log_density : callable
        Of numbers of mpmath, in the order of the start.
    **start : float
        A point so near that Newton's method, its steps halved where needed, leads to the maximum.
    """
    names = list(start)

    def density(x: mpmath.matrix) -> mpmath.mpf:
        value = log_density(*x)
        return -mpmath.inf if isinstance(value, mpmath.mpc) else mpmath.mpf(value)

    with mpmath.workdps(_DIGITS):
        x = mpmath.matrix([mpmath.mpf(float(value)) for value in start.values()])
        for _ in range(60):
            gradient, hessian = _derivatives(density, x)
            step = mpmath.lu_solve(hessian, -gradient)
            gain = (gradient.T * step)[0] / 2
            x = _climb(density, x, step if gain > 0 else _downscaled(gradient, hessian))
            if 0 <= gain < mpmath.mpf(_GAIN):
                return _truth(names, x, density(x), _derivatives(density, x)[1])
    raise ArithmeticError(f"no maximum near {start}: at {x.T} the gain is {mpmath.nstr(gain)}")


def total(terms: Any) -> Any:
    """Sum numbers of mpmath."""
    return mpmath.fsum(terms)


def normal(y: Any, mu: Any, sigma: Any) -> Any:
    """Log-density of the normal distribution at one row."""
    return -((y - mu) ** 2) / (2 * sigma**2) - mpmath.log(sigma) - mpmath.log(2 * mpmath.pi) / 2


def poisson(y: int, rate: Any) -> Any:
    """Log-probability of the Poisson distribution at one row."""
    return y * mpmath.log(rate) - rate - mpmath.loggamma(y + 1)


def logit(y: float, eta: Any, n: int = 1) -> Any:
    """Log-probability of the binomial distribution with log-odds `eta` at one row."""
    return y * eta - n * mpmath.log1p(mpmath.exp(eta)) + mpmath.log(mpmath.binomial(n, y))


def log_beta(a: Any, b: Any) -> Any:
    """Log of the beta function."""
    return mpmath.loggamma(a) + mpmath.loggamma(b) - mpmath.loggamma(a + b)


def _derivatives(density: Callable[[mpmath.matrix], mpmath.mpf], x: mpmath.matrix) -> tuple[Any, Any]:
    """Gradient and Hessian by central differences: with 60 digits and steps of 1e-15 good to some 24."""
    size = len(x)
    steps = [mpmath.mpf(_STEP) * max(abs(v), mpmath.mpf("1e-3")) for v in x]
    center = density(x)

    def at(*moves: tuple[int, int]) -> mpmath.mpf:
        moved = x.copy()
        for i, sign in moves:
            moved[i] += sign * steps[i]
        return density(moved)

    gradient, hessian = mpmath.zeros(size, 1), mpmath.zeros(size, size)
    for i in range(size):
        up, down = at((i, 1)), at((i, -1))
        gradient[i] = (up - down) / (2 * steps[i])
        hessian[i, i] = (up + down - 2 * center) / steps[i] ** 2
        for j in range(i):
            mixed = at((i, 1), (j, 1)) - at((i, 1), (j, -1)) - at((i, -1), (j, 1)) + at((i, -1), (j, -1))
            hessian[i, j] = hessian[j, i] = mixed / (4 * steps[i] * steps[j])
    return gradient, hessian


def _climb(density: Callable[[mpmath.matrix], mpmath.mpf], x: mpmath.matrix, step: mpmath.matrix) -> mpmath.matrix:
    """Take the step, halved until the density does not fall."""
    before = density(x)
    for _ in range(40):
        after = density(x + step) if mp.isfinite(mpmath.norm(step)) else -mpmath.inf
        if after >= before - mpmath.mpf("1e-30") * abs(before):
            return x + step
        step = step / 2
    return x


def _downscaled(gradient: mpmath.matrix, hessian: mpmath.matrix) -> mpmath.matrix:
    """Gradient in units of the curvature of each coordinate, where the curvature is of the wrong sign."""
    return mpmath.matrix([g / max(abs(hessian[i, i]), mpmath.mpf("1e-6")) for i, g in enumerate(gradient)])


def _truth(names: list[str], x: mpmath.matrix, llf: mpmath.mpf, hessian: mpmath.matrix) -> Truth:
    covariance = mpmath.inverse(-hessian)
    errors = {name: float(mpmath.sqrt(covariance[i, i])) for i, name in enumerate(names)}
    if not all(np.isfinite(list(errors.values()))):
        raise ArithmeticError(f"the point {x.T} is no strict maximum")
    return Truth({name: float(v) for name, v in zip(names, x, strict=True)}, errors, float(llf))
