"""What refits ask of a sample of data sets."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from ppl_mle.read import Likelihood
from ppl_mle.read.rows.refits import Densities


class Sample(Protocol):
    """Data sets that a likelihood is refitted to, terms told by their position in the objective."""

    @property
    def count(self) -> int:
        """How many."""
        ...

    def weights(self, members: np.ndarray) -> Mapping[int, np.ndarray]:
        """Weights of the rows of the terms that have some, shape (m, n) each."""
        ...

    def densities(self, members: np.ndarray) -> Mapping[int, Densities]:
        """Densities of the rows of every term, for some data sets."""
        ...

    def likelihood(self, member: int) -> Likelihood:
        """One of them, for the ordinary engines."""
        ...


class Itself:
    """A witness for data that PyMC's own log-density was not built for: the objective, certified at the estimate."""

    is_blockwise = False

    def __init__(self, objective: Any) -> None:
        self._objective = objective

    def value_and_gradient(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """Value and gradient."""
        value, gradient = self._objective.value_and_gradient(theta)
        return float(value), np.asarray(gradient)

    def value(self, theta: np.ndarray) -> float:
        """Value alone."""
        return self.value_and_gradient(theta)[0]

    def rounding(self, theta: np.ndarray) -> float:
        """What rounding makes of the value: nothing beyond what it makes of the objective itself."""
        return 0.0

    def without_blocks(self) -> None:
        """Nothing is in blocks."""

    def forget(self) -> None:
        """Nothing is kept."""


def with_objective(likelihood: Likelihood, objective: Any) -> Likelihood:
    """The same likelihood of other data."""
    witness: Any = Itself(objective)
    return replace(likelihood, objective=objective, original=witness)
