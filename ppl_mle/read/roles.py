"""What each free variable of a model is: a parameter, or latent (its density is part of the model)."""

from collections.abc import Iterable, Sequence
from typing import Any

from pymc.distributions.continuous import Flat, HalfFlat, Uniform
from pymc.vartypes import discrete_types
from pytensor.graph.traversal import ancestors
from pytensor.scalar.basic import Cast, Identity, Mul
from pytensor.tensor.blockwise import Blockwise
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.math import Dot
from pytensor.tensor.reshape import JoinDims, SplitDims
from pytensor.tensor.shape import Reshape, SpecifyShape
from pytensor.tensor.subtensor import AdvancedSubtensor, Subtensor

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
    if rv.type.ndim == 0 or has_constant_density(rv):
        return False
    others = [other for other in model.free_RVs if other is not rv]
    graphs = [rv_.owner.inputs for rv_ in model.observed_RVs] + [[term] for term in model.potentials]
    nodes = {var.owner for inputs in graphs for var in ancestors(list(inputs)) if var.owner is not None}
    return any(_multiplies(node, rv, others) for node in nodes)


def _multiplies(node: Any, rv: Any, others: Sequence[Any]) -> bool:
    is_product = isinstance(node.op, Elemwise) and isinstance(node.op.scalar_op, Mul)
    is_dot = isinstance(node.op.core_op if isinstance(node.op, Blockwise) else node.op, Dot)
    if not (is_product or is_dot):
        return False
    scaled = [arg for arg in node.inputs if _seen_through(arg, unary=False) is rv]
    if not scaled:
        return False
    rest = [arg for arg in node.inputs if arg is not scaled[0]]
    if is_dot:
        return any(_depends_on([arg], others) and not _depends_on([arg], [rv]) for arg in rest)
    return any(_seen_through(arg, unary=True) in others for arg in rest)


def _seen_through(var: Any, *, unary: bool) -> Any:
    while var.owner is not None:
        op = var.owner.op
        is_unary = isinstance(op, Elemwise) and len(var.owner.inputs) == 1
        is_cast = is_unary and isinstance(op.scalar_op, Cast | Identity)
        if not (isinstance(op, _VIEWS) or is_cast or (unary and is_unary)):
            return var
        var = var.owner.inputs[0]
    return var


def _names(names: Iterable[Any]) -> str:
    return ", ".join(f"'{name}'" for name in names)
