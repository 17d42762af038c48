"""A likelihood that is one Gaussian term: its mean, and its standard deviation where that is free."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ppl_mle.maximize.problem import Problem
from ppl_mle.read import Likelihood, RowObjective, RowTerm
from ppl_mle.read.rows.closed import known_numbers, location, own_coordinate, response


@dataclass(frozen=True, eq=False)
class Gaussian:
    """y_i ~ N(m_i(theta), sd_i).

    Parameters
    ----------
    term : RowTerm
    linear : bool
        The mean is a predictor itself.
    deviation : int or None
        Coordinate of log sd, which nothing else uses; None where every sd is known.
    """

    term: RowTerm
    linear: bool
    deviation: int | None

    def columns(self, problem: Problem) -> np.ndarray:
        """Free coordinates that the mean depends on."""
        used = np.unique(np.concatenate([self.term.predictors[k].columns for k in location(self.term).uses]))
        return np.intersect1d(used, problem.free)

    @property
    def response(self) -> np.ndarray:
        """The observations, shape (n,)."""
        return np.asarray(response(self.term), float)

    def root_weights(self) -> Any:
        """What each residual is multiplied by: the root of its frequency weight, over its sd where that is known."""
        roots: Any = 1.0 if self.term.weights is None else np.sqrt(self.term.weights)
        return roots if self.deviation is not None else roots / known_numbers(self.term)[0]

    def scale(self, residuals: np.ndarray) -> float:
        """log sd that maximizes the likelihood, from weighted residuals."""
        count = float(self.term.count if self.term.weights is None else self.term.weights.sum())
        largest = float(np.max(np.abs(residuals), initial=0.0)) or 1.0
        return float(np.log(largest) + 0.5 * np.log(np.sum((residuals / largest) ** 2) / count))


def as_gaussian(likelihood: Likelihood) -> Gaussian | str:
    """Recognize a Gaussian likelihood, or say why it is none."""
    objective = likelihood.objective
    if not isinstance(objective, RowObjective) or objective.rest is not None:
        return "a term has no predictor form"
    moving = [term for term in objective.terms if term.groups]
    if len(moving) != 1:
        return f"{len(moving)} terms depend on the parameters, not one"
    (term,) = moving
    if term.form not in ("normal", "normal_known"):
        return "the likelihood is not normal"
    linear = location(term).is_predictor
    if term.form == "normal_known":
        return Gaussian(term, linear, None)
    deviation = own_coordinate(term, 1)
    if deviation is None:
        return "the standard deviation is not one parameter of its own"
    return Gaussian(term, linear, deviation)
