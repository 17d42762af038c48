"""From the unconstrained scale to declared and derived quantities by the delta method."""

import numpy as np

from ppl_mle.errors import RequestError
from ppl_mle.inference.estimates import Estimates
from ppl_mle.maximize import Maximum
from ppl_mle.read.scale import LINE

_CHANGES = 1e-7


def estimate_declared(maximum: Maximum) -> Estimates:
    """Estimates of the free variables on the declared scale, with the limits that a diagnosis found.

    The covariance is J C J' with the Jacobian J of the declared values and the covariance C on the unconstrained
    scale (Rao 1973, 6a.2).
    """
    likelihood = maximum.plan.likelihood
    values = likelihood.mapping.declared(maximum.theta).copy()
    jacobian = likelihood.mapping.jacobian(maximum.theta)
    covariance = propagate(jacobian, maximum)
    vanished = ~np.any(jacobian, axis=1)
    covariance[vanished, :] = covariance[:, vanished] = np.nan
    for label, limit in maximum.declared.items():
        position = likelihood.labels.index(label)
        values[position] = limit
        covariance[position, :] = covariance[:, position] = np.nan
    return Estimates(tuple(likelihood.labels), values, covariance, tuple(likelihood.scales))


def estimate_deterministic(maximum: Maximum, name: str) -> Estimates:
    """Estimates of one Deterministic, with intervals symmetric on its own scale.

    Parameters
    ----------
    maximum : Maximum
    name : str

    Raises
    ------
    RequestError
        No such Deterministic.
    """
    mapping = maximum.plan.likelihood.mapping
    if name not in mapping.deterministic_names:
        raise RequestError(f"{name!r} is no Deterministic of the model; these are {mapping.deterministic_names}")
    value = mapping.deterministic(name, maximum.theta)
    covariance = propagate(mapping.deterministic_jacobian(name, maximum.theta), maximum)
    labels = maximum.plan.likelihood.label(name, value.shape)
    return Estimates(labels, np.ravel(value).astype(float), covariance, (LINE,) * value.size)


def propagate(jacobian: np.ndarray, maximum: Maximum) -> np.ndarray:
    """Covariance J C J' of functions of the unconstrained vector.

    Parameters
    ----------
    jacobian : array, shape (q, p)
    maximum : Maximum

    Returns
    -------
    array, shape (q, q)
        NaN for functions that change along a direction about which nothing is known.
    """
    with np.errstate(all="ignore"):
        covariance = _sandwich(jacobian, maximum.covariance)
    if not maximum.lost.size:
        return covariance
    size = np.abs(jacobian).max(axis=1, initial=0.0)
    with np.errstate(all="ignore"):
        lost = np.any(~(np.abs(jacobian @ maximum.lost) <= _CHANGES * size[:, None]), axis=1)
    covariance[lost, :] = covariance[:, lost] = np.nan
    return covariance


def _sandwich(jacobian: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """J C J', without matrix products where J is diagonal."""
    diagonal = np.diag(jacobian)
    if jacobian.shape == covariance.shape and np.count_nonzero(jacobian) == np.count_nonzero(diagonal):
        return covariance * np.outer(diagonal, diagonal)
    return jacobian @ covariance @ jacobian.T
