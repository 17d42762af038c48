"""What a maximization found, and the proof of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ppl_mle.maximize.status import Status
from ppl_mle.plan import Plan


@dataclass(frozen=True)
class EdgeValue:
    """A declared element at the edge of its support.

    Parameters
    ----------
    label : str
    value : float
        The edge, on the declared scale.
    score : float
        Slope of the log-density with respect to the declared element, at the last point inside; negative at a lower
        edge and positive at an upper edge, and 0 where the density is flat in the first order.
    """

    label: str
    value: float
    score: float


@dataclass(frozen=True)
class Certificate:
    """The figures that a status rests on.

    Parameters
    ----------
    edm : float
        Estimated distance to the maximum in log-density, g' H^-1 g / 2 (James and Roos 1975).
    edm_rounding : float
        The part of `edm` that rounding in the gradient explains.
    original_value_difference : float
        Objective minus PyMC's own log-density at the answer.
    original_edm : float
        `edm` computed with the gradient of PyMC's own log-density.
    smallest_eigenvalue : float
        Of the negative Hessian scaled to a unit diagonal; not above rounding means singular or indefinite.
    condition : float
        Condition number of the same matrix.
    hessian : {"exact", "differences"}
        Exact second derivatives, of each row or by PyTensor; or Richardson-extrapolated differences of exact gradients.
    hessian_error : float
        Relative disagreement of the curvature with differences of gradients, along a random direction and the weakest.
    boundary : tuple of EdgeValue
    weakest : tuple of str
        Unconstrained elements that move along the direction of the smallest eigenvalue, where that is small.
    starts : int
        Points that the search was started from.
    agreeing : int
        Starts that reached the maximum that is returned.
    maxima : tuple of float
        Log-densities of the distinct maxima that were certified: the one that is returned, then from the highest down.
    original_gradient : {"exact", "differences"}
        Whether `original_edm` is made with the gradient of PyMC's own log-density, or is a bound from differences of
        its value, where that gradient does not exist.
    iterations, evaluations : int
    """

    edm: float
    edm_rounding: float
    original_value_difference: float
    original_edm: float
    smallest_eigenvalue: float
    condition: float
    hessian: Literal["exact", "differences"]
    hessian_error: float
    boundary: tuple[EdgeValue, ...] = ()
    weakest: tuple[str, ...] = ()
    starts: int = 1
    agreeing: int = 1
    maxima: tuple[float, ...] = ()
    original_gradient: Literal["exact", "differences"] = "exact"
    iterations: int = 0
    evaluations: int = 0


@dataclass(frozen=True)
class Maximum:
    """The point that is returned, with its diagnosis.

    Parameters
    ----------
    plan : Plan
        What ran, and on which likelihood.
    theta : array, shape (p,)
        Unconstrained values.
    value, gradient : float, array of shape (p,)
        Log-density that was maximized, and its gradient.
    covariance : array, shape (p, p)
        Inverse negative Hessian on the unconstrained scale, on the directions that have curvature; zero for held
        coordinates, NaN where there is none at all. Another covariance where the user asked for one.
    lost : array, shape (p, k)
        Directions along which nothing is known, as columns: ridges, and coordinates that ran away. What changes along
        them has no standard error.
    status : Status
    sentence : str
        The status' sentence with the parameters filled in.
    held : dict of int to float
        Unconstrained coordinates that the user fixed.
    declared : dict of str to float
        Declared elements whose estimate is not the value at `theta`: edges, infinities, NaN.
    parameters : tuple of str
        Labels that the diagnosis is about.
    findings : tuple of str
    certificate : Certificate
    information : array of shape (p, p), or None
        Inverse negative Hessian, where `covariance` is another.
    """

    plan: Plan
    theta: np.ndarray
    value: float
    gradient: np.ndarray
    covariance: np.ndarray
    lost: np.ndarray
    status: Status
    sentence: str
    held: Mapping[int, float]
    declared: Mapping[str, float]
    parameters: tuple[str, ...]
    findings: tuple[str, ...]
    certificate: Certificate
    information: np.ndarray | None = None

    @property
    def observed_covariance(self) -> np.ndarray:
        """Inverse negative Hessian, whatever covariance was asked for, shape (p, p)."""
        return self.covariance if self.information is None else self.information
