"""The mean of the response along its one predictor, for drawing."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pymc.distributions.continuous import Normal, StudentT
from pymc.distributions.discrete import Bernoulli, Poisson
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.replace import graph_replace, vectorize_graph
from pytensor.graph.traversal import ancestors
from pytensor.tensor.variable import TensorConstant

from ppl_mle.read.interpret import interpreted, without_compiler
from ppl_mle.read.likelihood import Likelihood
from ppl_mle.read.scale import HALF_LINE, LINE, UNIT_INTERVAL, Scale
from ppl_mle.read.tree import model_data

_POINTS = 200
_BEYOND = 0.02


@dataclass(frozen=True)
class Curve:
    """Mean response over a grid of the only predictor.

    Parameters
    ----------
    x_name, y_name : str
    x_data, y_data : array, shape (n,)
    x_grid, mean : array, shape (m,)
    jacobian : array, shape (m, p)
        Derivatives of the mean with respect to the unconstrained vector.
    scale : Scale
        The scale on which the mean is free: the line, a half line or the unit interval.
    """

    x_name: str
    y_name: str
    x_data: np.ndarray
    y_data: np.ndarray
    x_grid: np.ndarray
    mean: np.ndarray
    jacobian: np.ndarray
    scale: Scale


def response_curve(model: Any, likelihood: Likelihood, theta: np.ndarray) -> Curve | None:
    """Evaluate the mean of the response along the predictor of a one-predictor model.

    Parameters
    ----------
    model : pm.Model
    likelihood : Likelihood
    theta : array, shape (p,)
        Unconstrained values.

    Returns
    -------
    Curve or None
        None unless one univariate response, complete, has a mean that depends on exactly one `pm.Data` vector and on
        no other array of its length.
    """
    found = None if likelihood.missing else _find_predictor(model)
    if found is None:
        return None
    response, mean, predictor = found
    x = np.asarray(predictor.get_value(), float)
    y = model_data(model)["observed_data"][response.name].astype(float)
    margin = _BEYOND * float(np.ptp(x))
    grid = np.linspace(x.min() - margin, x.max() + margin, _POINTS)
    values, jacobian = _evaluate(model, likelihood, mean, predictor, grid, theta)
    if values.shape != grid.shape:
        return None
    return Curve(predictor.name, response.name, x, y, grid, values, jacobian, _scale_of(response))


def _find_predictor(model: Any) -> tuple[Any, Any, Any] | None:
    if len(model.observed_RVs) != 1:
        return None
    response = model.observed_RVs[0]
    mean = _mean_of(response)
    if mean is None or response.type.ndim != 1 or mean.type.ndim != 1:
        return None
    above = set(ancestors([mean]))
    data = [d for d in model.data_vars if isinstance(d, SharedVariable) and d in above and d.type.ndim == 1]
    if len(data) != 1 or any(d in above and d is not data[0] for d in model.data_vars):
        return None
    rows = data[0].get_value(borrow=True).size
    if any(isinstance(v, TensorConstant) and 1 < rows <= np.size(v.data) for v in above):
        return None
    return response, mean, data[0]


def _mean_of(response: Any) -> Any:
    """The mean of a response as a graph, for the families whose parameter it is."""
    if isinstance(response.owner.op, Normal.rv_type | Bernoulli.rv_type | Poisson.rv_type):
        return response.owner.op.dist_params(response.owner)[0]
    if isinstance(response.owner.op, StudentT.rv_type):
        return response.owner.op.dist_params(response.owner)[1]
    return None


def _scale_of(response: Any) -> Scale:
    if isinstance(response.owner.op, Bernoulli.rv_type):
        return UNIT_INTERVAL
    return HALF_LINE if isinstance(response.owner.op, Poisson.rv_type) else LINE


def _evaluate(
    model: Any, likelihood: Likelihood, mean: Any, predictor: Any, grid: np.ndarray, theta: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    values = [model.rvs_to_values[rv] for rv in model.free_RVs]
    with without_compiler():
        graph = model.replace_rvs_by_values([mean])[0]
        vector = pt.vector("theta", shape=(likelihood.size,), dtype="float64")
        known: dict[Any, Any] = {predictor: pt.constant(grid.astype(predictor.type.dtype))}
        for value, var in zip(values, likelihood.variables, strict=True):
            part = vector[var.free].reshape(tuple(value.type.shape)) if value.type.ndim else vector[var.free.start]
            known[value] = value.type.filter_variable(part, allow_convert=True)
        graph = graph_replace(pt.cast(graph, "float64"), known, strict=False)
        cotangent = pt.dvector("cotangent")
        pullback = pt.grad(pt.dot(graph, cotangent), vector, disconnected_inputs="ignore")
        rows = vectorize_graph(pullback, {cotangent: pt.eye(len(grid))})
    mean_values, jacobian = interpreted([vector], [graph, rows])(theta)
    return np.asarray(mean_values), np.asarray(jacobian)


def has_gaussian_errors(model: Any) -> bool:
    """Tell whether the model is one normal response whose standard deviation is one free parameter of its own."""
    if len(model.observed_RVs) != 1 or not isinstance(model.observed_RVs[0].owner.op, Normal.rv_type):
        return False
    node = model.observed_RVs[0].owner
    mean, deviation = node.op.dist_params(node)
    own = [rv for rv in model.free_RVs if rv in ancestors([deviation])]
    return len(own) == 1 and own[0].type.ndim == 0 and own[0] not in ancestors([mean])
