"""Responses that PyMC would impute: left out where that is exact, refused by name where it is not."""

from typing import Any

from pytensor.graph.traversal import ancestors
from pytensor.tensor.random.op import RandomVariable

from ppl_mle.errors import ModelError

OBSERVED_PART = "_observed"
"""What PyMC appends to the name of a variable for those of its rows that have a response."""


def find_missing(model: Any) -> dict[Any, str]:
    """Find the free variables that stand for missing responses and may be left out.

    For independent univariate rows the missing values integrate to one, so leaving them out is exact.

    Parameters
    ----------
    model : pm.Model

    Returns
    -------
    dict
        From the free variable to the name of the observed variable whose rows are missing.

    Raises
    ------
    ModelError
        The rows are not independent and univariate, or another part of the model uses the missing values.
    """
    observed = {rv.name for rv in model.observed_RVs}
    suffix = "_unobserved"
    missing = {
        rv: rv.name.removesuffix(suffix)
        for rv in model.free_RVs
        if rv.name.endswith(suffix) and rv.name.removesuffix(suffix) + OBSERVED_PART in observed
    }
    for rv, name in missing.items():
        _refuse_unless_exact(model, rv, name)
    return missing


def _refuse_unless_exact(model: Any, rv: Any, name: str) -> None:
    op = rv.owner.op
    if not isinstance(op, RandomVariable) or op.ndim_supp:
        raise ModelError(
            f"'{name}' has missing values and its rows are not independent univariate ones, so they cannot be left "
            "out; give complete rows, or sample the posterior of this model with pm.sample"
        )
    others = [v for v in [*model.free_RVs, *model.observed_RVs] if v is not rv]
    users = [v.name for v in others if rv in ancestors(list(v.owner.inputs))]
    users += [term.name for term in model.potentials if rv in ancestors([term])]
    if users:
        raise ModelError(
            f"'{name}' has missing values that '{users[0]}' depends on, so they are unknowns of the model and not "
            "rows to leave out; remove those rows, or sample the posterior with pm.sample"
        )
