"""Exponentials of coefficients, where the link makes them ratios: of odds, of rates, of means, of times."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ppl_mle.inference import Results
from ppl_mle.maximize import Maximum
from ppl_mle.read.responding import Response

_MOST_ROWS = 500
_STEP = 0.25
_SAME = 1e-7
_LOGIT = {"Bernoulli": "odds ratio", "Binomial": "odds ratio"}
_LOG = {
    "Poisson": "rate ratio",
    "NegativeBinomial": "rate ratio",
    "Gamma": "ratio of means",
    "Exponential": "ratio of means",
    "Wald": "ratio of means",
    "LogNormal": "ratio of means",
    "Weibull": "ratio of means",
}


@dataclass(frozen=True)
class Ratios:
    """Coefficients whose exponentials are ratios.

    Parameters
    ----------
    name : str
        What they are ratios of.
    link : {"logit", "log"}
    labels : tuple of str
    baselines : tuple of str
        Those among `labels` that move every row alike: their exponentials are no ratios but a level.
    """

    name: str
    link: str
    labels: tuple[str, ...]
    baselines: tuple[str, ...]


def find_ratios(results: Results, maximum: Maximum, response: Response) -> Ratios | None:
    """Find the coefficients in which the link of the mean is affine, by its derivatives at two points.

    Parameters
    ----------
    results : Results
    maximum : Maximum
    response : Response

    Returns
    -------
    Ratios or None
        None where the family has no such link, or the mean is no such function.
    """
    law = response.law.parts[0] if response.law.kind == "censored" else response.law
    if law.kind != "plain" or law.name not in {**_LOGIT, **_LOG}:
        return None
    link = "logit" if law.name in _LOGIT else "log"
    trials = law.parameters[0].value(maximum.theta) if law.name == "Binomial" else 1.0
    theta = np.asarray(maximum.theta, float)
    first = _slopes(response, theta, link, trials)
    largest = np.abs(first).max(axis=0)
    if not np.isfinite(largest).all():
        return None
    step = np.where(largest > 0, _STEP / np.where(largest > 0, largest, 1.0), 0.0) / max(1, np.count_nonzero(largest))
    second = _slopes(response, theta + step, link, trials)
    with np.errstate(invalid="ignore"):
        same = (largest > 0) & (np.abs(second - first).max(axis=0) <= _SAME * largest)
    named = _labels_on_the_line(results)
    free = [column for column, label in named.items() if label not in results.fixed]
    columns = [column for column in map(int, np.flatnonzero(same)) if column in free]
    if not columns:
        return None
    level = tuple(named[c] for c in columns if np.ptp(first[:, c]) <= _SAME * largest[c])
    name = (_LOGIT if link == "logit" else _LOG)[law.name]
    name = "ratio of times" if response.law.kind == "censored" else name
    return Ratios(name, link, tuple(named[c] for c in columns), level)


def exponentiate(ratios: Ratios, table: pd.DataFrame) -> pd.DataFrame:
    """Exponentials of the estimates and of their bounds, full precision.

    Parameters
    ----------
    ratios : Ratios
    table : DataFrame
        With `estimate`, `se`, `p` and two columns of bounds.

    Returns
    -------
    DataFrame
        `exp(estimate)`, `se` (delta method: exp(estimate) times the standard error), the bounds and `p`.
    """
    rows = table.loc[[label for label in ratios.labels if label in table.index]]
    bounds = [column for column in rows.columns if str(column).endswith(("_lb", "_ub"))]
    with np.errstate(over="ignore"):
        center = np.exp(rows["estimate"])
        frame = pd.DataFrame({"exp(estimate)": center, "se": center * rows["se"]})
        for column in bounds:
            frame[str(column)] = np.exp(rows[column])
    return frame.assign(p=rows["p"])


def _slopes(response: Response, theta: np.ndarray, link: str, trials: np.ndarray | float) -> np.ndarray:
    """Derivatives of the link of the mean, shape (rows, p)."""
    count = min(response.count, _MOST_ROWS)
    rows = slice(0, count, 1)
    mean = np.ravel(response.mean.value(theta))[rows]
    trials = np.ravel(np.broadcast_to(trials, response.mean.shape))[rows]
    with np.errstate(all="ignore"):
        variance = mean if link == "log" else mean * (1 - mean / trials)
        return np.asarray(response.mean.jacobian(theta, rows)) / variance[:, None]


def _labels_on_the_line(results: Results) -> dict[int, str]:
    """Labels of elements that are their own unconstrained value, by position in the unconstrained vector."""
    found: dict[int, str] = {}
    for var in results.variables:
        if var.transform is None:
            found |= dict(zip(range(var.free.start, var.free.stop), var.labels, strict=True))
    return found
