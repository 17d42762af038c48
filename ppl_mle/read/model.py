"""Read a PyMC model: check it, find the roles, choose the terms, build the functions."""

from collections.abc import Mapping as MappingType
from collections.abc import Sequence
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.replace import graph_replace
from pytensor.graph.traversal import ancestors

from ppl_mle.errors import ModelError
from ppl_mle.read.interpret import as_tensor, without_compiler, without_dims
from ppl_mle.read.labels import as_coordinate, dims_of
from ppl_mle.read.likelihood import Estimator, Likelihood, Term
from ppl_mle.read.mapping import Mapping
from ppl_mle.read.missing import find_missing
from ppl_mle.read.objective import Objective
from ppl_mle.read.original import Original
from ppl_mle.read.roles import find_latents, has_constant_density, refuse_discrete, refuse_minibatches
from ppl_mle.read.starting import Starts
from ppl_mle.read.terms import choose_terms, count_observations, count_rows, is_joint, support_of
from ppl_mle.read.variables import describe_variables, own_scales
from ppl_mle.read.weights import weigh
from ppl_mle.read.widen import widen_constants


def current_model(model: Any = None) -> Any:
    """Return `model`, or the model of the enclosing `with` block.

    Raises
    ------
    ModelError
        Neither was given, or `model` is no PyMC model.
    """
    if model is None:
        try:
            return pm.modelcontext(None)
        except TypeError:
            raise ModelError("no model given: pass model=, or call inside `with model:`") from None
    if not isinstance(model, pm.Model):
        raise ModelError(f"expected a pymc.Model, got {type(model).__name__}; pass the model that you declared")
    return model


def read_model(
    model: Any,
    estimator: Estimator = "MLE",
    *,
    latent: Sequence[str] | None = None,
    weights: Any = None,
    nobs: float | None = None,
) -> Likelihood:
    """Read a PyMC model into the log-density that an estimator maximizes.

    Parameters
    ----------
    model : pm.Model
    estimator : {"MLE", "MAP"}
        `MLE` sums the observed variables, Potentials and latent densities; `MAP` adds the priors.
    latent : sequence of str, optional
        Names of variables whose density is kept; overrides the inference about non-centered ones.
    weights : array or dict of str to array, optional
        Frequency weight of each row of the observed variable (a dict when there are several).
    nobs : float, optional
        Number of observations, for models with Potentials.

    Returns
    -------
    Likelihood

    Raises
    ------
    ModelError
        Discrete free variables, nothing observed, nothing free, missing values that cannot be left out.
    RequestError
        An unknown name in `latent`, or weights that do not fit.
    """
    missing = find_missing(model)
    _refuse_empty(model, missing)
    latents, findings = find_latents(model, latent)
    free = [rv for rv in model.free_RVs if rv not in missing]
    sources = choose_terms(model, free, latents, estimator)

    with without_compiler():
        start = Starts(model, free)
        theta, replacements = _join_values(model, free, start)
        data = _frozen_data(model)
        graphs = model.logp(vars=[source.rv for source in sources], jacobian=False, sum=False)
        graphs = widen_constants([as_tensor(graph) for graph in graphs])
        rows = [count_rows(s, g, replacements | data, theta, start(None)) for s, g in zip(sources, graphs, strict=True)]
        joint = [is_joint(model, s, g) for s, g in zip(sources, graphs, strict=True)]
        graphs, totals = weigh([(s.rv.name, s.kind) for s in sources], graphs, rows, weights)
        sums = [pt.cast(graph.sum(), "float64") for graph in graphs]
        joined = without_dims(graph_replace(sums, replacements | data, strict=False))
        support = support_of(model, free, latents, estimator, replacements | data)
        declared = _as_functions(model, free, replacements | data)
        deterministics = _deterministics(model, missing, replacements | data)

    totals = [np.nan if no_rows else total for no_rows, total in zip(joint, totals, strict=True)]
    terms = tuple(Term(s.rv.name, s.kind, total) for s, total in zip(sources, totals, strict=True))
    values = [model.rvs_to_values[rv] for rv in free]
    variables = describe_variables(model, free, latents, start.shapes)
    return Likelihood(
        estimator=estimator,
        variables=variables,
        terms=terms,
        objective=Objective(theta, joined, support, max(rows, default=1)),
        original=Original(values, start.shapes, sums, max(rows, default=1)),
        mapping=Mapping(theta, declared, deterministics, start, own_scales(variables)),
        dims={var.name: dims_of(model, var.name, var.type.ndim) for var in [*free, *model.deterministics]},
        coords={dim: as_coordinate(values) for dim, values in model.coords.items() if values is not None},
        nobs=count_observations(terms, nobs),
        missing={name: int(np.prod(rv.type.shape)) for rv, name in missing.items()},
        weighted=weights is not None,
        flat_priors=all(has_constant_density(rv) for rv in free if rv not in latents),
        findings=tuple(findings) + tuple(_missing_sentences(missing)),
    )


def _refuse_empty(model: Any, missing: MappingType[Any, str]) -> None:
    if not model.observed_RVs and not model.potentials:
        raise ModelError("the model has no observed variable and no Potential, so it has no likelihood; pass observed=")
    refuse_minibatches(model)
    refuse_discrete([rv for rv in model.free_RVs if rv not in missing])
    if not [rv for rv in model.free_RVs if rv not in missing]:
        raise ModelError("the model has no free variable, so there is nothing to estimate; declare one, e.g. pm.Flat")


def _join_values(model: Any, free: Sequence[Any], start: Starts) -> tuple[Any, dict[Any, Any]]:
    """One vector for all value variables, and what replaces each of them."""
    theta = pt.vector("theta", dtype="float64", shape=(sum(int(np.prod(shape)) for shape in start.shapes),))
    replacements, position = {}, 0
    for rv, shape in zip(free, start.shapes, strict=True):
        value, size = model.rvs_to_values[rv], int(np.prod(shape))
        part = theta[position : position + size].reshape(shape) if shape else theta[position]
        part = part.astype(value.type.dtype)
        replacements[value] = value.type.filter_variable(part, allow_convert=True)
        position += size
    return theta, replacements


def _frozen_data(model: Any) -> dict[Any, Any]:
    """Constants in the place of `pm.Data`: a data set that is replaced later asks for a new reading."""
    return {
        data: data.type.filter_variable(pt.constant(data.get_value(), dtype=data.type.dtype), allow_convert=True)
        for data in model.data_vars
        if isinstance(data, SharedVariable)
    }


def _deterministics(model: Any, missing: Any, known: Any) -> dict[str, Any]:
    kept = [det for det in model.deterministics if not any(rv in missing for rv in ancestors([det]))]
    graphs = _as_functions(model, kept, known) if kept else []
    return {det.name: graph for det, graph in zip(kept, graphs, strict=True)}


def _as_functions(model: Any, variables: Sequence[Any], known: Any) -> list[Any]:
    """Variables of the model as functions of the unconstrained vector."""
    graphs = [as_tensor(graph) for graph in model.replace_rvs_by_values(list(variables))]
    return without_dims(graph_replace(graphs, known, strict=False))


def _missing_sentences(missing: MappingType[Any, str]) -> list[str]:
    return [
        f"{int(np.prod(rv.type.shape))} rows of '{name}' have no response and are left out "
        "(exact: the rows are independent)"
        for rv, name in missing.items()
    ]
