"""Whether a smaller model is inside a larger one, shown by numbers: the larger log-likelihood gives the smaller."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice, product

import numpy as np

from ppl_mle.errors import RequestError
from ppl_mle.inference.hypotheses.null_values import NullValue, null_values
from ppl_mle.inference.hypotheses.one_sided import find_one_sided
from ppl_mle.inference.hypotheses.transfer import Extra, transfer
from ppl_mle.maximize import Maximum

_SAME = 1e-8
_NOTHING = 1e-12
_DISTANCES = (30.0, 25.0, 20.0, 17.0, 35.0, 45.0)
_NEARER = (12.0, 10.0, 14.0)
_MOST = 64
_ASIDE = 0.5
_SHRINKINGS = 4


@dataclass(frozen=True)
class Nesting:
    """How a smaller model lies in a larger one.

    Parameters
    ----------
    hypotheses : tuple of str
        What the smaller one says of the larger one's parameters, e.g. `b[x] = 0`.
    edges : tuple of str
        Labels of those whose value is on the edge of their support, or can be left to one side only.
    df : int
        Free dimensions that the larger one has more.
    signs : array, shape (df,)
        On which side of the value each estimate of the larger one lies.
    notes : tuple of str
        Why values that are not edges of supports count as edges.
    """

    hypotheses: tuple[str, ...]
    edges: tuple[str, ...]
    df: int
    signs: np.ndarray
    notes: tuple[str, ...] = ()


def show_nested(full: Maximum, restricted: Maximum) -> Nesting:
    """Find the values of the larger model's extra parameters at which it is the smaller model.

    The larger log-likelihood is evaluated at the smaller one's estimates, and at a second point beside them; both must
    be reproduced to a relative 1e-8. An extra parameter is tried at 0, at the edges of its support and at 1.

    Parameters
    ----------
    full, restricted : Maximum

    Returns
    -------
    Nesting

    Raises
    ------
    RequestError
        Not shown to be nested, or an extra parameter means nothing once the others have their values.
    """
    theta, extras = transfer(full, restricted)
    absent = [extra for extra in extras if extra.absent]
    beside, expected = _point_beside(restricted)
    second, _ = transfer(full, restricted, beside)
    closest = np.inf
    for values in islice(product(*(null_values(extra.scale) for extra in absent)), _MOST):
        way = _Way(full, tuple(absent), values)
        for reach in way.reaches():
            away = abs(reach(theta) - restricted.value)
            if _is_same(away, restricted.value):
                away = abs(reach(second) - expected)
                if _is_same(away, expected):
                    _refuse_unidentified(way, theta, extras)
                    return _nesting(way, [theta, second], extras)
            closest = min(closest, away) if np.isfinite(away) else closest
    tried = ", ".join(extra.label for extra in absent)
    at = f", with {tried} at 0, at an edge or at 1," if tried else ""
    raise RequestError(
        f"the fits are not shown to be nested: at and beside the smaller one's estimates{at} the larger log-likelihood "
        f"differs from the smaller by {closest:.3g}; give equal coefficients equal labels, or fit the smaller as "
        "find_MLE(model, fixed=...)"
    )


@dataclass(frozen=True, eq=False)
class _Way:
    """The larger model on its way to values of its extra parameters.

    Parameters
    ----------
    full : Maximum
    absent : tuple of Extra
    values : tuple of NullValue
    """

    full: Maximum
    absent: tuple[Extra, ...]
    values: tuple[NullValue, ...]

    def placed(self, theta: np.ndarray, distance: float = _DISTANCES[0]) -> np.ndarray:
        """The vector with the extra parameters at their values, edges `distance` away."""
        placed = theta.copy()
        for extra, value in zip(self.absent, self.values, strict=True):
            i = extra.coordinate
            center = 0.0 if extra.label in self.full.declared else self.full.theta[i]
            placed[i] = center + value.sign * distance if value.edge else value.free
        return placed

    def reaches(self) -> Iterator[Callable[[np.ndarray], float]]:
        """Ways to the log-likelihood with the values in place: at several distances from edges.

        Nearer ones are extrapolated, with an error that falls as exp(-distance): farther out formulas may cancel.
        """
        if not any(value.edge for value in self.values):
            yield self._plain
            return
        yield from (partial(self._plain, distance=far) for far in _DISTANCES)
        yield from (partial(self._extrapolated, distance=near) for near in _NEARER)

    def _plain(self, theta: np.ndarray, distance: float = 0.0) -> float:
        return _value(self.full, self.placed(theta, distance))

    def _extrapolated(self, theta: np.ndarray, distance: float) -> float:
        return 2 * self._plain(theta, distance + np.log(2)) - self._plain(theta, distance)

    def texts(self, extra: Extra) -> tuple[str, ...]:
        """What the smaller model says of an extra parameter."""
        pairs = zip(self.absent, self.values, strict=True)
        return extra.texts + tuple(value.text(own.label) for own, value in pairs if own is extra)


def _point_beside(maximum: Maximum) -> tuple[np.ndarray, float]:
    """A point half a standard error from the estimates where the log-likelihood exists, and its value there."""
    with np.errstate(invalid="ignore"):
        errors = np.nan_to_num(np.sqrt(np.diag(maximum.covariance)))
    step = _ASIDE * errors * np.where(np.arange(len(errors)) % 2, -1.0, 1.0)
    for k in range(_SHRINKINGS):
        point = maximum.theta + step / 10**k
        value = _value(maximum, point)
        if np.isfinite(value):
            return point, value
    return maximum.theta, maximum.value


def _refuse_unidentified(way: _Way, theta: np.ndarray, extras: list[Extra]) -> None:
    """Refuse extra parameters that change nothing while the others have their values (Davies 1977)."""
    placed = way.placed(theta)
    base = _value(way.full, placed)
    for extra in extras if len(extras) > 1 else []:
        i, moved = extra.coordinate, []
        for u in (way.full.theta[i], way.full.theta[i] + 1.0, placed[i] + 1.0, 0.0, 1.0):
            point = placed.copy()
            point[i] = u
            moved.append(abs(_value(way.full, point) - base))
        if np.max(np.nan_to_num(moved, nan=np.inf)) <= _NOTHING * max(1.0, abs(base)):
            others = [text for other in extras if other is not extra for text in way.texts(other)]
            raise RequestError(
                f"{extra.label} means nothing once {' and '.join(others)}, so the likelihood ratio has no chi-square "
                "distribution (Davies 1977); compare the fits by compare_fits, or simulate under the smaller model"
            )


def _nesting(way: _Way, points: list[np.ndarray], extras: list[Extra]) -> Nesting:
    placed, estimates = [way.placed(point) for point in points], way.full.theta
    sides = [np.sign(estimates[e.coordinate] - placed[0][e.coordinate]) * e.direction for e in extras]
    infinite = {own.label for own, value in zip(way.absent, way.values, strict=True) if value.edge}
    others = [find_one_sided(way.full, extra, placed) for extra in extras if extra.label not in infinite]
    known = [found for found in others if found is not None]
    labels = infinite | {found.label for found in known}
    return Nesting(
        hypotheses=tuple(text for extra in extras for text in way.texts(extra)),
        edges=tuple(extra.label for extra in extras if extra.label in labels),
        df=len(extras),
        signs=np.array(sides),
        notes=tuple(found.note for found in known),
    )


def _value(maximum: Maximum, theta: np.ndarray) -> float:
    with np.errstate(all="ignore"):
        return float(maximum.plan.likelihood.objective.value_and_gradient(theta)[0])


def _is_same(away: float, value: float) -> bool:
    return bool(away <= _SAME * max(1.0, abs(value)))
