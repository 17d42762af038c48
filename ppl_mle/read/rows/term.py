"""A term of a log-density that is a sum over rows, and its row densities on a block of rows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from ppl_mle.read.rows.expression import in_order
from ppl_mle.read.rows.jet import Jet
from ppl_mle.read.rows.predictor import Predictor
from ppl_mle.read.rows.program import Program
from ppl_mle.read.rows.sharing import Sharing


@dataclass(frozen=True, eq=False)
class Group:
    """Rows of a term that have one formula.

    Parameters
    ----------
    rows : array of int, ascending, or None
        None for all rows.
    program : Program
    """

    rows: np.ndarray | None
    program: Program


@dataclass(frozen=True, eq=False)
class RowTerm:
    """A sum over rows of an elementwise density of predictors.

    Parameters
    ----------
    name : str
    count : int
        Number of rows.
    predictors : tuple of Predictor
    groups : tuple of Group
        Together they hold each row once; none for a term that nothing changes.
    weights : array of shape (count,), or None
        What each row is multiplied by; a row of weight zero is in no group.
    base : float
        The part of the sum that no predictor changes.
    scale : float
        What the whole sum is multiplied by.
    form : str
        Name of the kernel, `graph` for derivatives of the declared graph, `constant` for a number.
    step : int
        Every how many rows one is summed; 1 for all.
    """

    name: str
    count: int
    predictors: tuple[Predictor, ...]
    groups: tuple[Group, ...]
    weights: np.ndarray | None = None
    base: float = 0.0
    scale: float = 1.0
    form: str = "graph"
    step: int = 1

    @cached_property
    def sharing(self) -> Sharing:
        """The distinct blocks of the predictors."""
        return Sharing.among(self.predictors, self.count)

    @cached_property
    def is_mixture(self) -> bool:
        """Whether rows are sums of densities that several predictors change."""
        return any(group.program.is_mixture for group in self.groups)

    @cached_property
    def is_closed(self) -> bool:
        """Whether every row has a closed-form density of affine predictors, which is concave in its location."""
        return all(group.program.is_closed for group in self.groups)

    @cached_property
    def row_constants(self) -> tuple[np.ndarray, ...]:
        """The numbers, one per row, that the formulas hold, each for the rows that use it."""
        every = np.arange(self.count)
        return tuple(
            node.value[every if group.rows is None else group.rows]
            for group in self.groups
            for node in in_order(group.program.expression)
            if node.op == "const" and np.ndim(node.value)
        )

    def thinned(self, step: int) -> "RowTerm":
        """The same term over every `step`-th row, scaled up to stand for all."""
        return replace(self, step=step, scale=self.scale * step) if self.groups else self

    def etas(self, theta: np.ndarray, rows: slice) -> list[Any]:
        """Predictors at `theta` on some rows: an array each, or a number where all rows share it."""
        parts = [block.times(theta, rows) for block in self.sharing.blocks]
        etas = []
        for predictor, members in zip(self.predictors, self.sharing.members, strict=True):
            eta = predictor.offset[rows] if np.ndim(predictor.offset) else predictor.offset
            for i in members:
                eta = eta + parts[i] if np.ndim(eta) or eta != 0.0 else parts[i]
            etas.append(eta)
        return etas

    def density(self, theta: np.ndarray, rows: slice, order: int) -> Jet | None:
        """Log-density and derivatives of some rows, weights included; None where a condition fails."""
        return self.density_at(self.etas(theta, rows), rows, order)

    def density_at(self, etas: Sequence[Any], rows: slice, order: int) -> Jet | None:
        """The same at given predictors."""
        if len(self.groups) == 1 and self.groups[0].rows is None:
            jet = self.groups[0].program(rows, etas, order)
        else:
            jet = self._by_group(rows, etas, order)
        return jet if jet is None or self.weights is None else _weighed(jet, self.weights[rows])

    def _by_group(self, rows: slice, etas: Sequence[Any], order: int) -> Jet | None:
        count = length(rows)
        value = np.zeros(count)
        first: dict[Any, np.ndarray] = {}
        second: dict[Any, np.ndarray] = {}
        for group in self.groups:
            mine = _within(group, rows)
            if not len(mine):
                continue
            inside = (mine - rows.start) // self.step
            jet = group.program(mine, [eta[inside] if np.ndim(eta) else eta for eta in etas], order)
            if jet is None:
                return None
            value[inside] = jet.value
            for target, source in ((first, jet.first), (second, jet.second)):
                for key, d in source.items():
                    target.setdefault(key, np.zeros(count))[inside] = d
        return Jet(value, first, second)


def length(rows: slice) -> int:
    """Number of rows of a slice."""
    return len(range(rows.start, rows.stop, rows.step))


def _within(group: Group, rows: slice) -> np.ndarray:
    if group.rows is None:
        return np.arange(rows.start, rows.stop, rows.step)
    low, high = np.searchsorted(group.rows, (rows.start, rows.stop))
    mine = group.rows[low:high]
    return mine if rows.step == 1 else mine[(mine - rows.start) % rows.step == 0]


def _weighed(jet: Jet, weights: np.ndarray) -> Jet:
    def scaled(derivatives: Any) -> dict[Any, Any]:
        return {key: d * weights for key, d in derivatives.items()}

    return Jet(jet.value * weights, scaled(jet.first), scaled(jet.second))
