"""The distinct design blocks of a term's predictors, so that a design which several predictors share is used once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ppl_mle.read.rows.blocks import Block, Constant, Dense
from ppl_mle.read.rows.predictor import Predictor

_FEW_ELEMENTS = 100_000
_MOST_COPIED = 1 << 20


@dataclass(frozen=True, eq=False)
class Sharing:
    """Blocks and who holds them.

    Parameters
    ----------
    blocks : tuple of Block
        Each once.
    members : tuple of tuple of int
        Positions of the blocks of each predictor.
    """

    blocks: tuple[Block, ...]
    members: tuple[tuple[int, ...], ...]

    @classmethod
    def among(cls, predictors: Sequence[Predictor], count: int) -> "Sharing":
        """Find the distinct blocks of some predictors over `count` rows.

        Where rows are few, an intercept becomes a column of the matrix beside it: a pass over one block costs less
        than over two. A matrix of at most 8 MB is kept column by column, which halves the time of a pass.
        """
        merged: dict[tuple[int, int], Block] = {}
        by_columns: dict[int, Block] = {}
        parts = [
            tuple(_by_columns(block, by_columns) for block in _merged(predictor.blocks, count, merged))
            for predictor in predictors
        ]
        blocks: list[Block] = []
        for own in parts:
            blocks += [block for block in own if not any(block is known for known in blocks)]
        members = tuple(tuple(_position(blocks, block) for block in own) for own in parts)
        return cls(tuple(blocks), members)

    def of_gradient(self, first: Mapping[int, Any]) -> dict[int, Any]:
        """Weight of every block: the sum of the derivatives in the predictors that hold it."""
        weights: dict[int, Any] = {}
        for k, d in first.items():
            for i in self.members[k]:
                weights[i] = weights[i] + d if i in weights else d
        return weights

    def of_hessian(self, second: Mapping[tuple[int, int], Any]) -> dict[tuple[int, int], Any]:
        """Weight of every pair of blocks: the sum over ordered pairs of predictors that hold them."""
        weights: dict[tuple[int, int], Any] = {}
        for (k, m), d in second.items():
            for i in self.members[k]:
                for j in self.members[m]:
                    if k == m and i > j:
                        continue
                    pair = (i, j) if i <= j else (j, i)
                    part = d + d if k != m and i == j else d
                    weights[pair] = weights[pair] + part if pair in weights else part
        return weights


def _by_columns(block: Block, made: dict[int, Block]) -> Block:
    if not isinstance(block, Dense) or block.matrix.size > _MOST_COPIED:
        return block
    if id(block) not in made:
        made[id(block)] = Dense(block.columns, np.asfortranarray(block.matrix))
    return made[id(block)]


def _merged(blocks: tuple[Block, ...], count: int, made: dict[tuple[int, int], Block]) -> tuple[Block, ...]:
    if len(blocks) != 2:
        return blocks
    constant, dense = blocks
    if not isinstance(constant, Constant) or not isinstance(dense, Dense):
        return blocks
    columns = np.concatenate([constant.columns, dense.columns])
    if count * len(columns) > _FEW_ELEMENTS or len(np.unique(columns)) < len(columns):
        return blocks
    key = (id(constant), id(dense))
    if key not in made:
        ones = np.broadcast_to(constant.coefficients, (count, len(constant.columns)))
        made[key] = Dense(columns, np.hstack([ones, dense.matrix]))
    return (made[key],)


def _position(blocks: Sequence[Block], block: Block) -> int:
    return next(i for i, known in enumerate(blocks) if known is block)
