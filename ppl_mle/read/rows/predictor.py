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

    def matrix(self, columns: Sequence[int] | np.ndarray, count: int, step: int = 1) -> np.ndarray:
        """Every `step`-th row of the design as a dense matrix over some coordinates, for `count` rows in all.

        Returns
        -------
        array, shape (ceil(count / step), len(columns))
        """
        place = {int(column): i for i, column in enumerate(columns)}
        rows = slice(0, count, step)
        kept = len(range(0, count, step))
        matrix = np.zeros((kept, len(columns)))
        for block in self.blocks:
            wanted = [i for i, column in enumerate(block.columns) if int(column) in place]
            where = [place[int(block.columns[i])] for i in wanted]
            matrix[:, where] += block.weighted(1.0, rows, kept)[:, wanted]
        return matrix
