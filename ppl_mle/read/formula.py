"""Models that bambi writes from a formula, as the PyMC models behind them."""

import copy
from typing import Any

_FLAT = ("Flat", "HalfFlat")


def is_formula_model(model: Any) -> bool:
    """Tell whether this is a bambi model; bambi is not imported."""
    return type(model).__module__.split(".")[0] == "bambi" and hasattr(model, "backend")


def graph_of_formula(model: Any, estimator: str) -> Any:
    """The PyMC model of a bambi model.

    Bambi centers the predictors, and corrects the intercept after sampling only. Where that changes nothing but the
    meaning of the intercept, in a likelihood and under flat priors, the model is built without centering, so that the
    intercept is the formula's. Else the priors are about the centered intercept, and so is the estimate.

    Parameters
    ----------
    model : bambi.Model
        Never changed.
    estimator : {"MLE", "MAP"}

    Returns
    -------
    pm.Model
    """
    built = copy.copy(model)
    if model.center_predictors and (estimator == "MLE" or _has_flat_coefficients(model)):
        built.center_predictors = False
    built.build()
    return built.backend.model


def _has_flat_coefficients(model: Any) -> bool:
    """Whether intercepts and common effects have flat priors in every part of the model."""
    components = model.parameters if hasattr(model, "parameters") else model.components
    parts = [part for part in components.values() if hasattr(part, "common_terms")]
    terms = [term for part in parts for term in (part.intercept_term, *part.common_terms.values()) if term is not None]
    return all(getattr(term.prior, "name", "") in _FLAT for term in terms)
