"""From the unconstrained scale to declared and derived quantities by the delta method."""

import numpy as np

from ppl_mle.errors import RequestError
from ppl_mle.inference.estimates import Estimates
from ppl_mle.maximize import Maximum
from ppl_mle.read.scale import LINE


def estimate_declared(maximum: Maximum) -> Estimates:
    """Estimates of the free variables on the declared scale, with the limits that a diagnosis found.

    The covariance is J C J' with the Jacobian J of the declared values and the covariance C on the unconstrained
    scale (Rao 1973, 6a.2).
    """
    likelihood = maximum.plan.likelihood
    values = likelihood.mapping.declared(maximum.theta).copy()
    covariance = propagate(likelihood.mapping.jacobian(maximum.theta), maximum.covariance)
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
    covariance = propagate(mapping.deterministic_jacobian(name, maximum.theta), maximum.covariance)
    labels = maximum.plan.likelihood.label(name, value.shape)
    return Estimates(labels, np.ravel(value).astype(float), covariance, (LINE,) * value.size)


def propagate(jacobian: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Covariance J C J' of functions of the unconstrained vector.

    Parameters
    ----------
    jacobian : array, shape (q, p)
    covariance : array, shape (p, p)
        NaN where a coordinate has no variance.

    Returns
    -------
    array, shape (q, q)
        NaN only for functions that depend on a coordinate without a variance.
    """
    unknown = np.isnan(np.diag(covariance))
    moved = jacobian @ np.where(np.isnan(covariance), 0.0, covariance) @ jacobian.T
    lost = np.any(jacobian[:, unknown] != 0, axis=1)
    moved[lost, :] = moved[:, lost] = np.nan
    return moved
