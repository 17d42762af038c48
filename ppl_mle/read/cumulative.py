"""Distribution functions and forward draws of a response, by PyMC's own rules at known parameters."""

from functools import partial
from typing import Any

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
from pymc.distributions.distribution import DiracDelta
from pymc.pytensorf import find_rng_nodes, replace_rng_nodes, reseed_rngs
from pytensor.tensor.random.op import RandomVariable

from ppl_mle.errors import RequestError
from ppl_mle.read.interpret import interpreted, without_compiler
from ppl_mle.read.law import Law
from ppl_mle.read.widen import widen_constants

_BUILT: dict[Any, Any] = {}


def log_cdf(law: Law, y: np.ndarray) -> np.ndarray:
    """Logarithm of the distribution function.

    Parameters
    ----------
    law : Law
        Plain or a mixture, its parameters as arrays.
    y : array, shape (n,)

    Returns
    -------
    array, shape (n,)

    Raises
    ------
    RequestError
        PyMC has no distribution function for it.
    """
    if law.kind == "mixture":
        weights = np.log(np.asarray(law.parameters[0], float))
        if law.is_batch:
            parts = [log_cdf(law.parts[0].mapped(partial(_component, k)), y) for k in range(weights.shape[-1])]
        else:
            parts = [log_cdf(part, y) for part in law.parts]
        return np.asarray(np.logaddexp.reduce([weights[..., k] + part for k, part in enumerate(parts)], axis=0))
    if isinstance(law.op, DiracDelta.rv_type):
        return np.where(y >= np.asarray(law.parameters[0]), 0.0, -np.inf)
    parameters = [np.broadcast_to(p, y.shape) for p in law.parameters]
    with np.errstate(all="ignore"):
        return np.asarray(_function(law, parameters)(y.astype(float), *parameters), float)


def draw(law: Law, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Draw responses forward, as PyMC does.

    Parameters
    ----------
    law : Law
        Its parameters as arrays that broadcast to `shape` (components' to `shape` with a last axis).
    rng : Generator
    shape : tuple of int

    Raises
    ------
    ValueError
        A parameter is out of the range in which NumPy can draw.
    """
    if law.kind == "censored":
        return draw(law.parts[0], rng, shape)
    if law.kind == "mixture":
        return _draw_mixture(law, rng, shape)
    if isinstance(law.op, DiracDelta.rv_type):
        return np.broadcast_to(law.parameters[0], shape)
    size = shape[: len(shape) - law.op.ndim_supp]
    if isinstance(law.op, RandomVariable):
        return np.asarray(law.op.rng_fn(rng, *law.parameters, size))
    parameters = [np.broadcast_to(p, shape) for p in law.parameters]
    function, generators = _sampler(law, parameters)
    reseed_rngs(generators, int(rng.integers(2**31)))
    return np.asarray(function(*parameters))


def _draw_mixture(law: Law, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    weights = np.asarray(law.parameters[0], float)
    steps = np.cumsum(weights, axis=-1)
    chosen = np.sum(rng.random(shape)[..., None] > steps[..., :-1], axis=-1)
    if law.is_batch:
        parts = draw(law.parts[0], rng, (*shape, weights.shape[-1]))
    else:
        parts = np.stack([draw(part, rng, shape) for part in law.parts], axis=-1)
    return np.take_along_axis(parts, chosen[..., None], axis=-1)[..., 0]


def _component(k: int, parameter: np.ndarray) -> np.ndarray:
    """One component's value of a parameter that has the components along its last axis, or is the same for all."""
    if not np.ndim(parameter):
        return parameter
    return parameter[..., k if parameter.shape[-1] > 1 else 0]


def _variable(law: Law, inputs: list[Any]) -> Any:
    if not isinstance(law.op, RandomVariable):
        return type(law.op).rv_op(*inputs)
    return law.op.make_node(pytensor.shared(np.random.default_rng(0)), None, *inputs).outputs[1]


def _sampler(law: Law, parameters: list[np.ndarray]) -> tuple[Any, Any]:
    """A function that draws, of distributions that are a graph of others, and its generators."""
    key = ("draw", type(law.op), tuple((p.dtype.str, p.ndim) for p in parameters))
    if key not in _BUILT:
        inputs = [pt.tensor(dtype=p.dtype, shape=(None,) * p.ndim) for p in parameters]
        with without_compiler():
            graphs = replace_rng_nodes([_variable(law, inputs)])
        _BUILT[key] = interpreted(inputs, graphs[0]), find_rng_nodes(graphs)
    return _BUILT[key]


def _function(law: Law, parameters: list[np.ndarray]) -> Any:
    key = ("log_cdf", type(law.op), tuple(p.dtype.str for p in parameters))
    if key not in _BUILT:
        y = pt.dvector("y")
        inputs = [pt.vector(dtype=p.dtype) for p in parameters]
        try:
            with without_compiler():
                graph = pm.logcdf(_variable(law, inputs), y)
        except (NotImplementedError, TypeError, ValueError) as exc:
            raise RequestError(
                f"PyMC has no distribution function for {law.name}, which quantile residuals need; use kind='response'"
            ) from exc
        _BUILT[key] = interpreted([y, *inputs], widen_constants([graph])[0])
    return _BUILT[key]
