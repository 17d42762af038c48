"""The record of an observed variable, and how it is made from a model with given data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytensor.tensor as pt
from pytensor.graph.replace import graph_replace

from ppl_mle.read.densities import Densities
from ppl_mle.read.form.declined import Declined
from ppl_mle.read.form.known import Known
from ppl_mle.read.form.linear import Linear
from ppl_mle.read.form.terms import read_term
from ppl_mle.read.interpret import as_tensor, interpreted, without_compiler, without_dims
from ppl_mle.read.joined import Joined
from ppl_mle.read.labels import coordinates_of, dims_of
from ppl_mle.read.law import Law, mean_graph, open_law, unmasked
from ppl_mle.read.likelihood import Likelihood
from ppl_mle.read.missing import OBSERVED_PART
from ppl_mle.read.moments import Support, support_of_mean
from ppl_mle.read.row_function import ByGraph, ByRows, Fixed, RowFunction
from ppl_mle.read.widen import mend_reductions, widen_constants


@dataclass(frozen=True, eq=False)
class Response:
    """One observed variable, at the fitted data or at new ones.

    Parameters
    ----------
    name : str
    law : Law
        Its distribution; the parameters are functions of the unconstrained vector.
    mean : RowFunction
        The mean, raveled in C order; probabilities where the response is a category.
    index : Index
        Of the elements of the mean.
    support : {"line", "half line", "interval", "counts of"}
        Where the mean is free.
    values : array or None
        What was observed; None at new data.
    """

    name: str
    law: Law
    mean: RowFunction
    index: pd.Index
    support: Support
    values: np.ndarray | None

    @property
    def count(self) -> int:
        """Elements of the mean."""
        return int(np.prod(self.mean.shape))

    def law_at(self, theta: np.ndarray) -> Law:
        """The distribution with its parameters as arrays."""
        return self.law.mapped(lambda parameter: parameter.value(theta))


class Maker:
    """Makes functions of the unconstrained vector from variables of a model with given data.

    Parameters
    ----------
    model : pm.Model
    likelihood : Likelihood
        Of the same model, whose vector the functions take.
    containers : dict of shared variable to array
    """

    def __init__(self, model: Any, likelihood: Likelihood, containers: Mapping[Any, np.ndarray]) -> None:
        start = likelihood.mapping.start
        self.model, self.size = model, likelihood.size
        with without_compiler():
            self.densities = Densities(model)
            free = [model[var.name] for var in likelihood.variables]
            self.joined = Joined(model, free, start.shapes, start(None))
        data = {**self.densities.data, **containers}
        self.containers = containers
        self.known = Known(dict(zip(self.joined.values, self.joined.shapes, strict=True)), data)
        places = [np.arange(place.start, place.stop) for place in self.joined.places]
        self.linear = Linear(self.known, dict(zip(self.joined.values, places, strict=True)))

    def make(self, rv: Any, rows: int | None) -> Response:
        """Read an observed variable; with `rows` given its own values and shape are not those of the data."""
        name, mask = plain_name(self.model, rv), None
        with without_compiler():
            drawn, value = self.densities.drawn_from(rv)
            law = open_law(drawn)
            if name != rv.name:
                whole_law, mask = unmasked(law)
                law = law if rows is None else whole_law
            mean = mean_graph(law, name)
            values = None if rows is not None else np.asarray(self.known.value(without_dims([as_tensor(value)])[0]))
            functions = law.mapped(self.function)
            whole = self.function(mean)
        shape = _shape_of_mean(law, whole.shape, values, rows)
        if whole.shape != shape:
            whole = self.function(mean, shape)
        kept = None if mask is None or rows is not None else np.asarray(self.known.value(mask))
        index = self._index(name, shape, law.is_categorical, kept)
        return Response(name, functions, whole, index, support_of_mean(law), values)

    def function(self, graph: Any, shape: tuple[int, ...] | None = None) -> RowFunction:
        """A graph of the model's variables, broadcast to a shape, as a function of the unconstrained vector."""
        (replaced,) = self.densities.replaced([as_tensor(graph)])
        (lowered,) = without_dims(mend_reductions(widen_constants([as_tensor(replaced)])))
        if not self.known.depends(lowered):
            values = np.asarray(self.known.value(lowered))
            return Fixed(values if shape is None else np.broadcast_to(values, shape), self.size)
        own = self._shape(lowered)
        if shape is not None and shape != own:
            lowered, own = pt.broadcast_to(lowered, shape), shape
            self.known.learn(lowered, shape)
        try:
            (term,) = read_term("", lowered, self.linear, np.ones(max(1, int(np.prod(own)))), None)
        except Declined:
            term = None
        if term is None or not term.predictors:
            return ByGraph(self.joined.theta, self._of_theta(lowered), self.size, own)
        return ByRows(term, own, self.size, lowered.type.dtype)

    def _shape(self, graph: Any) -> tuple[int, ...]:
        try:
            return self.known.shape(graph)
        except Declined:
            shape = interpreted([self.joined.theta], self._of_theta(graph.shape))(self.joined.start)
            self.known.learn(graph, tuple(int(n) for n in shape))
            return self.known.shape(graph)

    def _of_theta(self, graph: Any) -> Any:
        known = dict(self.joined.known)
        for data, array in self.containers.items():
            known[data] = data.type.filter_variable(pt.constant(array, dtype=data.type.dtype), allow_convert=True)
        with without_compiler():
            (restored,) = self.densities.restored([graph])
            return without_dims(graph_replace([as_tensor(restored)], known, strict=False))[0]

    def _index(self, name: str, shape: tuple[int, ...], has_categories: bool, kept: np.ndarray | None) -> pd.Index:
        """Coordinates of the rows, positions where none are declared; `kept` marks the rows that have a response."""
        declared = tuple(self.model.named_vars_to_dims.get(name) or ())
        names = [*declared, *(None,) * (len(shape) - len(declared))]
        whole = shape if kept is None else (len(kept), *shape[1:])
        coordinates = coordinates_of(self.model, dims_of(self.model, name, len(shape)), whole)
        if kept is not None:
            coordinates[0] = coordinates[0][kept]
        if len(shape) == 1:
            return pd.Index(coordinates[0], name=names[0])
        if has_categories:
            names[-1] = "category"
        return pd.MultiIndex.from_product(coordinates, names=names) if shape else pd.RangeIndex(1)


def _shape_of_mean(law: Law, own: tuple[int, ...], values: np.ndarray | None, rows: int | None) -> tuple[int, ...]:
    """Shape of the mean: that of the data, with an axis of categories where there are any."""
    if values is not None:
        whole = (*values.shape, own[-1]) if law.is_categorical else values.shape
        return np.broadcast_shapes(own, whole)
    assert rows is not None
    if not own:
        return (rows,)
    return (rows, *own[1:]) if own[0] == 1 and len(own) > law.event_axes else own


def plain_name(model: Any, rv: Any) -> str:
    """The name the user gave: PyMC renames the observed rows of a response that has missing ones."""
    plain = rv.name.removesuffix(OBSERVED_PART)
    return plain if plain != rv.name and f"{plain}_unobserved" in model.named_vars else rv.name
