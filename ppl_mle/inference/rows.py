"""The rows of a likelihood: what robust covariances, influence and resampling are made of."""

from dataclasses import dataclass

import numpy as np

from ppl_mle.errors import RequestError
from ppl_mle.maximize import Maximum
from ppl_mle.read import Form, RowTerm, group_scores, mean_columns, row_scores, score_products


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of one observed variable or Potential.

    Parameters
    ----------
    name : str
    shape : tuple of int
        Of the elementwise log-density.
    terms : tuple of RowTerm
        Their sum is the log-density of each row.
    """

    name: str
    shape: tuple[int, ...]
    terms: tuple[RowTerm, ...]

    @property
    def count(self) -> int:
        """Number of rows."""
        return self.terms[0].count

    @property
    def nobs(self) -> float:
        """Number of observations, frequency weights counted."""
        weights = self.terms[0].weights
        return float(self.count if weights is None else weights.sum())

    def scores(self, theta: np.ndarray) -> np.ndarray:
        """Gradient of every row on the unconstrained scale, shape (count, p)."""
        return np.asarray(sum(row_scores(term, theta) for term in self.terms))

    def products(self, theta: np.ndarray, factors: np.ndarray | None = None) -> np.ndarray:
        """Sum over rows of factor times score times score', shape (p, p)."""
        if len(self.terms) == 1:
            return score_products(self.terms[0], theta, factors)
        scores = self.scores(theta)
        return scores.T @ (scores if factors is None else factors[:, None] * scores)

    def group_sums(self, theta: np.ndarray, codes: np.ndarray, groups: int) -> np.ndarray:
        """Scores summed within groups, shape (groups, p)."""
        return np.asarray(sum(group_scores(term, theta, codes, groups) for term in self.terms))


def rows_of(maximum: Maximum, purpose: str) -> tuple[Rows, ...]:
    """Rows of every observed variable and Potential of a maximized likelihood.

    Parameters
    ----------
    maximum : Maximum
    purpose : str
        What needs them, for the message.

    Raises
    ------
    RequestError
        A term has no rows, or the estimate does not maximize a likelihood.
    """
    likelihood = maximum.plan.likelihood
    if likelihood.latents or not (likelihood.estimator == "MLE" or likelihood.flat_priors):
        kept = f"the density of {', '.join(likelihood.latents)}" if likelihood.latents else "priors"
        raise RequestError(f"{purpose} needs a maximized likelihood, but {kept} entered this one; use find_MLE")
    found = []
    for form, term in zip(likelihood.forms, likelihood.terms, strict=True):
        if term.kind in ("observed", "potential"):
            found += [_rows(form, purpose)] if form.count else []
    return tuple(rows for rows in found if rows.terms)


def mean_coordinates(rows: tuple[Rows, ...]) -> np.ndarray:
    """Coordinates of the mean predictors: the location of a known family, else every predictor that differs by row.

    Returns
    -------
    array of int, ascending
    """
    columns = [mean_columns(term) for one in rows for term in one.terms]
    return np.unique(np.concatenate(columns)) if columns else np.array([], int)


def _rows(form: Form, purpose: str) -> Rows:
    if not form.sums:
        raise RequestError(
            f"{purpose} needs the rows of '{form.name}', which has no predictor form: {form.reason}; "
            "the observed information needs none"
        )
    terms = tuple(term for term in form.sums if term.groups)
    if len({term.count for term in terms}) > 1:
        raise RequestError(f"{purpose} needs the rows of '{form.name}', a sum of sums of different lengths")
    return Rows(form.name, form.shape, terms)
