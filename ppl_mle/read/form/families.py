"""Observed variables whose row density has a closed form: the family, and the link of each of its parameters."""

from collections.abc import Callable
from typing import Any

from pymc.distributions.continuous import Exponential, Gamma, LogNormal, Normal, WeibullBetaRV
from pymc.distributions.discrete import Bernoulli, Binomial, NegativeBinomial, Poisson
from pytensor.xtensor.vectorization import XRV

from ppl_mle.read.rows.expression import Expr

Found = tuple[str, tuple[Expr, ...], tuple[Any, ...]]


def match_family(op: Any, parameters: list[Expr]) -> Found | None:
    """Name of the kernel, its predictors and its data, where the links are those of a kernel."""
    for family, rule in _FAMILIES:
        if isinstance(op, family):
            return rule(*parameters)
    return None


def drawn_from(rv: Any) -> tuple[Any, list[Any]] | None:
    """Distribution of a random variable and its parameters, in the order of its rows; None for other operations.

    A distribution with named dims counts where each parameter has all of the variable's dims, in order, or none.
    """
    node = rv.owner
    if isinstance(node.op, XRV):
        parameters = list(node.inputs[1 + len(node.op.extra_dims) :])
        plain = not any(own for own in node.op.core_dims[0])
        aligned = all(p.type.dims in ((), rv.type.dims) for p in parameters)
        return (node.op.core_op, parameters) if plain and aligned else None
    return (node.op, list(node.op.dist_params(node))) if is_family(node.op) else None


def is_family(op: Any) -> bool:
    """Whether a distribution may have a kernel."""
    return any(isinstance(op, family) for family, _ in _FAMILIES)


def _probability(p: Expr) -> tuple[str, Expr] | None:
    """The link of a probability and the expression it is applied to."""
    if p.op == "sigmoid":
        return "logit", p.args[0]
    if p.op == "ndtr":
        return "probit", p.args[0]
    if p.op == "neg" and p.args[0].op == "expm1":
        inner = p.args[0].args[0]
        if inner.op == "neg" and inner.args[0].op == "exp":
            return "cloglog", inner.args[0].args[0]
    return None


def _bernoulli(p: Expr) -> Found | None:
    link = _probability(p)
    return None if link is None else (f"bernoulli_{link[0]}", (link[1],), ())


def _binomial(n: Expr, p: Expr) -> Found | None:
    link = _probability(p)
    if link is None or n.depends:
        return None
    return f"binomial_{link[0]}", (link[1],), (n.value,)


def _logarithm(mean: Expr) -> Expr | None:
    return mean.args[0] if mean.op == "exp" else None


def _poisson(mean: Expr) -> Found | None:
    eta = _logarithm(mean)
    return None if eta is None else ("poisson_log", (eta,), ())


def _normal(mean: Expr, deviation: Expr, known: str = "normal_known", free: str = "normal") -> Found | None:
    if not mean.depends:
        return None
    if not deviation.depends:
        return (known, (mean,), (deviation.value,)) if known else None
    eta = _logarithm(deviation)
    return None if eta is None else (free, (mean, eta), ())


def _lognormal(mean: Expr, deviation: Expr) -> Found | None:
    return _normal(mean, deviation, known="", free="lognormal")


def _negative_binomial(n: Expr, p: Expr) -> Found | None:
    size = _logarithm(n)
    if size is None or p.op != "sigmoid" or p.args[0].op != "sub" or p.args[0].args[0] is not size:
        return None
    return "negative_binomial", (p.args[0].args[1], size), ()


def _exponential(scale: Expr) -> Found | None:
    eta = _logarithm(scale)
    return None if eta is None else ("exponential", (eta,), ())


def _weibull(shape: Expr, scale: Expr) -> Found | None:
    logs = _logarithm(scale), _logarithm(shape)
    return None if logs[0] is None or logs[1] is None else ("weibull", (logs[0], logs[1]), ())


def _gamma(shape: Expr, scale: Expr) -> Found | None:
    """Shape exp(a) and scale exp(m - a) for the mean exp(m)."""
    log_shape = _logarithm(shape)
    if log_shape is None or scale.op != "exp" or scale.args[0].op != "sub":
        return None
    log_mean, other = scale.args[0].args
    return ("gamma", (log_mean, log_shape), ()) if other is log_shape else None


_FAMILIES: tuple[tuple[Any, Callable[..., Found | None]], ...] = (
    (Bernoulli.rv_type, _bernoulli),
    (Binomial.rv_type, _binomial),
    (Poisson.rv_type, _poisson),
    (Normal.rv_type, _normal),
    (LogNormal.rv_type, _lognormal),
    (NegativeBinomial.rv_type, _negative_binomial),
    (Exponential.rv_type, _exponential),
    (WeibullBetaRV, _weibull),
    (Gamma.rv_type, _gamma),
)
