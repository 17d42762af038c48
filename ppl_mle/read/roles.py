"""What each free variable of a model is: a parameter, or latent (its density is part of the model)."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from pymc.data import MinibatchOp
from pymc.distributions.continuous import Flat, HalfFlat, Uniform
from pymc.variational.minibatch_rv import MinibatchRandomVariable
from pymc.vartypes import discrete_types
from pytensor.graph.traversal import ancestors
from pytensor.scalar.basic import Cast, Identity, Mul, TrueDiv
from pytensor.tensor.blockwise import Blockwise
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.math import Dot
from pytensor.tensor.reshape import JoinDims, SplitDims
from pytensor.tensor.shape import Reshape, SpecifyShape
from pytensor.tensor.sharedvar import TensorSharedVariable
from pytensor.tensor.subtensor import AdvancedSubtensor, Subtensor
from pytensor.tensor.variable import TensorConstant

from ppl_mle.errors import ModelError, RequestError

_VIEWS = (
    DimShuffle,
    Reshape,
    SpecifyShape,
    JoinDims,
    SplitDims,
    Subtensor,
    AdvancedSubtensor,
)


def refuse_discrete(free: Sequence[Any]) -> None:
    """Raise ModelError when a free variable is discrete, naming it and what to do instead."""
    discrete = [rv.name for rv in free if rv.dtype in discrete_types]
    if discrete:
        raise ModelError(
            f"the free variable {_names(discrete)} is discrete, and a likelihood has no gradient in it: sum it out "
            "(pm.Mixture, pm.Categorical weights), observe it, or give it a continuous distribution"
        )


def refuse_minibatches(model: Any) -> None:
    """Raise ModelError when a response is a part of the data that stands for the whole (Minibatch, total_size)."""
    for rv in model.observed_RVs:
        values = ancestors([model.rvs_to_values[rv]])
        batched = any(var.owner is not None and isinstance(var.owner.op, MinibatchOp) for var in values)
        if batched or isinstance(rv.owner.op, MinibatchRandomVariable):
            raise ModelError(
                f"'{rv.name}' is a minibatch or has total_size, so its likelihood is that of other data than the model "
                "holds; observe all rows, without total_size"
            )


def find_latents(model: Any, requested: Sequence[str] | None) -> tuple[set[Any], list[str]]:
    """Find the latent free variables and say which of them were inferred from a product.

    Parameters
    ----------
    model : pm.Model
    requested : sequence of str or None
        Names that overrule the inference about variables whose prior depends on no other variable.

    Returns
    -------
    latents : set of free variables
    findings : list of str
        One sentence for each variable that was inferred to be latent.

    Raises
    ------
    RequestError
        A requested name is not a free variable.
    """
    free = list(model.free_RVs)
    latents = {rv for rv in free if _depends_on(rv.owner.inputs, free)}
    if requested is not None:
        by_name = {rv.name: rv for rv in free}
        unknown = [name for name in requested if name not in by_name]
        if unknown:
            raise RequestError(
                f"latent={_names(unknown)} is no free variable of the model; its free variables are {_names(by_name)}"
            )
        return latents | {by_name[name] for name in requested}, []
    scaled = [rv for rv in free if rv not in latents and _is_scaled_noise(rv, model)]
    findings = [
        f"{rv.name} has a fixed prior and is multiplied by another free variable: it is treated as latent and its "
        f"density is kept (latent=[...] overrides this)"
        for rv in scaled
    ]
    return latents | set(scaled), findings


def has_constant_density(rv: Any) -> bool:
    """Tell whether a free variable's prior is flat on its support (Flat, HalfFlat, Uniform)."""
    return isinstance(rv.owner.op, Flat.rv_type | HalfFlat.rv_type | Uniform.rv_type)


def _depends_on(graphs: Iterable[Any], variables: Sequence[Any]) -> bool:
    wanted = set(variables)
    return any(node in wanted for node in ancestors(list(graphs)))


def _is_scaled_noise(rv: Any, model: Any) -> bool:
    """Tell whether a vector with a fixed proper prior is multiplied by an expression of other free variables."""
    if rv.type.ndim == 0 or has_constant_density(rv):
        return False
    others = [other for other in model.free_RVs if other is not rv]
    rows = max((_length(model.rvs_to_values[seen]) for seen in model.observed_RVs), default=0)
    graphs = [rv_.owner.inputs for rv_ in model.observed_RVs] + [[term] for term in model.potentials]
    nodes = {var.owner for inputs in graphs for var in ancestors(list(inputs)) if var.owner is not None}
    return any(_multiplies(node, rv, others, rows) for node in nodes)


def _multiplies(node: Any, rv: Any, others: Sequence[Any], rows: int) -> bool:
    factors = _factors(node)
    if not any(_carries(factor, rv) for factor in factors):
        return False
    rest = [factor for factor in factors if not _depends_on([factor], [rv])]
    of_matrices = not isinstance(node.op, Elemwise)
    return any(_depends_on([f], others) and (of_matrices or not _holds_data(f, rows)) for f in rest)


def _factors(node: Any) -> list[Any]:
    """Factors of a product, a quotient or a matrix product; none for other operations."""
    if isinstance(node.op, Elemwise) and isinstance(node.op.scalar_op, Mul | TrueDiv):
        return list(node.inputs)
    core = node.op.core_op if isinstance(node.op, Blockwise) else node.op
    return list(node.inputs) if isinstance(core, Dot) else []


def _carries(var: Any, rv: Any) -> bool:
    """Tell whether a factor is `rv` itself: indexed, reshaped, or multiplied by what does not depend on it."""
    while var is not rv:
        if var.owner is None:
            return False
        op, inputs = var.owner.op, var.owner.inputs
        factors = _factors(var.owner)
        if factors:
            own = [factor for factor in factors if _depends_on([factor], [rv])]
            if len(own) != 1 or (
                isinstance(op, Elemwise) and isinstance(op.scalar_op, TrueDiv) and own[0] is factors[1]
            ):
                return False
            var = own[0]
        elif isinstance(op, _VIEWS) or (isinstance(op, Elemwise) and isinstance(op.scalar_op, Cast | Identity)):
            var = inputs[0]
        else:
            return False
    return True


def _holds_data(factor: Any, rows: int) -> bool:
    """Tell whether an expression uses an array as long as the response, as a predictor of the mean would."""
    leaves = [var for var in ancestors([factor]) if isinstance(var, TensorConstant | TensorSharedVariable)]
    used = [leaf for leaf in leaves if leaf.type.dtype.startswith("float")]
    return any(rows > 1 and _length(leaf) >= rows for leaf in used)


def _length(var: Any) -> int:
    value = var.get_value(borrow=True) if isinstance(var, TensorSharedVariable) else getattr(var, "data", None)
    return int(np.size(value)) if value is not None else 0


def _names(names: Iterable[Any]) -> str:
    return ", ".join(f"'{name}'" for name in names)
