"""Variances and deviances of the families, as functions of PyMC's parameters."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from pymc.distributions import continuous, discrete
from pymc.distributions.distribution import DiracDelta
from scipy.special import gamma, xlogy

from ppl_mle.read.law import Law

Support = Literal["line", "half line", "interval", "counts of"]


@dataclass(frozen=True)
class Moments:
    """What is known of a family beside its density.

    Parameters
    ----------
    kind : type
        PyMC's operation.
    support : {"line", "half line", "interval", "counts of"}
        Where the mean is free: `interval` is (0, 1), `counts of` is 0 to the first parameter.
    variance : callable
        Of the parameters, in PyMC's order.
    deviance : callable or None
        Of the response and the parameters: twice the log-density's fall from its maximum over the location, times the
        dispersion where the family has one (McCullagh and Nelder 1989, 2.3).
    center : callable or None
        Where the deviance is zero; the mean where None.
    dispersion : int or None
        Position of the parameter that holds the dispersion, in families where linear-model programs estimate it apart.
    is_glm : bool
        Whether it is an exponential family with a variance function.
    """

    kind: type
    support: Support
    variance: Callable[..., Any]
    deviance: Callable[..., Any] | None = None
    center: Callable[..., Any] | None = None
    dispersion: int | None = None
    is_glm: bool = False


def moments_of(law: Law) -> Moments | None:
    """The entry of a plain distribution; None where there is none."""
    if law.kind != "plain":
        return None
    return next((known for known in FAMILIES if isinstance(law.op, known.kind)), None)


def variance_of(law: Law) -> Any:
    """Variance of a distribution whose parameters are arrays; None where it is not known."""
    if law.kind == "mixture":
        return _variance_of_mixture(law)
    known = moments_of(law)
    with np.errstate(all="ignore"):
        return None if known is None else known.variance(*law.parameters)


def support_of_mean(law: Law) -> Support:
    """Where the mean is free."""
    if law.is_categorical:
        return "interval"
    if law.kind == "plain":
        known = moments_of(law)
        return "line" if known is None else known.support
    parts = [part for part in law.parts if not isinstance(part.op, DiracDelta.rv_type)]
    found = {support_of_mean(part) for part in parts}
    return found.pop() if len(found) == 1 and "counts of" not in found else "line"


def _variance_of_mixture(law: Law) -> Any:
    """The law of total variance."""
    weights = np.asarray(law.parameters[0])
    if law.is_batch:
        variances, means = variance_of(law.parts[0]), mean_of(law.parts[0])
        if variances is None or means is None:
            return None
    else:
        pairs = [(variance_of(part), mean_of(part)) for part in law.parts]
        if any(v is None or m is None for v, m in pairs):
            return None
        variances = np.stack(np.broadcast_arrays(*[v for v, _ in pairs]), axis=-1)
        means = np.stack(np.broadcast_arrays(*[m for _, m in pairs]), axis=-1)
    mean = np.sum(weights * means, axis=-1, keepdims=True)
    return np.sum(weights * (variances + (means - mean) ** 2), axis=-1)


def mean_of(law: Law) -> Any:
    """Mean of a component of a mixture, its parameters as arrays; None where it is not known."""
    rule = next((rule for kind, rule in _MEANS if isinstance(law.op, kind)), None)
    return None if rule is None else rule(*law.parameters)


def _poisson_deviance(y: Any, mu: Any) -> Any:
    return 2 * (xlogy(y, y / mu) - (y - mu))


def _binomial_deviance(y: Any, n: Any, p: Any) -> Any:
    return 2 * (xlogy(y, y / (n * p)) + xlogy(n - y, (n - y) / (n * (1 - p))))


def _negative_binomial_deviance(y: Any, n: Any, p: Any) -> Any:
    mu = n * (1 - p) / p
    return 2 * (xlogy(y, y / mu) - (y + n) * np.log((y + n) / (mu + n)))


def _gamma_deviance(y: Any, mean: Any) -> Any:
    return 2 * ((y - mean) / mean - np.log(y / mean))


def _weibull_deviance(y: Any, alpha: Any, beta: Any) -> Any:
    return 2 * ((y / beta) ** alpha - 1 - alpha * np.log(y / beta))


def _weibull_variance(alpha: Any, beta: Any) -> Any:
    return beta**2 * (gamma(1 + 2 / alpha) - gamma(1 + 1 / alpha) ** 2)


def _student_variance(nu: Any, mu: Any, sigma: Any) -> Any:
    heavy = np.where(nu > 1, np.inf, np.nan)
    return np.where(nu > 2, sigma**2 * nu / np.where(nu > 2, nu - 2, 1.0), heavy) + 0 * mu


def _beta_binomial_variance(n: Any, a: Any, b: Any) -> Any:
    return n * a * b * (a + b + n) / ((a + b) ** 2 * (a + b + 1))


def _skew_normal_variance(mu: Any, sigma: Any, alpha: Any) -> Any:
    return sigma**2 * (1 - 2 / np.pi * alpha**2 / (1 + alpha**2)) + 0 * mu


FAMILIES: tuple[Moments, ...] = (
    Moments(
        continuous.Normal.rv_type,
        "line",
        lambda mu, sigma: sigma**2 + 0 * mu,
        lambda y, mu, sigma: (y - mu) ** 2,
        dispersion=1,
        is_glm=True,
    ),
    Moments(
        discrete.Bernoulli.rv_type,
        "interval",
        lambda p: p * (1 - p),
        lambda y, p: _binomial_deviance(y, 1, p),
        is_glm=True,
    ),
    Moments(discrete.Binomial.rv_type, "counts of", lambda n, p: n * p * (1 - p), _binomial_deviance, is_glm=True),
    Moments(discrete.Poisson.rv_type, "half line", lambda mu: mu, _poisson_deviance, is_glm=True),
    Moments(
        discrete.NegativeBinomial.rv_type,
        "half line",
        lambda n, p: n * (1 - p) / p**2,
        _negative_binomial_deviance,
        is_glm=True,
    ),
    Moments(
        continuous.Gamma.rv_type,
        "half line",
        lambda alpha, scale: alpha * scale**2,
        lambda y, alpha, scale: _gamma_deviance(y, alpha * scale),
        dispersion=0,
        is_glm=True,
    ),
    Moments(continuous.Exponential.rv_type, "half line", lambda scale: scale**2, _gamma_deviance, is_glm=True),
    Moments(
        continuous.Wald.rv_type,
        "half line",
        lambda mu, lam, shift: mu**3 / lam,
        lambda y, mu, lam, shift: (y - shift - mu) ** 2 / (mu**2 * (y - shift)),
        dispersion=1,
        is_glm=True,
    ),
    Moments(continuous.Beta.rv_type, "interval", lambda a, b: a * b / ((a + b) ** 2 * (a + b + 1))),
    Moments(
        continuous.StudentT.rv_type,
        "line",
        _student_variance,
        lambda y, nu, mu, sigma: sigma**2 * (nu + 1) * np.log1p(((y - mu) / sigma) ** 2 / nu),
        center=lambda nu, mu, sigma: mu,
    ),
    Moments(
        continuous.LogNormal.rv_type,
        "half line",
        lambda mu, sigma: np.expm1(sigma**2) * np.exp(2 * mu + sigma**2),
        lambda y, mu, sigma: (np.log(y) - mu) ** 2,
        center=lambda mu, sigma: np.exp(mu),
    ),
    Moments(
        continuous.WeibullBetaRV,
        "half line",
        _weibull_variance,
        _weibull_deviance,
        center=lambda alpha, beta: beta,
    ),
    Moments(continuous.Laplace.rv_type, "line", lambda mu, b: 2 * b**2 + 0 * mu),
    Moments(continuous.Logistic.rv_type, "line", lambda mu, s: (np.pi * s) ** 2 / 3 + 0 * mu),
    Moments(continuous.Uniform.rv_type, "line", lambda low, high: (high - low) ** 2 / 12),
    Moments(continuous.Gumbel.rv_type, "line", lambda mu, beta: (np.pi * beta) ** 2 / 6 + 0 * mu),
    Moments(continuous.SkewNormal.rv_type, "line", _skew_normal_variance),
    Moments(continuous.HalfNormal.rv_type, "half line", lambda loc, sigma: sigma**2 * (1 - 2 / np.pi)),
    Moments(
        continuous.InverseGamma.rv_type,
        "half line",
        lambda a, b: np.where(a > 2, b**2 / ((a - 1) ** 2 * np.where(a > 2, a - 2, 1.0)), np.inf),
    ),
    Moments(discrete.Geometric.rv_type, "half line", lambda p: (1 - p) / p**2),
    Moments(discrete.BetaBinomial.rv_type, "counts of", _beta_binomial_variance),
    Moments(DiracDelta.rv_type, "line", lambda c: 0.0 * np.asarray(c)),
)

_MEANS: tuple[tuple[type, Callable[..., Any]], ...] = (
    (continuous.Normal.rv_type, lambda mu, sigma: mu + 0 * sigma),
    (discrete.Bernoulli.rv_type, lambda p: p),
    (discrete.Binomial.rv_type, lambda n, p: n * p),
    (discrete.Poisson.rv_type, lambda mu: mu),
    (discrete.NegativeBinomial.rv_type, lambda n, p: n * (1 - p) / p),
    (continuous.Gamma.rv_type, lambda alpha, scale: alpha * scale),
    (continuous.Exponential.rv_type, lambda scale: scale),
    (continuous.Beta.rv_type, lambda a, b: a / (a + b)),
    (continuous.StudentT.rv_type, lambda nu, mu, sigma: mu + 0 * sigma),
    (continuous.LogNormal.rv_type, lambda mu, sigma: np.exp(mu + sigma**2 / 2)),
    (continuous.WeibullBetaRV, lambda alpha, beta: beta * gamma(1 + 1 / alpha)),
    (continuous.Laplace.rv_type, lambda mu, b: mu + 0 * b),
    (discrete.Geometric.rv_type, lambda p: 1 / p),
    (DiracDelta.rv_type, lambda c: np.asarray(c, float)),
)
