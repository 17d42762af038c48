"""A model's likelihood for other observations: its graphs are made once, the rows are read anew."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from threading import RLock
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.replace import clone_replace

from ppl_mle.read.densities import Densities
from ppl_mle.read.evaluation import families_of, shape_of
from ppl_mle.read.form.declined import Declined
from ppl_mle.read.form.known import Known
from ppl_mle.read.form.linear import Linear
from ppl_mle.read.form.terms import read_term
from ppl_mle.read.interpret import without_compiler, without_dims
from ppl_mle.read.joined import Joined
from ppl_mle.read.likelihood import Likelihood
from ppl_mle.read.missing import find_missing
from ppl_mle.read.objective import Objective
from ppl_mle.read.rows.objective import RowObjective
from ppl_mle.read.rows.other_numbers import has_plain_response, with_response
from ppl_mle.read.rows.term import RowTerm
from ppl_mle.read.starting import Starts
from ppl_mle.read.terms import choose_terms, support_of


class Renewal:
    """Reads a model again with other observations; the model itself is never changed.

    Parameters
    ----------
    model : pm.Model
    likelihood : Likelihood
        What was read of it, without weights.
    """

    def __init__(self, model: Any, likelihood: Likelihood) -> None:
        self.likelihood, self._model = likelihood, model
        self._lock = RLock()

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the observed variables."""
        return tuple(rv.name for rv in self._model.observed_RVs)

    def terms(self, data: Mapping[str, np.ndarray]) -> list[RowTerm | None]:
        """The row terms for other observations, in the order of the objective's; None for one without such a form.

        Parameters
        ----------
        data : dict of str to array
            Values of every observed variable, in its shape.
        """
        found: list[RowTerm | None] = []
        reading = _Reading(self, data)
        for i, form in enumerate(self.likelihood.forms):
            if form.name not in data:
                found += form.sums
            elif len(form.sums) == 1 and has_plain_response(form.sums[0]):
                found.append(with_response(form.sums[0], data[form.name]) or next(iter(reading.sums(i)), None))
            else:
                sums = reading.sums(i)
                found += sums if len(sums) == len(form.sums) else [None] * len(form.sums)
        return found

    def objective(self, data: Mapping[str, np.ndarray]) -> Any:
        """The log-density for other observations, by rows where these have that form and by PyTensor elsewhere."""
        with self._lock:
            reading = _Reading(self, data)
            names = [form.name for form in self.likelihood.forms]
            sums = [reading.sums(i) if n in data else form.sums for i, (n, form) in enumerate(self._forms)]
            general = [i for i, own in enumerate(sums) if not own]
            if not general:
                return self.likelihood.objective.with_terms([term for own in sums for term in own])
            rows = max(self.likelihood.forms[i].count for i in general)
            graphs = self._joined.replace([reading.filled(self._totals[i]) for i in general])
            rest = Objective(self._joined.theta, graphs, self._edge, rows)
            if len(general) == len(sums):
                return rest
            terms = [term for own in sums for term in own]
            return RowObjective(self._joined.size, names, terms, rest, [names[i] for i in general])

    @property
    def _forms(self) -> Sequence[tuple[str, Any]]:
        return [(form.name, form) for form in self.likelihood.forms]

    @cached_property
    def _free(self) -> list[Any]:
        missing = find_missing(self._model)
        return [rv for rv in self._model.free_RVs if rv not in missing]

    @cached_property
    def _latents(self) -> set[Any]:
        return {rv for rv in self._free if rv.name in self.likelihood.latents}

    @cached_property
    def _joined(self) -> Joined:
        start = Starts(self._model, self._free)
        return Joined(self._model, self._free, start.shapes, start(None))

    @cached_property
    def _edge(self) -> Any:
        with without_compiler():
            support = support_of(self._model, self._free, self._latents, self.likelihood.estimator)
            return None if support is None else self._joined.replace([support])[0]

    @cached_property
    def stand_ins(self) -> dict[str, Any]:
        """A variable for the values of every observed variable."""
        return {rv.name: self._model.rvs_to_values[rv].type() for rv in self._model.observed_RVs}

    @cached_property
    def _densities(self) -> Densities:
        model = self._model
        values = {rv: self.stand_ins.get(rv.name, value) for rv, value in model.rvs_to_values.items()}
        twin = SimpleNamespace(
            basic_RVs=model.basic_RVs,
            potentials=model.potentials,
            rvs_to_transforms=model.rvs_to_transforms,
            rvs_to_values=values,
        )
        return Densities(twin)

    @cached_property
    def _sources(self) -> list[Any]:
        return choose_terms(self._model, self._free, self._latents, self.likelihood.estimator)

    @cached_property
    def _graphs(self) -> list[Any]:
        return self._densities.of([source.rv for source in self._sources])

    @cached_property
    def _lowered(self) -> list[Any]:
        return without_dims(self._graphs)

    @cached_property
    def _own_families(self) -> dict[Any, Any]:
        return families_of(self._densities, self._sources)

    @cached_property
    def _totals(self) -> list[Any]:
        return self._densities.restored([pt.cast(graph.sum(), "float64") for graph in self._graphs])


class _Reading:
    """One reading of the rows."""

    def __init__(self, renewal: Renewal, data: Mapping[str, np.ndarray]) -> None:
        self._renewal, self._data = renewal, data

    @cached_property
    def _values(self) -> dict[Any, np.ndarray]:
        pairs = self._renewal.stand_ins.items()
        return {var: np.asarray(self._data[name], var.type.dtype) for name, var in pairs}

    @cached_property
    def _linear(self) -> Linear:
        joined, densities = self._renewal._joined, self._renewal._densities
        known = Known(dict(zip(joined.values, joined.shapes, strict=True)), {**densities.data, **self._values})
        places = [np.arange(place.start, place.stop) for place in joined.places]
        return Linear(known, dict(zip(joined.values, places, strict=True)))

    def sums(self, position: int) -> tuple[RowTerm, ...]:
        """A term as sums over rows; none where it has no such form."""
        renewal = self._renewal
        with renewal._lock, without_compiler(), np.errstate(all="ignore"):
            graph, source = renewal._lowered[position], renewal._sources[position]
            try:
                shape_of(renewal._densities, self._linear.known, renewal._joined, graph)
                return tuple(read_term(source.rv.name, graph, self._linear, None, renewal._own_families.get(source.rv)))
            except Declined:
                return ()

    def filled(self, graph: Any) -> Any:
        """A graph with the observations put in."""
        constants = {var: pt.constant(value, dtype=var.type.dtype) for var, value in self._values.items()}
        swap = {var: var.type.filter_variable(value, allow_convert=True) for var, value in constants.items()}
        return clone_replace([graph], swap, rebuild_strict=False)[0]
