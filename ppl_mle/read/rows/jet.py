"""Values with exact first and second derivatives in a few predictors: forward differentiation, row by row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Pair = tuple[int, int]


@dataclass(slots=True)
class Jet:
    """A value per row (or one for all rows) and its nonzero derivatives.

    Parameters
    ----------
    value : float or array of shape (n,)
    first : dict of int to float or array
        Derivative in each predictor the value depends on.
    second : dict of (int, int) to float or array
        Second derivatives, the smaller predictor first.
    """

    value: Any
    first: Mapping[int, Any] = field(default_factory=dict)
    second: Mapping[Pair, Any] = field(default_factory=dict)


def chain(u: Any, slopes: Sequence[Any], curvatures: Sequence[Any], arguments: Sequence[Jet], order: int) -> Jet:
    """Apply a function whose value and derivatives at its arguments are given (chain rule to the second order).

    Parameters
    ----------
    u : float or array
    slopes : sequence of k floats or arrays
        First derivatives; not used at order 0, nor for arguments that are constant.
    curvatures : sequence of k (k + 1) / 2 floats or arrays
        Second derivatives, row by row of the upper triangle.
    arguments : sequence of k Jet
    order : {0, 1, 2}
    """
    moving = [i for i, a in enumerate(arguments) if a.first]
    if order == 0 or not moving:
        return Jet(u)
    first: dict[int, Any] = {}
    for i in moving:
        add_scaled(first, arguments[i].first, slopes[i])
    if order == 1:
        return Jet(u, first)
    second: dict[Pair, Any] = {}
    for i in moving:
        add_scaled(second, arguments[i].second, slopes[i])
        for j in moving:
            if i <= j:
                weight = curvatures[i * len(arguments) - i * (i + 1) // 2 + j]
                _add_products(second, weight, arguments[i].first, arguments[j].first, same=i == j)
    return Jet(u, first, second)


def add_scaled(total: dict[Any, Any], derivatives: Mapping[Any, Any], weight: Any) -> None:
    """Add `weight` times some derivatives to others, in place."""
    for key, d in derivatives.items():
        part = _times(weight, d)
        total[key] = total[key] + part if key in total else part


def _add_products(
    second: dict[Pair, Any], weight: Any, left: Mapping[int, Any], right: Mapping[int, Any], same: bool
) -> None:
    """Add weight * (left_k right_l), both ways round when the two sides differ."""
    if isinstance(weight, float) and weight == 0.0:
        return
    for k, dk in left.items():
        scaled = _times(weight, dk)
        for m, dm in right.items():
            if same and m < k:
                continue
            part = _times(scaled, dm)
            if not same and m == k:
                part = part + part
            pair = (k, m) if k <= m else (m, k)
            second[pair] = second[pair] + part if pair in second else part


def _times(p: Any, d: Any) -> Any:
    if isinstance(d, float) and d == 1.0:
        return p
    if isinstance(p, float) and p == 1.0:
        return d
    return p * d
