"""Records of the free variables: shapes, dims, labels, scales, and where their elements lie."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.traversal import ancestors

from ppl_mle.errors import ModelError
from ppl_mle.read.interpret import interpreted, without_compiler
from ppl_mle.read.labels import coordinates_of, dims_of, element_labels
from ppl_mle.read.likelihood import Variable
from ppl_mle.read.scale import Scale, is_elementwise, scales_of


def describe_variables(
    model: Any, free: Sequence[Any], latents: set[Any], free_shapes: Sequence[tuple[int, ...]]
) -> tuple[Variable, ...]:
    """One record per free variable, in the order of the unconstrained vector.

    Raises
    ------
    ModelError
        Two elements of a variable have the same label.
    """
    shapes = _declared_shapes(model, free)
    variables: list[Variable] = []
    for rv, free_shape, shape in zip(free, free_shapes, shapes, strict=True):
        transform, size = model.rvs_to_transforms[rv], int(np.prod(shape))
        first = variables[-1].declared.stop if variables else 0
        first_free = variables[-1].free.stop if variables else 0
        dims = dims_of(model, rv.name, len(shape))
        coordinates = coordinates_of(model, dims, shape)
        value_name = model.rvs_to_values[rv].name
        free_coordinates = coordinates if free_shape == shape else [np.arange(length) for length in free_shape]
        variables.append(
            Variable(
                name=rv.name,
                role="latent" if rv in latents else "parameter",
                shape=shape,
                dims=dims,
                labels=element_labels(rv.name, coordinates),
                free_labels=element_labels(value_name, free_coordinates),
                scales=scales_of(rv, transform, size, _constant_bounds(model)),
                declared=slice(first, first + size),
                free=slice(first_free, first_free + int(np.prod(free_shape))),
                transform=None if transform is None else transform.name,
                elementwise=is_elementwise(transform),
            )
        )
    _refuse_twins(variables)
    return tuple(variables)


def _refuse_twins(variables: Sequence[Variable]) -> None:
    for var in variables:
        twins = (
            [label for label in var.labels if var.labels.count(label) > 1] if len(set(var.labels)) < var.size else []
        )
        if twins:
            raise ModelError(
                f"two elements of '{var.name}' are both labelled '{twins[0]}': give the coordinate values of "
                f"{' and '.join(var.dims)} different names"
            )


def own_scales(variables: Sequence[Variable]) -> list[Scale] | None:
    """Scales of all elements, when each declared element is its scale's map of its own unconstrained element."""
    for var in variables:
        known = var.transform is None or (var.elementwise and all(scale.kind != "identity" for scale in var.scales))
        if not known:
            return None
    return [scale for var in variables for scale in var.scales]


def _declared_shapes(model: Any, free: Sequence[Any]) -> list[tuple[int, ...]]:
    if all(length is not None for rv in free for length in rv.type.shape):
        return [tuple(rv.type.shape) for rv in free]
    with without_compiler():
        shapes = model.eval_rv_shapes()
    return [tuple(int(n) for n in shapes[rv.name]) for rv in free]


def _constant_bounds(model: Any) -> Any:
    def evaluate(*bounds: Any) -> tuple[np.ndarray, ...] | None:
        graphs = [pt.as_tensor(bound) for bound in bounds]
        if any(rv in model.free_RVs for rv in ancestors(graphs)):
            return None
        return tuple(np.asarray(value, float) for value in interpreted([], graphs)())

    return evaluate
