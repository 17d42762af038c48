"""The terms of a model's log-density: which are summed, how many rows each has, and the support of the rest."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pytensor.tensor as pt
from pymc.distributions.continuous import Flat
from pytensor.graph.traversal import ancestors
from pytensor.tensor.variable import TensorConstant

from ppl_mle.errors import ModelError, RequestError
from ppl_mle.read.interpret import as_tensor
from ppl_mle.read.likelihood import Estimator, Kind, Term


class Source(NamedTuple):
    """One term before it is tied to the unconstrained vector."""

    rv: Any
    kind: Kind


def choose_terms(model: Any, free: Sequence[Any], latents: set[Any], estimator: Estimator) -> list[Source]:
    """The terms that an estimator sums: the likelihood, latent densities, and for MAP the priors."""
    renamed = [potential.name for potential in model.potentials if potential in model.free_RVs]
    if renamed:
        raise ModelError(f"the Potential '{renamed[0]}' is a free variable itself, renamed; declare 1 * that variable")
    terms = [Source(rv, "observed") for rv in model.observed_RVs]
    terms += [Source(potential, "potential") for potential in model.potentials]
    terms += [Source(rv, "latent") for rv in free if rv in latents]
    if estimator == "MAP":
        terms += [Source(rv, "prior") for rv in free if rv not in latents]
    return terms


def is_joint(model: Any, source: Source, graph: Any) -> bool:
    """Tell whether an observed vector has one joint log-density, so that its rows have no meaning."""
    return source.kind == "observed" and not graph.type.ndim and model.rvs_to_values[source.rv].type.ndim > 0


def support_of(model: Any, free: Any, latents: set[Any], estimator: Estimator) -> Any:
    """Zero inside the support of the parameters whose transform does not enforce it, minus infinity outside."""
    if estimator == "MAP":
        return None
    unguarded = [
        rv
        for rv in free
        if rv not in latents and model.rvs_to_transforms[rv] is None and not isinstance(rv.owner.op, Flat.rv_type)
    ]
    if not unguarded:
        return None
    graphs = [g for g in model.logp(vars=unguarded, jacobian=False, sum=False) if _has_edge(g)]
    if not graphs:
        return None
    inside = [pt.all(pt.gt(as_tensor(graph), -np.inf)) for graph in graphs]
    return pt.switch(pt.all(pt.stack(inside)), 0.0, -np.inf)


def _has_edge(graph: Any) -> bool:
    return any(isinstance(v, TensorConstant) and np.any(np.isneginf(v.data)) for v in ancestors([graph]))


def count_observations(terms: Sequence[Term], nobs: float | None) -> float:
    """Number of observations: `nobs` where it is given, else the rows of the observed terms, NaN where one has none."""
    if nobs is not None:
        if not (np.isfinite(nobs) and nobs > 0):
            raise RequestError(f"nobs={nobs} must be a positive number of observations")
        return float(nobs)
    return float(sum(term.rows for term in terms if term.kind in ("observed", "potential")))
