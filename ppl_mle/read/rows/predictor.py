"""A predictor: an affine function of the unconstrained vector, one number per row or one for all."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ppl_mle.read.rows.blocks import Block, Constant


@dataclass(frozen=True, eq=False)
class Predictor:
    """eta = offset + sum of blocks times theta.

    Parameters
    ----------
    offset : float or array of shape (n,)
    blocks : tuple of Block
    """

    offset: Any
    blocks: tuple[Block, ...]

    @property
    def is_shared(self) -> bool:
        """Whether all rows have the same value."""
        return np.ndim(self.offset) == 0 and all(isinstance(block, Constant) for block in self.blocks)

    @property
    def columns(self) -> np.ndarray:
        """Coordinates of the unconstrained vector that the predictor depends on, ascending."""
        return np.unique(np.concatenate([block.columns for block in self.blocks]))

    def matrix(self, columns: Sequence[int] | np.ndarray, count: int) -> np.ndarray:
        """The design as a dense matrix over some coordinates, shape (count, len(columns)); for small problems."""
        place = {int(column): i for i, column in enumerate(columns)}
        matrix = np.zeros((count, len(columns)))
        for block in self.blocks:
            wanted = [i for i, column in enumerate(block.columns) if int(column) in place]
            where = [place[int(block.columns[i])] for i in wanted]
            matrix[:, where] += block.weighted(1.0, slice(0, count, 1), count)[:, wanted]
        return matrix
