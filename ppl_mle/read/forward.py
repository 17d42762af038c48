"""PyMC's own forward draws of the observed variables, at given values of the parameters."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.compile.mode import Mode
from pytensor.graph.replace import clone_replace
from pytensor.graph.rewriting.db import RewriteDatabaseQuery

from ppl_mle.errors import RequestError
from ppl_mle.read.interpret import without_compiler

_MODE = Mode(
    linker="py",
    optimizer=RewriteDatabaseQuery(
        include=("lower_xtensor", "inline_ofg_expansion", "merge", "canonicalize"), exclude=("fusion",)
    ),
)


def draw_observed(model: Any, values: Mapping[str, np.ndarray], draws: int, seed: int) -> dict[str, np.ndarray]:
    """Draw data sets; free variables without a value are drawn too.

    Parameters
    ----------
    model : pm.Model
    values : dict of str to array
        Declared values of free variables.
    draws : int
    seed : int

    Returns
    -------
    dict of str to array
        Shape (draws, *shape) for every observed variable.

    Raises
    ------
    RequestError
        A distribution has no forward draws, or none at these values.
    """
    observed = list(model.observed_RVs)
    if not observed:
        raise RequestError("the model has Potentials alone, which cannot be simulated; use the bootstrap of rows")
    swap = {}
    for rv in model.free_RVs:
        if rv.name in values:
            constant = pt.constant(np.asarray(values[rv.name]), dtype=rv.type.dtype)
            swap[rv] = rv.type.filter_variable(constant, allow_convert=True)
    try:
        with without_compiler(), np.errstate(all="ignore"):
            graphs = clone_replace(observed, swap, rebuild_strict=False)
            found = pm.draw(graphs, draws=draws, random_seed=seed, mode=_MODE)
    except (NotImplementedError, ValueError) as exc:
        reason = (str(exc).strip().splitlines() or [type(exc).__name__])[0]
        raise RequestError(f"PyMC cannot draw {', '.join(rv.name for rv in observed)}: {reason}") from exc
    shaped = [np.reshape(array, (draws, *np.shape(array)[1:])) for array in found]
    return {rv.name: array for rv, array in zip(observed, shaped, strict=True)}
