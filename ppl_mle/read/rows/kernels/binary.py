"""Bernoulli and binomial rows with logit, probit and complementary log-log links."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special

from ppl_mle.read.rows.kernels.kernel import Derivatives, Kernel
from ppl_mle.read.rows.kernels.stirling import log_factorial_base
from ppl_mle.read.rows.scalar import UNARY

# log p and log(1 - p) as functions of the predictor, each with its first and second derivative.
_Link = Callable[[Any, int], tuple[tuple[Any, Any, Any], tuple[Any, Any, Any]]]
_NEAR = 1.0


def _mirrored(rule: Any, eta: Any, order: int) -> tuple[Any, Any, Any]:
    u, u1, u2 = rule(-eta, order)
    return u, None if u1 is None else -u1, u2


def _logit(eta: Any, order: int) -> tuple[tuple[Any, Any, Any], tuple[Any, Any, Any]]:
    rule = UNARY["log_sigmoid"]
    return rule(eta, order), _mirrored(rule, eta, order)


def _probit(eta: Any, order: int) -> tuple[tuple[Any, Any, Any], tuple[Any, Any, Any]]:
    rule = UNARY["log_ndtr"]
    return rule(eta, order), _mirrored(rule, eta, order)


def _cloglog(eta: Any, order: int) -> tuple[tuple[Any, Any, Any], tuple[Any, Any, Any]]:
    hazard = np.exp(eta)
    return UNARY["log1m_exp_neg_exp"](eta, order), (-hazard, -hazard, -hazard)


def _bernoulli_logit(y: Any, data: tuple[Any, ...], etas: tuple[Any, ...], order: int) -> Derivatives:
    """One exponential and one logarithm a row: with s = eta for y = 1 and -eta for y = 0, f = log sigmoid(s)."""
    sign = 2.0 * y - 1.0
    s = sign * etas[0]
    e = np.exp(-np.abs(s))
    f = np.minimum(s, 0.0) - np.log1p(e)
    if order == 0:
        return f, (), ()
    inverse = 1.0 / (1.0 + e)
    first = sign * np.where(s < 0, inverse, e * inverse)
    return f, (first,), (-e * inverse * inverse,) if order > 1 else ()


def _symmetric(rule: Any) -> Callable[..., Derivatives]:
    """A Bernoulli row whose log(1 - p) is log p at -eta."""

    def evaluate(y: Any, data: tuple[Any, ...], etas: tuple[Any, ...], order: int) -> Derivatives:
        sign = 2.0 * y - 1.0
        f, slope, curvature = rule(sign * etas[0], order)
        return f, (sign * slope,) if order else (), (curvature,) if order > 1 else ()

    return evaluate


def _bernoulli_cloglog(y: Any, data: tuple[Any, ...], etas: tuple[Any, ...], order: int) -> Derivatives:
    hit, miss = _cloglog(etas[0], order)
    chosen = np.asarray(y) > 0
    parts = [np.where(chosen, h, m) for h, m in zip(hit[: order + 1], miss[: order + 1], strict=True)]
    return parts[0], tuple(parts[1:2]), tuple(parts[2:3])


def _binomial(link: _Link) -> Callable[..., Derivatives]:
    """n times minus the divergence of the observed share from p, in the manner of Loader (2000)."""

    def evaluate(y: Any, data: tuple[Any, ...], etas: tuple[Any, ...], order: int) -> Derivatives:
        hits, misses = np.asarray(y, float), data[0] - np.asarray(y, float)
        (p, p1, p2), (q, q1, q2) = link(etas[0], order)
        share = hits / data[0]
        f = _part(hits, p, np.log(np.maximum(share, _TINY))) + _part(misses, q, np.log(np.maximum(1 - share, _TINY)))
        if link is _logit:
            f = _close(f, hits, misses, share, etas[0])
        first = (_part(hits, p1) + _part(misses, q1),) if order else ()
        return f, first, (_part(hits, p2) + _part(misses, q2),) if order > 1 else ()

    return evaluate


_TINY = float(np.finfo(float).tiny)


def _part(count: Any, value: Any, reference: Any = 0.0) -> Any:
    """count * (value - reference), zero for a count of zero."""
    return np.where(count > 0, count * (value - reference), 0.0)


def _close(f: Any, hits: Any, misses: Any, share: Any, eta: Any) -> Any:
    """Where p is close to the observed share, the divergence from the distance d of the logits, which does not cancel."""
    inside = (hits > 0) & (misses > 0)
    d = np.where(inside, eta - special.logit(np.where(inside, share, 0.5)), np.inf)
    near = np.abs(d) < _NEAR
    d = np.where(near, d, 0.0)
    exact = -hits * np.log1p((1 - share) * np.expm1(-d)) - misses * np.log1p(share * np.expm1(d))
    return np.where(near, exact, f)


def _no_base(y: Any, data: tuple[Any, ...]) -> Any:
    return np.zeros(np.shape(y))


def _binomial_base(y: Any, data: tuple[Any, ...]) -> Any:
    """log of the binomial coefficient and of the probability at the observed share."""
    hits = np.asarray(y, float)
    return log_factorial_base(hits) + log_factorial_base(data[0] - hits) - log_factorial_base(data[0] + 0 * hits)


def _is_binary(y: Any, data: tuple[Any, ...]) -> bool:
    return bool(np.all((y == 0) | (y == 1)))


def _is_binomial(y: Any, data: tuple[Any, ...]) -> bool:
    n = np.asarray(data[0], float)
    return bool(np.all((y >= 0) & (y <= n) & (n > 0) & (n == np.round(n)) & (y == np.round(y))))


BINARY_KERNELS: tuple[Kernel, ...] = (
    Kernel("bernoulli_logit", ("eta",), (), _bernoulli_logit, _no_base, _is_binary),
    Kernel("bernoulli_probit", ("eta",), (), _symmetric(UNARY["log_ndtr"]), _no_base, _is_binary),
    Kernel("bernoulli_cloglog", ("eta",), (), _bernoulli_cloglog, _no_base, _is_binary),
    Kernel("binomial_logit", ("eta",), ("n",), _binomial(_logit), _binomial_base, _is_binomial),
    Kernel("binomial_probit", ("eta",), ("n",), _binomial(_probit), _binomial_base, _is_binomial),
    Kernel("binomial_cloglog", ("eta",), ("n",), _binomial(_cloglog), _binomial_base, _is_binomial),
)
