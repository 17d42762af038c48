"""Closed forms: one parameter, one family whose maximum is where the mean response is the mean of the model."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.special import ndtri

from ppl_mle.maximize.predictor_newton import PredictorNewton
from ppl_mle.maximize.problem import Problem
from ppl_mle.maximize.search import Search
from ppl_mle.maximize.solved import end_at
from ppl_mle.plan import Verdict
from ppl_mle.read import Likelihood, RowObjective, RowTerm
from ppl_mle.read.rows.blocks import Constant
from ppl_mle.read.rows.closed import known_numbers, location, own_coordinate, response

_LINKS: dict[str, Callable[[float], float]] = {
    "logit": lambda p: float(np.log(p) - np.log1p(-p)),
    "probit": lambda p: float(ndtri(p)),
    "cloglog": lambda p: float(np.log(-np.log1p(-p))),
    "poisson_log": lambda m: float(np.log(m)),
    "exponential": lambda m: float(np.log(m)),
}


@dataclass(frozen=True)
class ClosedForm:
    """The mean of the responses, through the link.

    Bernoulli and binomial, Poisson and exponential rows that share one predictor of one parameter: the likelihood
    equation is that the model's mean is the observed one (Fisher 1922).

    Parameters
    ----------
    otherwise : PredictorNewton
        For maxima that are not finite.
    """

    otherwise: PredictorNewton = field(default_factory=PredictorNewton)
    name: str = "closed form"

    def judge(self, likelihood: Likelihood, dimensions: int) -> Verdict:
        """Suit one parameter that all rows of one family share, with a mean response inside its range."""
        found = _one_parameter(likelihood)
        if isinstance(found, str):
            return Verdict(self.name, False, found)
        if _eta(found) is None:
            return Verdict(self.name, False, "the mean response lies on the edge of its range")
        return Verdict(self.name, True, f"the maximum is the mean response through the {_link(found)} link")

    def search(self, problem: Problem, x: np.ndarray, tick: Callable[[int, float], None]) -> Search:
        """Put the parameter where the means agree."""
        found = _one_parameter(problem.likelihood)
        eta = None if isinstance(found, str) else _eta(found)
        if isinstance(found, str) or eta is None or problem.size != 1:
            return self.otherwise.search(problem, x, tick)
        (predictor,) = found.predictors
        (constant,) = (block for block in predictor.blocks if isinstance(block, Constant))
        solution = np.array([(eta - predictor.offset) / constant.coefficients[0]])
        return end_at(problem, solution, x, tick) or self.otherwise.search(problem, x, tick)


def _one_parameter(likelihood: Likelihood) -> RowTerm | str:
    objective = likelihood.objective
    if not isinstance(objective, RowObjective) or objective.rest is not None:
        return "a term has no predictor form"
    moving = [term for term in objective.terms if term.groups]
    if likelihood.size != 1 or len(moving) != 1:
        return "more than one parameter or term"
    (term,) = moving
    if _link(term) not in _LINKS or not location(term).is_predictor:
        return "no family whose maximum is its mean"
    if len(term.predictors) != 1 or own_coordinate(term, 0) is None:
        return "the rows do not share one predictor"
    return term


def _link(term: RowTerm) -> str:
    family, _, link = term.form.partition("_")
    return link if family in ("bernoulli", "binomial") else term.form


def _eta(term: RowTerm) -> float | None:
    """The predictor's value at the maximum; None where it is infinite."""
    weights: Any = 1.0 if term.weights is None else term.weights
    sizes: Any = np.broadcast_to(known_numbers(term)[0] if known_numbers(term) else 1.0, (term.count,))
    mean = float(np.sum(weights * np.asarray(response(term), float)) / np.sum(weights * sizes))
    with np.errstate(all="ignore"):
        eta = _LINKS[_link(term)](mean)
    return eta if np.isfinite(eta) else None
