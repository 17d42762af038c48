"""PyMC's log-density graphs of a model's variables, built without PyTensor looking through large data."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pymc.logprob.basic import transformed_conditional_logp
from pymc.logprob.utils import replace_rvs_by_values
from pytensor.graph.replace import clone_replace
from pytensor.graph.traversal import ancestors
from pytensor.tensor.variable import TensorConstant

from ppl_mle.read.interpret import as_tensor
from ppl_mle.read.widen import mend_reductions, widen_constants

_LARGE = 125_000


class Densities:
    """Elementwise log-densities of a model.

    PyTensor compares constants by their content, and for that reads through them and keeps masks of their size. Large
    ones are therefore stood in for by variables while the graphs are made.

    Parameters
    ----------
    model : pm.Model
    """

    def __init__(self, model: Any) -> None:
        values = [model.rvs_to_values[rv] for rv in model.basic_RVs]
        everything = [*model.basic_RVs, *model.potentials, *values]
        large = [v for v in ancestors(everything) if isinstance(v, TensorConstant) and np.size(v.data) > _LARGE]
        self._swap = {constant: constant.type() for constant in large}
        clones = clone_replace(everything, self._swap) if large else everything
        count = len(model.basic_RVs)
        self._new = dict(zip([*model.basic_RVs, *model.potentials], clones, strict=False))
        self._values = dict(zip(clones[:count], clones[-count:], strict=True))
        self._transforms = {self._new[rv]: transform for rv, transform in model.rvs_to_transforms.items()}
        self._potentials = set(model.potentials)

    @property
    def data(self) -> Mapping[Any, np.ndarray]:
        """Arrays that the stand-ins stand for."""
        return {stand_in: constant.data for constant, stand_in in self._swap.items()}

    def of(self, variables: Sequence[Any]) -> list[Any]:
        """Elementwise log-densities without Jacobian terms, over value variables and stand-ins; 64-bit constants."""
        new = [self._new[var] for var in variables]
        drawn = [n for n, var in zip(new, variables, strict=True) if var not in self._potentials]
        found = dict(zip(drawn, self._drawn(drawn), strict=True))
        terms = [n for n, var in zip(new, variables, strict=True) if var in self._potentials]
        found |= dict(zip(terms, self.replaced(terms), strict=True))
        return mend_reductions(widen_constants([as_tensor(found[n]) for n in new]))

    def replaced(self, graphs: Sequence[Any]) -> list[Any]:
        """Graphs of the stand-in model with random variables replaced by their values."""
        if not graphs:
            return []
        return list(replace_rvs_by_values(graphs, rvs_to_values=self._values, rvs_to_transforms=self._transforms))

    def drawn_from(self, rv: Any) -> tuple[Any, Any]:
        """A random variable and its value in the stand-in model."""
        return self._new[rv], self._values[self._new[rv]]

    def restored(self, graphs: Sequence[Any]) -> list[Any]:
        """Graphs with the data in the place of the stand-ins."""
        back = {stand_in: constant for constant, stand_in in self._swap.items()}
        return list(clone_replace(list(graphs), back)) if back else list(graphs)

    def _drawn(self, rvs: Sequence[Any]) -> list[Any]:
        if not rvs:
            return []
        return list(
            transformed_conditional_logp(
                rvs=rvs, rvs_to_values=self._values, rvs_to_transforms=self._transforms, jacobian=False
            )
        )
