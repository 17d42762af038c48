"""Read a PyMC model: check it, find the roles, choose the terms, build the functions."""

from collections.abc import Mapping as MappingType, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pymc.distributions.continuous import Flat
from pymc.initial_point import make_initial_point_fn
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.replace import graph_replace
from pytensor.graph.traversal import ancestors
from pytensor.tensor.variable import TensorConstant

from ppl_mle.errors import ModelError, RequestError, StartError
from ppl_mle.read.interpret import interpreted, without_compiler
from ppl_mle.read.labels import coordinates_of, dims_of, element_labels
from ppl_mle.read.likelihood import Kind, Likelihood, Term, Variable
from ppl_mle.read.mapping import Mapping
from ppl_mle.read.missing import find_missing
from ppl_mle.read.objective import Objective
from ppl_mle.read.original import Original
from ppl_mle.read.roles import find_latents, has_constant_density, refuse_discrete
from ppl_mle.read.scale import is_elementwise, scales_of
from ppl_mle.read.weights import weigh

Estimator = Literal["MLE", "MAP"]


class _Source(NamedTuple):
    """One term before it is tied to the unconstrained vector."""

    rv: Any
    kind: Kind


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
    sources = _choose_terms(model, free, latents, estimator)

    with without_compiler():
        start = _Starts(model, free)
        theta, replacements = _join_values(model, free, start)
        data = _frozen_data(model)
        graphs = model.logp(vars=[source.rv for source in sources], jacobian=False, sum=False)
        graphs = [pt.as_tensor(graph, allow_xtensor_conversion=True) for graph in graphs]
        rows = [_count_rows(model, s, g, replacements | data, theta, start(None)) for s, g in zip(sources, graphs, strict=True)]
        graphs, totals = weigh([(s.rv.name, s.kind) for s in sources], graphs, rows, weights)
        sums = [pt.cast(graph.sum(), "float64") for graph in graphs]
        joined = graph_replace(sums, replacements | data, strict=False)
        support = _support(model, free, latents, estimator, replacements | data)
        declared = model.replace_rvs_by_values(free)
        declared = graph_replace([_tensor(g) for g in declared], replacements | data, strict=False)
        deterministics = _deterministics(model, missing, replacements | data)

    terms = tuple(
        Term(s.rv.name, s.kind, total) for s, total in zip(sources, totals, strict=True)
    )
    values = [model.rvs_to_values[rv] for rv in free]
    return Likelihood(
        estimator=estimator,
        variables=_variables(model, free, latents, start),
        terms=terms,
        objective=Objective(theta, joined, support, max(rows, default=1)),
        original=Original(values, start.shapes, sums),
        mapping=Mapping(theta, declared, deterministics, start),
        nobs=_count_observations(terms, nobs),
        missing={name: int(np.prod(rv.type.shape)) for rv, name in missing.items()},
        weighted=weights is not None,
        flat_priors=all(has_constant_density(rv) for rv in free if rv not in latents),
        findings=tuple(findings) + tuple(_missing_sentences(missing)),
    )


class _Starts:
    """PyMC's initial point, with declared values put in its place where they are given."""

    def __init__(self, model: Any, free: Sequence[Any]) -> None:
        self._model = model
        self._names = [model.rvs_to_values[rv].name for rv in free]
        self._default = self._point(None)
        self.shapes = [np.shape(self._default[name]) for name in self._names]

    def __call__(self, initvals: MappingType[str, Any] | None) -> np.ndarray:
        point = self._default if not initvals else self._point(self._checked(initvals))
        for name, shape in zip(self._names, self.shapes, strict=True):
            if np.shape(point[name]) != shape:
                raise RequestError(f"the initial value of {name!r} has shape {np.shape(point[name])}, expected {shape}")
        return np.concatenate([np.ravel(point[name]) for name in self._names]).astype(float)

    def _point(self, overrides: Any) -> dict[str, Any]:
        with without_compiler(), np.errstate(all="ignore"):
            try:
                return make_initial_point_fn(model=self._model, overrides=overrides)(0)
            except (ValueError, TypeError, np.linalg.LinAlgError) as exc:
                given = f" with initvals={overrides}" if overrides else ""
                raise StartError(f"PyMC's initial point{given} cannot be computed: {_first_line(exc)}") from exc

    def _checked(self, initvals: MappingType[str, Any]) -> dict[str, Any]:
        known = {rv.name for rv in self._model.free_RVs} | {value.name for value in self._model.value_vars}
        unknown = [name for name in initvals if str(name) not in known]
        if unknown:
            raise RequestError(f"initvals names {unknown[0]!r}, which is no free variable; these are {sorted(known)}")
        return {str(name): np.asarray(value, float) for name, value in initvals.items()}


def _refuse_empty(model: Any, missing: MappingType[Any, str]) -> None:
    if not model.observed_RVs and not model.potentials:
        raise ModelError("the model has no observed variable and no Potential, so it has no likelihood; pass observed=")
    refuse_discrete(model)
    if not [rv for rv in model.free_RVs if rv not in missing]:
        raise ModelError("the model has no free variable, so there is nothing to estimate; declare one, e.g. pm.Flat")


