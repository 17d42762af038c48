"""Leverage: how much each row draws its own fitted value."""

from typing import Any

import numpy as np

from ppl_mle.errors import RequestError
from ppl_mle.inference.rows import Rows
from ppl_mle.maximize import Maximum
from ppl_mle.read import RowTerm, expected_weights, mean_predictor


def leverage(maximum: Maximum, rows: Rows, expected: bool = False) -> np.ndarray:
    """Diagonal of the hat matrix of the mean predictor, with the working weights of the maximum.

    h_i = w_i a_i' (A'WA)^-1 a_i, with w_i minus the second derivative of the row's log-density in its mean predictor
    (Pregibon 1981; Hoaglin and Welsch 1978 for the normal case). Of a row with a frequency weight it is the leverage
    of one of the rows it stands for.

    Parameters
    ----------
    maximum : Maximum
    rows : Rows
        Of one observed variable.
    expected : bool
        Take the expectation of the working weights, as iteratively reweighted least squares does.

    Returns
    -------
    array, shape (count,)

    Raises
    ------
    RequestError
        The rows have no single mean predictor, or a working weight is negative or its expectation not known.
    """
    term, position = _mean_term(rows)
    weights = _working_weights(term, position, maximum.theta, rows.name, expected)
    columns = np.setdiff1d(term.predictors[position].columns, list(maximum.held))
    roots = np.sqrt(weights)[:, None] * term.predictors[position].matrix(columns, term.count)
    scale = np.linalg.norm(roots, axis=0)
    kept = scale > 0
    left, singular, _ = np.linalg.svd(roots[:, kept] / scale[kept], full_matrices=False)
    rank = singular > singular[:1] * np.finfo(float).eps * max(roots.shape)
    hat = np.sum(left[:, rank] ** 2, axis=1)
    return hat if term.weights is None else np.divide(hat, term.weights, out=np.zeros_like(hat), where=term.weights > 0)


def _mean_term(rows: Rows) -> tuple[RowTerm, int]:
    found = [(term, mean_predictor(term)) for term in rows.terms]
    term, position = found[0]
    if len(found) > 1 or position is None:
        raise RequestError(
            f"leverage needs one affine mean predictor, and '{rows.name}' has none or several; use HC0, HC1 or the "
            "jackknife, which need none"
        )
    return term, position


def _working_weights(term: RowTerm, position: int, theta: np.ndarray, name: str, expected: bool) -> np.ndarray:
    found = expected_weights(term, position, theta) if expected else _observed_weights(term, position, theta)
    if found is None:
        raise RequestError(f"the expected information of '{name}' is not known; use bread='observed'")
    weights = np.broadcast_to(found, (term.count,))
    negative = np.flatnonzero(~(weights >= 0))
    if negative.size:
        raise RequestError(
            f"leverage of '{name}' needs working weights >= 0, and row {negative[0]} has {weights[negative[0]]:.3g}; "
            "use HC0, HC1 or the jackknife"
        )
    return weights


def _observed_weights(term: RowTerm, position: int, theta: np.ndarray) -> Any:
    with np.errstate(all="ignore"):
        jet = term.density(theta, slice(0, term.count, 1), 2)
    return 0.0 if jet is None else -np.asarray(jet.second.get((position, position), 0.0))
