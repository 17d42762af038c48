"""A posterior in coordinates where its normal approximation is standard, as a PyMC model that any sampler takes."""

from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.replace import graph_replace
from pytensor.graph.rewriting.basic import in2out, node_rewriter
from pytensor.tensor.blockwise import Blockwise
from pytensor.tensor.math import Dot

from ppl_mle.read.interpret import without_compiler
from ppl_mle.read.likelihood import Likelihood

COORDINATES = "z"
_SMALL = 100_000


def standardize(model: Any, posterior: Likelihood, center: np.ndarray, root: np.ndarray) -> Any:
    """A model of one free vector z, whose density is the posterior's at center + root z.

    Sampling z with a unit mass matrix is sampling the unconstrained vector with the inverse of root root' (Neal 2011,
    section 4.1).

    Parameters
    ----------
    model : pm.Model
        Never changed.
    posterior : Likelihood
        Of `read_posterior`, without missing values.
    center : array, shape (p,)
    root : array, shape (p, p)

    Returns
    -------
    pm.Model
        With the free variable `z`, shape (p,).
    """
    joined = posterior.mapping.joined
    with without_compiler(), pm.Model() as standard:
        z = pm.Flat(COORDINATES, shape=len(center), initval=np.zeros(len(center)))
        (density,) = joined.replace([model.logp()])
        moved = graph_replace(density, {joined.theta: pt.constant(center) + pt.dot(pt.constant(root), z)})
        pm.Potential("log_density", _without_blas(moved))
    return standard


def _without_blas(graph: Any) -> Any:
    """The same with small matrix times vector as a sum of products, which Numba compiles in 1 s and not in 40."""
    functions = FunctionGraph(outputs=[graph], clone=False)
    in2out(_as_sum, name="matrix_times_vector_as_sum").rewrite(functions)
    return functions.outputs[0]


@node_rewriter([Dot, Blockwise])
def _as_sum(fgraph: Any, node: Any) -> Any:
    op = node.op.core_op if isinstance(node.op, Blockwise) else node.op
    left, right = node.inputs[0], node.inputs[-1]
    if not (isinstance(op, Dot) and left.type.ndim == right.type.ndim == 2):
        return None
    (rows, inner), columns = left.type.shape, right.type.shape[1]
    if None in (rows, inner, columns) or rows * inner * columns > _SMALL or 1 not in (rows, columns):
        return None
    if columns == 1:
        return [(left * right.T).sum(axis=1, keepdims=True)]
    return [(left.T * right).sum(axis=0, keepdims=True)]
