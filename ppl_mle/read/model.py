"""Read a PyMC model: check it, find the roles, choose the terms, read each in its predictor form."""

from collections.abc import Mapping as MappingType
from collections.abc import Sequence
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.graph.traversal import ancestors

from ppl_mle.errors import ModelError
from ppl_mle.read.densities import Densities
from ppl_mle.read.evaluation import build_objective, build_original, read_forms
from ppl_mle.read.form.known import Known
from ppl_mle.read.formula import graph_of_formula, is_formula_model
from ppl_mle.read.interpret import without_compiler
from ppl_mle.read.joined import Joined
from ppl_mle.read.labels import as_coordinate, dims_of
from ppl_mle.read.likelihood import Estimator, Likelihood, Term
from ppl_mle.read.mapping import Mapping
from ppl_mle.read.missing import find_missing
from ppl_mle.read.roles import find_latents, has_constant_density, refuse_discrete, refuse_minibatches
from ppl_mle.read.starting import Starts
from ppl_mle.read.terms import choose_terms, count_observations, is_joint, support_of
from ppl_mle.read.variables import describe_variables, own_scales
from ppl_mle.read.weights import total_weight, weigh


def current_model(model: Any = None, estimator: Estimator = "MAP") -> Any:
    """Return `model`, or the model of the enclosing `with` block; of a bambi model its graph.

    Parameters
    ----------
    model : pm.Model or bambi.Model, optional
    estimator : {"MLE", "MAP"}
        With `MLE`, and with flat priors, a formula's predictors are not centered.

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
    if is_formula_model(model):
        return graph_of_formula(model, estimator)
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
        joined = Joined(model, free, start.shapes, start(None))
        densities = Densities(model)
        graphs = densities.of([source.rv for source in sources])
        joint = [is_joint(model, s, g) for s, g in zip(sources, graphs, strict=True)]
        known = Known(dict(zip(joined.values, joined.shapes, strict=True)), densities.data)
        forms = read_forms(densities, known, joined, sources, graphs, weights)
        support = support_of(model, free, latents, estimator)
        weighed = [weigh(graph, form) for graph, form in zip(graphs, forms, strict=True)]
        sums = densities.restored([pt.cast(graph.sum(), "float64") for graph in weighed])

    pairs = zip(sources, forms, joint, strict=True)
    terms = tuple(Term(s.rv.name, s.kind, np.nan if no_rows else total_weight(s, f)) for s, f, no_rows in pairs)
    variables = describe_variables(model, free, latents, start.shapes)
    kept = [det for det in model.deterministics if not any(rv in missing for rv in ancestors([det]))]
    return Likelihood(
        estimator=estimator,
        variables=variables,
        terms=terms,
        forms=tuple(forms),
        objective=build_objective(joined, forms, sums, support),
        original=build_original(joined, known, forms, weighed, sums),
        mapping=Mapping(joined, free, kept, start, own_scales(variables)),
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


def _missing_sentences(missing: MappingType[Any, str]) -> list[str]:
    return [
        f"{int(np.prod(rv.type.shape))} rows of '{name}' have no response and are left out "
        "(exact: the rows are independent)"
        for rv, name in missing.items()
    ]
