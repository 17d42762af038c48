"""Data sets drawn from the fitted model."""

from collections import OrderedDict
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np

from ppl_mle.errors import RequestError
from ppl_mle.inference.resampling.sample import with_objective
from ppl_mle.inference.resampling.units import require_maximum
from ppl_mle.maximize import Maximum
from ppl_mle.read import Likelihood, RowObjective
from ppl_mle.read.forward import draw_observed
from ppl_mle.read.renewed import Renewal
from ppl_mle.read.rows.other_numbers import Numbers, other_numbers
from ppl_mle.read.rows.refits import Densities, same_rows

_KEPT = 20_000_000


class DrawnData:
    """A sample of data sets from a model.

    Parameters
    ----------
    maximum : Maximum
    model : pm.Model
        Never changed.
    data : dict of str to array
        Shape (count, *shape) for every observed variable.
    """

    def __init__(self, maximum: Maximum, model: Any, data: Mapping[str, np.ndarray]) -> None:
        self._likelihood = maximum.plan.likelihood
        self._renewal = Renewal(model, self._likelihood)
        self.data = dict(data)
        self._read: OrderedDict[int, list[Numbers]] = OrderedDict()

    @property
    def count(self) -> int:
        """How many."""
        return len(next(iter(self.data.values())))

    def weights(self, members: np.ndarray) -> dict[int, np.ndarray]:
        """None of the rows is weighted."""
        return {}

    def densities(self, members: np.ndarray) -> dict[int, Densities]:
        """Densities of the rows of every term."""
        numbers = [self._numbers(int(member)) for member in members]
        found = dict(self._same)
        for i, reference in enumerate(self._objective.terms):
            if i in self._observed and reference.groups:
                found[i] = other_numbers(reference.count, [own[i] for own in numbers])
        return found

    def likelihood(self, member: int) -> Likelihood:
        """One of the data sets."""
        by_rows = isinstance(self._objective, RowObjective) and self._objective.rest is None
        terms = [numbers.term for numbers in self._numbers(member)] if by_rows else [None]
        known = [term for term in terms if term is not None]
        if len(known) == len(terms):
            return with_objective(self._likelihood, self._objective.with_terms(known))
        return with_objective(self._likelihood, self._renewal.objective(self._own(member)))

    def _own(self, member: int) -> dict[str, np.ndarray]:
        return {name: values[member] for name, values in self.data.items()}

    def _numbers(self, member: int) -> list[Numbers]:
        found = self._read.get(member)
        if found is None:
            terms = self._renewal.terms(self._own(member))
            found = [Numbers(reference, term) for reference, term in zip(self._objective.terms, terms, strict=True)]
            self._read[member] = found
            if len(self._read) * self._objective.rows > _KEPT:
                self._read.popitem(last=False)
        return found

    @property
    def _objective(self) -> RowObjective:
        return self._likelihood.objective

    @cached_property
    def _observed(self) -> set[int]:
        names = [form.name for form in self._likelihood.forms for _ in form.sums]
        return {i for i, name in enumerate(names) if name in self.data}

    @cached_property
    def _same(self) -> dict[int, Densities]:
        terms = enumerate(self._objective.terms)
        return {i: same_rows(term) for i, term in terms if i not in self._observed and term.groups}


def draw_data(maximum: Maximum, model: Any, replicates: int, seed: int) -> DrawnData:
    """Draw data sets from the model at the estimate, by PyMC's forward sampler; latent variables are drawn anew.

    Parameters
    ----------
    maximum : Maximum
    model : pm.Model
    replicates : int
    seed : int

    Raises
    ------
    RequestError
        Nothing is observed, rows are weighted, there is no maximum, or PyMC cannot draw.
    """
    require_maximum(maximum, "a simulation from the fitted model")
    likelihood = maximum.plan.likelihood
    if likelihood.weighted:
        raise RequestError("weighted rows cannot be simulated; repeat the rows, or use the bootstrap of rows")
    values = likelihood.mapping.declared(maximum.theta).copy()
    for label, limit in maximum.declared.items():
        values[likelihood.labels.index(label)] = limit
    held = {v.name: values[v.declared].reshape(v.shape) for v in likelihood.variables if v.role == "parameter"}
    return DrawnData(maximum, model, draw_observed(model, held, replicates, seed))
