"""The profile of one quantity as a curve, and of two as a contour."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import chi2

from ppl_mle.errors import RequestError
from ppl_mle.inference.estimates import normal_quantile
from ppl_mle.inference.profiles.crossing import find_crossing, signed_root
from ppl_mle.inference.profiles.interval import Interval, profile_interval
from ppl_mle.inference.profiles.ray import RaySlice
from ppl_mle.inference.profiles.slice import Point, Slice
from ppl_mle.inference.quantities import Quantity, estimate_quantities
from ppl_mle.maximize import Maximum

_MARGIN = 1.3
_PER_SIDE = 12
_MOST = 60
_GROWTH = 3.0


@dataclass(frozen=True, eq=False)
class Profile:
    """Profile likelihood of one quantity.

    Parameters
    ----------
    interval : Interval
        Likelihood-ratio interval with content `ci_prob`.
    ci_prob : float
    estimate, se : float
        On the declared scale; NaN where there is no standard error.
    frame : DataFrame
        From the lowest value up: `value` (declared scale), `log_density`, `signed_root` (of the likelihood ratio, with
        the sign of value minus estimate), `wald_root` ((value - estimate) / se), and every declared element where the
        log-density is highest for this value.
    notes : tuple of str
    """

    interval: Interval
    ci_prob: float
    estimate: float
    se: float
    frame: pd.DataFrame
    notes: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Of the quantity."""
        return self.interval.label

    @property
    def lower(self) -> float:
        """Lower bound of the interval."""
        return self.interval.lower

    @property
    def upper(self) -> float:
        """Upper bound of the interval."""
        return self.interval.upper

    def __repr__(self) -> str:
        head = f"Profile of {self.label}: {self.estimate:.6g}, {100 * self.ci_prob:g} % likelihood-ratio interval "
        return "\n".join([f"{head}{self.lower:.6g} to {self.upper:.6g}", *self.notes])


def trace_profile(maximum: Maximum, quantity: Quantity, ci_prob: float) -> Profile:
    """Follow a profile both ways from its maximum, in steps of about equal signed root.

    Parameters
    ----------
    maximum : Maximum
    quantity : Quantity
    ci_prob : float
        Content of the interval; the curve goes a third farther.

    Returns
    -------
    Profile

    Raises
    ------
    HigherMaximum
        The profile rises above the maximum.
    """
    along = quantity.slice_of(maximum)
    interval = profile_interval(maximum, quantity, ci_prob)
    reach = _MARGIN * normal_quantile(ci_prob)
    left, right = (_follow(along, side, reach) for side in (-1, 1))
    points = [*reversed(left), along.peak, *right]
    own = estimate_quantities(maximum, [quantity])
    frame = _frame(maximum, quantity, along, points, float(own.bse.iloc[0]))
    return Profile(interval, ci_prob, float(own.values[0]), float(own.bse.iloc[0]), frame, interval.notes)


def trace_contour(maximum: Maximum, one: Quantity, other: Quantity, ci_prob: float, points: int) -> pd.DataFrame:
    """The edge of the joint likelihood-ratio region of two elements.

    Along rays from the maximum, evenly spaced where the normal approximation is a circle, to where twice the fall of
    the log-density is the quantile of chi-squared with 2 degrees of freedom.

    Parameters
    ----------
    maximum : Maximum
    one, other : Quantity
        Declared elements, each a function of its own coordinate.
    ci_prob : float
        Joint content.
    points : int

    Returns
    -------
    DataFrame
        One row per ray, columns the two labels, declared scale; NaN where a ray could not be followed.

    Raises
    ------
    RequestError
        Not two different free elements.
    HigherMaximum
        The log-density rises above the maximum.
    """
    mine = [q.coordinate for q in (one, other)]
    if None in mine or mine[0] == mine[1] or any(q.is_fixed(maximum) for q in (one, other)):
        raise RequestError(
            f"a contour needs two different free elements that are not tied to others, not {one.label!r} and "
            f"{other.label!r}"
        )
    coordinates = [int(c) for c in mine if c is not None]
    covariance = maximum.observed_covariance[np.ix_(coordinates, coordinates)]
    if not np.all(np.diag(covariance) > 0):
        raise RequestError(
            f"a contour needs standard errors of {one.label!r} and {other.label!r}, which are at an edge"
        )
    root = np.linalg.cholesky(covariance)
    level = float(np.sqrt(chi2.ppf(ci_prob, 2)))
    rows = []
    for angle in np.linspace(0, 2 * np.pi, points, endpoint=False):
        direction = root @ [np.cos(angle), np.sin(angle)]
        ray = RaySlice(maximum, coordinates, direction)
        at = maximum.theta[coordinates] + find_crossing(ray, 1, level).at * direction
        rows.append([float(q.scale.to_declared(x)) for q, x in zip((one, other), at, strict=True)])
    return pd.DataFrame(rows, columns=[one.label, other.label])


def _follow(along: Slice, side: int, reach: float) -> list[Point]:
    """Points of the profile on one side until its signed root is `reach`, or it ends."""
    points: list[Point] = []
    near, root = along.peak, 0.0
    step = reach / _PER_SIDE * along.unit
    while along.unit > 0 and root < reach and len(points) < _MOST:
        point = along.climb(near.at + side * step, near)
        if not point.exists:
            break
        before, root = root, signed_root(along.peak, point)
        points.append(point)
        rate = -side * point.slope / root if root > before else 0.0
        step = min(reach / _PER_SIDE / rate if rate > 0 else np.inf, _GROWTH * step)
        near = point
    return points


def _frame(maximum: Maximum, quantity: Quantity, along: Slice, points: list[Point], se: float) -> pd.DataFrame:
    likelihood = maximum.plan.likelihood
    values = np.array([float(quantity.scale.to_declared(point.at)) for point in points])
    signs = np.sign(values - float(quantity.scale.to_declared(along.peak.at)))
    roots = signs * np.array([signed_root(along.peak, point) for point in points])
    declared = [likelihood.mapping.declared(point.theta) for point in points]
    frame = pd.DataFrame(
        {
            "value": values,
            "log_density": [point.value for point in points],
            "signed_root": roots,
            "wald_root": (values - quantity.value(maximum.theta)) / se if se > 0 else np.nan,
        }
    )
    others = pd.DataFrame(declared, columns=likelihood.labels)
    return pd.concat([frame, others], axis=1).sort_values("value", ignore_index=True)
