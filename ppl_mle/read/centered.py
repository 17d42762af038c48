"""Whether a graph holds predictors less their means, as bambi writes them."""

import numpy as np

from ppl_mle.read.likelihood import Likelihood
from ppl_mle.read.rows.objective import RowObjective
from ppl_mle.read.rows.predictor import Predictor

_ROUNDING = 1e-9


def has_centered_predictors(likelihood: Likelihood) -> bool:
    """Tell whether some predictor has columns that differ between rows, all of them with the mean 0."""
    objective = likelihood.objective
    if not isinstance(objective, RowObjective):
        return False
    return any(_is_centered(eta, term.count) for term in objective.terms for eta in term.predictors)


def _is_centered(predictor: Predictor, rows: int) -> bool:
    if predictor.is_shared:
        return False
    matrix = predictor.matrix(predictor.columns, rows)
    moving = matrix[:, np.ptp(matrix, axis=0) > 0]
    return bool(moving.size and np.all(np.abs(moving.mean(axis=0)) <= _ROUNDING * np.abs(moving).max(axis=0)))
