"""Jeffreys' penalty: half the logarithm of the determinant of the information, with its derivatives.

With the information I = sum over rows of a_k v_kl a_l' (rows a_k of the designs of predictors k and l), T_j its
derivative in coordinate j and I_jm its second derivative, the gradient is tr(I^-1 T_j) / 2 and the Hessian
tr(I^-1 I_jm) / 2 - tr(I^-1 T_j I^-1 T_m) / 2. The derivatives of v in the predictors are five-point differences.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations_with_replacement
from typing import Any

import numpy as np

from ppl_mle.read.rows.expected import add_up, expected_by_row
from ppl_mle.read.rows.term import RowTerm

_STEP = 4e-3
_FIRST = ((-2, 1 / 12), (-1, -8 / 12), (1, 8 / 12), (2, -1 / 12))
_SECOND = ((-2, -1 / 12), (-1, 16 / 12), (0, -30 / 12), (1, 16 / 12), (2, -1 / 12))

Pairs = Mapping[tuple[int, int], Any]
Penalty = tuple[float, np.ndarray, np.ndarray]


def information_of(terms: Sequence[RowTerm], theta: np.ndarray) -> np.ndarray:
    """Information at `theta`: expected where it has a closed form, observed elsewhere, shape (p, p)."""
    total = np.zeros((len(theta), len(theta)))
    for term in terms:
        pairs = _by_row(term, _etas(term, theta))
        total += np.nan if pairs is None else add_up(term, pairs, len(theta))
    return total


def jeffreys_penalty(terms: Sequence[RowTerm], theta: np.ndarray, free: np.ndarray, order: int) -> Penalty:
    """log det(I) / 2 over the free coordinates with its gradient (p,) and, at order 2, its Hessian (p, p) (Firth 1993).

    Parameters
    ----------
    terms : sequence of RowTerm
    theta : array, shape (p,)
    free : array of int
        Coordinates that are estimated.
    order : {1, 2}

    Returns
    -------
    float, array of shape (p,), array of shape (p, p)
        Minus infinity and NaN where the information is not positive definite; the Hessian is zero at order 1.
    """
    size = len(theta)
    inverse, value = _inverse(information_of(terms, theta), free)
    gradient, hessian = np.zeros(size), np.zeros((size, size))
    if not np.isfinite(value):
        return -np.inf, gradient * np.nan, hessian * np.nan
    changes = np.zeros((size, size, size))
    for term in terms:
        designs = [predictor.matrix(np.arange(size), term.count) for predictor in term.predictors]
        hats = _Hats(designs, inverse)
        for m, first in enumerate(_first_derivatives(term, theta)):
            for pair, weight in first.items():
                gradient += term.scale / 2 * designs[m].T @ (hats.of(pair) * weight)
                if order > 1:
                    changes += term.scale * _change(designs, pair, designs[m] * np.reshape(weight, (-1, 1)))
        for (m, n), second in _second_derivatives(term, theta) if order > 1 else ():
            weight = sum(hats.of(pair) * bend for pair, bend in second.items())
            part = term.scale / 2 * designs[m].T @ (np.reshape(weight, (-1, 1)) * designs[n])
            hessian += part if m == n else part + part.T
    if order > 1:
        moved = inverse @ changes
        hessian -= np.einsum("jab,kba->jk", moved, moved) / 2
    return value, gradient, hessian


class _Hats:
    """Diagonals of A_k I^-1 A_l', twice those of different predictors."""

    def __init__(self, designs: Sequence[np.ndarray], inverse: np.ndarray) -> None:
        self._designs, self._moved = designs, [design @ inverse for design in designs]

    def of(self, pair: tuple[int, int]) -> np.ndarray:
        """Shape (count,)."""
        k, j = pair
        return (1.0 if k == j else 2.0) * np.einsum("ij,ij->i", self._moved[k], self._designs[j])


def _inverse(information: np.ndarray, free: np.ndarray) -> tuple[np.ndarray, float]:
    """Inverse over the free coordinates, zero elsewhere, and half the logarithm of the determinant."""
    part = information[np.ix_(free, free)]
    own = np.diag(part)
    inverse = np.zeros(information.shape)
    if not (np.all(np.isfinite(part)) and np.all(own > 0)):
        return inverse, -np.inf
    scale = 1 / np.sqrt(own)
    sign, log_determinant = np.linalg.slogdet(part * np.outer(scale, scale))
    if sign <= 0:
        return inverse, -np.inf
    inverse[np.ix_(free, free)] = np.linalg.inv(part * np.outer(scale, scale)) * np.outer(scale, scale)
    return inverse, float(log_determinant / 2 - np.log(scale).sum())


def _change(designs: Sequence[np.ndarray], pair: tuple[int, int], moved: np.ndarray) -> np.ndarray:
    """Derivative of A_k' diag(v) A_l in every coordinate, for v' times the design of the moved predictor, (p, p, p)."""
    k, j = pair
    parts = np.array([designs[k].T @ (column[:, None] * designs[j]) for column in moved.T])
    return parts if k == j else parts + parts.transpose(0, 2, 1)


def _first_derivatives(term: RowTerm, theta: np.ndarray) -> Iterator[Pairs]:
    """Derivative of the row's information in one predictor after the other."""
    etas = _etas(term, theta)
    for m in range(len(etas)):
        yield _differences(term, etas, [({m: steps}, weight / _STEP) for steps, weight in _FIRST])


def _second_derivatives(term: RowTerm, theta: np.ndarray) -> Iterator[tuple[tuple[int, int], Pairs]]:
    """Second derivatives of the row's information in pairs of predictors."""
    etas = _etas(term, theta)
    for m, n in combinations_with_replacement(range(len(etas)), 2):
        if m == n:
            rule = [({m: steps}, weight / _STEP**2) for steps, weight in _SECOND]
        else:
            rule = [({m: a, n: b}, v * w / _STEP**2) for a, v in _FIRST for b, w in _FIRST]
        yield (m, n), _differences(term, etas, rule)


def _differences(term: RowTerm, etas: list[Any], rule: Sequence[tuple[Mapping[int, int], float]]) -> Pairs:
    total: dict[tuple[int, int], Any] = {}
    for moves, weight in rule:
        shifted = [eta + moves.get(i, 0) * _STEP for i, eta in enumerate(etas)]
        for pair, value in (_by_row(term, shifted) or {}).items():
            total[pair] = total.get(pair, 0.0) + weight * np.broadcast_to(value, (term.count,))
    return total


def _etas(term: RowTerm, theta: np.ndarray) -> list[Any]:
    return term.etas(theta, slice(0, term.count, 1))


def _by_row(term: RowTerm, etas: list[Any]) -> Pairs | None:
    """Information of each row in pairs of predictors; None where the density does not exist."""
    with np.errstate(all="ignore"):
        expected = expected_by_row(term, etas, sums=False)
        if expected is not None:
            return expected
        jet = term.density_at(etas, slice(0, term.count, 1), 2)
    return None if jet is None else {pair: -second for pair, second in jet.second.items()}