def _choose_terms(model: Any, free: Sequence[Any], latents: set[Any], estimator: Estimator) -> list[_Source]:
    terms = [_Source(rv, "observed") for rv in model.observed_RVs]
    terms += [_Source(potential, "potential") for potential in model.potentials]
    terms += [_Source(rv, "latent") for rv in free if rv in latents]
    if estimator == "MAP":
        terms += [_Source(rv, "prior") for rv in free if rv not in latents]
    return terms


def _join_values(model: Any, free: Sequence[Any], start: _Starts) -> tuple[Any, dict[Any, Any]]:
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


def _count_rows(model: Any, source: _Source, graph: Any, known: Any, theta: Any, point: np.ndarray) -> int:
    """Rows of a term: the elements of its log-density, or the observations under one joint log-density."""
    if source.kind != "observed" or graph.type.ndim:
        if all(length is not None for length in graph.type.shape):
            return int(np.prod(graph.type.shape))
        shape = interpreted([theta], graph_replace(graph.shape, known, strict=False))
        return int(np.prod(shape(point)))
    value = model.rvs_to_values[source.rv]
    length = graph_replace(_tensor(value).size, known, strict=False)
    return int(interpreted([theta], length)(point))


def _support(model: Any, free: Any, latents: set[Any], estimator: Estimator, known: Any) -> Any:
    """Zero inside the support of the parameters whose transform does not enforce it, minus infinity outside."""
    if estimator == "MAP":
        return None
    unguarded = [rv for rv in free if rv not in latents and model.rvs_to_transforms[rv] is None and not isinstance(rv.owner.op, Flat.rv_type)]
    if not unguarded:
        return None
    graphs = [g for g in model.logp(vars=unguarded, jacobian=False, sum=False) if _has_edge(g)]
    if not graphs:
        return None
    inside = [pt.all(pt.gt(_tensor(graph), -np.inf)) for graph in graph_replace(graphs, known, strict=False)]
    return pt.switch(pt.all(pt.stack(inside)), 0.0, -np.inf)


def _has_edge(graph: Any) -> bool:
    return any(isinstance(v, TensorConstant) and np.any(np.isneginf(v.data)) for v in ancestors([graph]))


def _deterministics(model: Any, missing: Any, known: Any) -> dict[str, Any]:
    kept = [det for det in model.deterministics if not any(rv in missing for rv in ancestors([det]))]
    graphs = model.replace_rvs_by_values(kept) if kept else []
    graphs = graph_replace([_tensor(graph) for graph in graphs], known, strict=False) if kept else []
    return {det.name: graph for det, graph in zip(kept, graphs, strict=True)}


def _variables(model: Any, free: Sequence[Any], latents: set[Any], start: _Starts) -> tuple[Variable, ...]:
    shapes = _declared_shapes(model, free)
    variables: list[Variable] = []
    for rv, free_shape, shape in zip(free, start.shapes, shapes, strict=True):
        transform, size = model.rvs_to_transforms[rv], int(np.prod(shape))
        first = variables[-1].declared.stop if variables else 0
        first_free = variables[-1].free.stop if variables else 0
        dims = dims_of(model, rv.name, len(shape))
        coordinates = coordinates_of(model, dims, shape)
        value_name = model.rvs_to_values[rv].name
        free_coordinates = coordinates if free_shape == shape else [np.arange(length) for length in free_shape]
        variables.append(
            Variable(
                name=rv.name,
                role="latent" if rv in latents else "parameter",
                shape=shape,
                dims=dims,
                labels=element_labels(rv.name, coordinates),
                free_labels=element_labels(value_name, free_coordinates),
                scales=scales_of(rv, transform, size, _constant_bounds(model)),
                declared=slice(first, first + size),
                free=slice(first_free, first_free + int(np.prod(free_shape))),
                transform=None if transform is None else transform.name,
                elementwise=is_elementwise(transform),
            )
        )
    return tuple(variables)


def _declared_shapes(model: Any, free: Sequence[Any]) -> list[tuple[int, ...]]:
    if all(length is not None for rv in free for length in rv.type.shape):
        return [tuple(rv.type.shape) for rv in free]
    with without_compiler():
        shapes = model.eval_rv_shapes()
    return [tuple(int(n) for n in shapes[rv.name]) for rv in free]


def _constant_bounds(model: Any) -> Any:
    def evaluate(*bounds: Any) -> tuple[np.ndarray, ...] | None:
        graphs = [pt.as_tensor(bound) for bound in bounds]
        if any(rv in model.free_RVs for rv in ancestors(graphs)):
            return None
        return tuple(np.asarray(value, float) for value in interpreted([], graphs)())

    return evaluate


def _count_observations(terms: Sequence[Term], nobs: float | None) -> float:
    if nobs is not None:
        if not (np.isfinite(nobs) and nobs > 0):
            raise RequestError(f"nobs={nobs} must be a positive number of observations")
        return float(nobs)
    if any(term.kind == "potential" for term in terms):
        return float("nan")
    return float(sum(term.rows for term in terms if term.kind == "observed"))


def _missing_sentences(missing: MappingType[Any, str]) -> list[str]:
    return [
        f"{int(np.prod(rv.type.shape))} rows of '{name}' have no response and are left out (exact: the rows are independent)"
        for rv, name in missing.items()
    ]


def _tensor(graph: Any) -> Any:
    return pt.as_tensor(graph, allow_xtensor_conversion=True)


def _first_line(exc: BaseException) -> str:
    return (str(exc).strip().splitlines() or [type(exc).__name__])[0]
