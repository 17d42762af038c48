"""Bernoulli and binomial rows with logit, probit and complementary log-log links."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ppl_mle.read.rows.kernels.kernel import Derivatives, Kernel
from ppl_mle.read.rows.kernels.stirling import log_factorial_base, mended
from ppl_mle.read.rows.scalar import UNARY

# log p and log(1 - p) as functions of the predictor, each with its first and second derivative.
_Link = Callable[[Any, int], tuple[tuple[Any, Any, Any], tuple[Any, Any, Any]]]
_NEAR = 1.0
_LARGE = 1000.0
_TINY = float(np.finfo(float).tiny)
_MOST = 1e308


def _logit(eta: Any, order: int) -> tuple[tuple[Any, Any, Any], tuple[Any, Any, Any]]:
    below, above = np.minimum(eta, 0.0), np.minimum(-eta, 0.0)
    u, v = np.exp(below), np.exp(above)
    e = u * v
    log = np.log1p(e)
    if order == 0:
        return (below - log, None, None), (above - log, None, None)
    inverse = 1.0 / (1.0 + e)
    bend = -e * inverse * inverse if order > 1 else None
    return (below - log, v * inverse, bend), (above - log, -u * inverse, bend)


def _probit(eta: Any, order: int) -> tuple[tuple[Any, Any, Any], tuple[Any, Any, Any]]:
    rule = UNARY["log_ndtr"]
    q, slope, bend = rule(-eta, order)
    return rule(eta, order), (q, -slope if order else None, bend)


def _cloglog(eta: Any, order: int) -> tuple[tuple[Any, Any, Any], tuple[Any, Any, Any]]:
    """The hazard stays finite, so that no failures at all have the chance one."""
    fall = -np.minimum(np.exp(eta), _MOST)
    return UNARY["log1m_exp_neg_exp"](eta, order), (fall, fall, fall)


def _mix(hits: Any, misses: Any, link: _Link, eta: Any, order: int) -> Derivatives:
    p, q = link(eta, order)
    parts = [hits * u + misses * v for u, v in zip(p[: order + 1], q[: order + 1], strict=True)]
    return parts[0], tuple(parts[1:2]), tuple(parts[2:3])


def _bernoulli_logit(y: Any, data: tuple[Any, ...], etas: tuple[Any, ...], order: int) -> Derivatives:
    """With s = eta for y = 1 and -eta for y = 0, f = log sigmoid(s)."""
    sign = 2.0 * np.asarray(y, float) - 1.0
    s = sign * etas[0]
    e = np.exp(-np.abs(s))
    f = np.minimum(s, 0.0) - np.log1p(e)
    if order == 0:
        return f, (), ()
    inverse = 1.0 / (1.0 + e)
    first = sign * inverse * np.exp(np.minimum(-s, 0.0))
    return f, (first,), (-e * inverse * inverse,) if order > 1 else ()


def _bernoulli_probit(y: Any, data: tuple[Any, ...], etas: tuple[Any, ...], order: int) -> Derivatives:
    """log(1 - p) is log p at -eta."""
    sign = 2.0 * np.asarray(y, float) - 1.0
    f, slope, bend = UNARY["log_ndtr"](sign * etas[0], order)
    return f, (sign * slope,) if order else (), (bend,) if order > 1 else ()


def _bernoulli_cloglog(y: Any, data: tuple[Any, ...], etas: tuple[Any, ...], order: int) -> Derivatives:
    hits = np.asarray(y, float)
    return _mix(hits, 1.0 - hits, _cloglog, etas[0], order)


def _binomial(link: _Link) -> Callable[..., Derivatives]:
    """n times minus the divergence of the observed share from p, in the manner of Loader (2000)."""

    def evaluate(y: Any, data: tuple[Any, ...], etas: tuple[Any, ...], order: int) -> Derivatives:
        n, hits = data[0], np.asarray(y, float)
        misses = n - hits
        fewer = np.minimum(hits, misses)
        share = fewer / n
        top = fewer * np.log(np.maximum(share, _TINY)) + (n - fewer) * np.log1p(-share)
        f, first, second = _mix(hits, misses, link, etas[0], order)
        f = f - top
        if link is _logit and np.max(n, initial=0) > _LARGE:
            f = _close(f, hits, misses, etas[0])
        return f, first, second

    return evaluate


def _close(f: Any, hits: Any, misses: Any, eta: Any) -> Any:
    """Where p is close to the observed share, the divergence from the distance of the logits, which does not cancel."""
    d = eta - (np.log(np.maximum(hits, _TINY)) - np.log(np.maximum(misses, _TINY)))

    def exact(yes: Any, no: Any, gap: Any) -> Any:
        n = yes + no
        return -yes * np.log1p(no / n * np.expm1(-gap)) - no * np.log1p(yes / n * np.expm1(gap))

    return mended(f, (np.abs(d) < _NEAR) & (hits + misses > _LARGE), exact, hits, misses, d)


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
    return bool(np.all((y >= 0) & (y <= n) & (n > 0) & np.isfinite(n) & (n == np.round(n)) & (y == np.round(y))))


BINARY_KERNELS: tuple[Kernel, ...] = (
    Kernel("bernoulli_logit", ("eta",), (), _bernoulli_logit, _no_base, _is_binary),
    Kernel("bernoulli_probit", ("eta",), (), _bernoulli_probit, _no_base, _is_binary),
    Kernel("bernoulli_cloglog", ("eta",), (), _bernoulli_cloglog, _no_base, _is_binary),
    Kernel("binomial_logit", ("eta",), ("n",), _binomial(_logit), _binomial_base, _is_binomial),
    Kernel("binomial_probit", ("eta",), ("n",), _binomial(_probit), _binomial_base, _is_binomial),
    Kernel("binomial_cloglog", ("eta",), ("n",), _binomial(_cloglog), _binomial_base, _is_binomial),
)
