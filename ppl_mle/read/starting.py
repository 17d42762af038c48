"""PyMC's initial point as an unconstrained vector, with declared values put in where they are given."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pymc.initial_point import convert_str_to_rv_dict, make_initial_point_expression
from pymc.pytensorf import find_rng_nodes, replace_rng_nodes, reseed_rngs

from ppl_mle.errors import RequestError, StartError
from ppl_mle.read.interpret import as_tensor, interpreted, without_compiler, without_dims
from ppl_mle.read.structure import built_once

_SEED = 0


class Starts:
    """PyMC's initial point of some free variables.

    Parameters
    ----------
    model : pm.Model
    free : sequence of free variables
        In the order of the unconstrained vector.
    """

    def __init__(self, model: Any, free: Sequence[Any]) -> None:
        self._model = model
        self._names = [model.rvs_to_values[rv].name for rv in free]
        self._default = self._point(None)
        self.shapes = [np.shape(self._default[name]) for name in self._names]

    @property
    def is_set(self) -> bool:
        """Whether a variable of the model was declared with an initial value of its own."""
        return bool(self.chosen(None))

    def chosen(self, initvals: Mapping[str, Any] | None) -> set[str]:
        """Names of the variables that were declared with an initial value of their own, or are given one."""
        model, given = self._model, set(initvals or {})
        own = {rv for rv, value in model.rvs_to_initial_values.items() if not (value is None or isinstance(value, str))}
        named = {rv for rv in model.free_RVs if given & {rv.name, model.rvs_to_values[rv].name}}
        return {str(rv.name) for rv in own | named}

    def __call__(self, initvals: Mapping[str, Any] | None) -> np.ndarray:
        """Unconstrained vector of the initial point, or of the point with declared values put in."""
        point = self._default if not initvals else self._point(self._checked(initvals))
        for name, shape in zip(self._names, self.shapes, strict=True):
            if np.shape(point[name]) != shape:
                raise RequestError(f"the initial value of {name!r} has shape {np.shape(point[name])}, expected {shape}")
        return np.concatenate([np.ravel(point[name]) for name in self._names]).astype(float)

    def _point(self, overrides: Any) -> dict[str, Any]:
        names = [value.name for value in self._model.value_vars]
        with np.errstate(all="ignore"):
            try:
                return dict(zip(names, self._evaluate(overrides or {}), strict=True))
            except (ValueError, TypeError, np.linalg.LinAlgError) as exc:
                given = f" with initvals={overrides}" if overrides else ""
                raise StartError(f"PyMC's initial point{given} cannot be computed: {_first_line(exc)}") from exc

    def _evaluate(self, overrides: Mapping[str, Any]) -> list[Any]:
        """Interpret PyMC's expression of the initial point; what it draws from priors is seeded."""
        model = self._model
        with without_compiler():
            graphs = make_initial_point_expression(
                free_rvs=model.free_RVs,
                rvs_to_transforms=model.rvs_to_transforms,
                initval_strategies=model.rvs_to_initial_values | convert_str_to_rv_dict(model, dict(overrides)),
                return_transformed=True,
            )
            graphs = without_dims(replace_rng_nodes([as_tensor(graph) for graph in graphs]))
        generators = find_rng_nodes(graphs)
        reseed_rngs(generators, _SEED)
        return interpreted([], graphs)() if generators else built_once("start", [], graphs, interpreted)()

    def _checked(self, initvals: Mapping[str, Any]) -> dict[str, Any]:
        known = {rv.name for rv in self._model.free_RVs} | {value.name for value in self._model.value_vars}
        unknown = [name for name in initvals if str(name) not in known]
        if unknown:
            raise RequestError(f"initvals names {unknown[0]!r}, which is no free variable; these are {sorted(known)}")
        return {str(name): np.asarray(value, float) for name, value in initvals.items()}


def _first_line(exc: BaseException) -> str:
    return (str(exc).strip().splitlines() or [type(exc).__name__])[0]
