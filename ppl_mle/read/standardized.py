"""A posterior in coordinates where its normal approximation is standard, as a PyMC model that any sampler takes."""

from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.graph.replace import graph_replace

from ppl_mle.read.interpret import without_compiler
from ppl_mle.read.likelihood import Likelihood

COORDINATES = "z"


def standardize(model: Any, posterior: Likelihood, center: np.ndarray, root: np.ndarray) -> Any:
    """A model of one free vector z, whose density is the posterior's at center + root z.

    Sampling z with a unit mass matrix is sampling the unconstrained vector with the inverse of root root' (Neal 2011,
    section 4.1).

    Parameters
    ----------
    model : pm.Model
        Never changed.
    posterior : Likelihood
        Of `read_posterior`, without missing values.
    center : array, shape (p,)
    root : array, shape (p, p)

    Returns
    -------
    pm.Model
        With the free variable `z`, shape (p,).
    """
    joined = posterior.mapping.joined
    with without_compiler(), pm.Model() as standard:
        z = pm.Flat(COORDINATES, shape=len(center), initval=np.zeros(len(center)))
        (density,) = joined.replace([model.logp()])
        moved = graph_replace(density, {joined.theta: pt.constant(center) + pt.dot(pt.constant(root), z)})
        pm.Potential("log_density", moved)
    return standard
