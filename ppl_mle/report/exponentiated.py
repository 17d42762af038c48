"""Exponentials of coefficients, where the link makes them ratios: of odds, hazards, rates, risks, means, times."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ppl_mle.inference import Results
from ppl_mle.maximize import Maximum
from ppl_mle.read.responding import Response
from ppl_mle.report.links import Link, links_of

_MOST_ROWS = 500
_STEP = 0.25
_SAME = 1e-7
_PLAIN = 1e-6


@dataclass(frozen=True)
class Ratios:
    """Coefficients whose exponentials are ratios.

    Parameters
    ----------
    name : str
        What they are ratios of.
    link : str
    labels : tuple of str
    baselines : tuple of str
        Those among `labels` that move every row alike, or every row of one group each: their exponentials are no
        ratios but levels.
    """

    name: str
    link: str
    labels: tuple[str, ...]
    baselines: tuple[str, ...]


def find_ratios(results: Results, maximum: Maximum, response: Response) -> Ratios | None:
    """Find the coefficients in which a link of the mean is affine, by its derivatives at two points.

    Parameters
    ----------
    results : Results
    maximum : Maximum
    response : Response

    Returns
    -------
    Ratios or None
        None where the family has no such link, the mean is no such function, or the exponential has no name (that of
        a coefficient with which the mean of a Poisson response falls).
    """
    categories = response.mean.shape[-1] if response.law.is_categorical else 0
    for link in links_of(response.law, categories):
        found = _ratios(results, np.asarray(maximum.theta, float), response, link)
        if found is not None:
            return found
    return None


def _ratios(results: Results, theta: np.ndarray, response: Response, link: Link) -> Ratios | None:
    """The coefficients in which one link is affine."""
    first = _slopes(response, theta, link)
    largest = np.nanmax(np.abs(first), axis=(0, 1), initial=0.0)
    if not np.isfinite(largest).all():
        return None
    step = np.where(largest > 0, _STEP / np.where(largest > 0, largest, 1.0), 0.0) / max(1, np.count_nonzero(largest))
    change = np.nanmax(np.abs(_slopes(response, theta + step, link) - first), axis=(0, 1), initial=0.0)
    named = {column: label for column, label in _labels_on_the_line(results).items() if label not in results.fixed}
    same = (largest > 0) & (change <= _SAME * largest)
    columns = [column for column in map(int, np.flatnonzero(same)) if column in named]
    if link.alone:
        columns = [column for column in columns if len(_moved(first[..., column])) == 1]
    if not columns or (link.alone and len(columns) < np.count_nonzero(largest)):
        return None
    bent = np.flatnonzero((largest > 0) & ~same)
    if not (all(_is_level(first[..., c], largest[c]) for c in bent) and _are_plain(first, columns, largest)):
        return None
    name = link.forward if _rises(response, first, columns, largest) else link.backward
    if not name:
        return None
    groups = _groups(results, first, columns)
    level = tuple(named[c] for c in columns if c in groups or _is_level(first[..., c], largest[c]))
    return Ratios(name, link.name, tuple(named[c] for c in columns), level)


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


def _slopes(response: Response, theta: np.ndarray, link: Link) -> np.ndarray:
    """Derivatives of the link, shape (rows, functions, p)."""
    width = response.mean.shape[-1] if response.law.is_categorical else 1
    count = min(response.count // width, _MOST_ROWS)
    rows = slice(0, count * width, 1)
    mean = np.ravel(response.mean.value(theta))[rows].reshape(count, width)
    slope = np.asarray(response.mean.jacobian(theta, rows)).reshape(count, width, len(theta))
    trials = np.ones(())
    if response.law.kind == "plain" and response.law.name in ("Binomial", "BetaBinomial"):
        trials = np.asarray(response.law.parameters[0].value(theta), float)
    each = np.ravel(np.broadcast_to(trials, response.mean.shape))[rows].reshape(count, width)
    with np.errstate(all="ignore"):
        return link.slopes(mean, slope, each)


def _moved(slopes: np.ndarray) -> np.ndarray:
    """Which functions a coefficient changes, from its derivatives, shape (rows, functions)."""
    sizes = np.nanmax(np.abs(slopes), axis=0, initial=0.0)
    return np.flatnonzero(sizes > _SAME * sizes.max())


def _is_level(slopes: np.ndarray, largest: float) -> bool:
    """Whether a coefficient moves every row of the functions that it changes alike."""
    moved = slopes[:, _moved(slopes)]
    return bool(np.nanmax(moved) - np.nanmin(moved) <= _SAME * largest)


def _are_plain(slopes: np.ndarray, columns: list[int], largest: np.ndarray) -> bool:
    """Whether coefficients that move every row alike do so by themselves and one way, as an intercept does."""
    signs = set()
    for column in columns:
        if _is_level(slopes[..., column], largest[column]):
            moved = slopes[..., column][:, _moved(slopes[..., column])]
            signs.add(float(np.sign(np.nanmax(moved))))
            if abs(largest[column] - 1) > _PLAIN:
                return False
    return len(signs) < 2


def _groups(results: Results, slopes: np.ndarray, columns: list[int]) -> set[int]:
    """Coefficients of which each row has one of its variable's, as of groups without a common level."""
    found: set[int] = set()
    for var in results.variables:
        own = [column for column in columns if var.free.start <= column < var.free.stop]
        sizes = np.abs(slopes[..., own])
        moved = sizes > _SAME * np.nanmax(sizes, initial=0.0)
        if len(own) > 1 and np.all(moved.sum(axis=2)[~np.isnan(slopes[..., own]).any(axis=2)] == 1):
            found |= set(own) if np.nanmax(sizes) - np.nanmin(sizes[moved]) <= _SAME * np.nanmax(sizes) else set()
    return found


def _rises(response: Response, slopes: np.ndarray, columns: list[int], largest: np.ndarray) -> bool:
    """Whether the link rises with the predictor as it was declared: lam = exp(eta) has the mean exp(-eta).

    Told by levels and by columns of zeros and ones, which are declared with a plus; else by the predictor as it was
    read.
    """
    of_one_size = []
    for column in columns:
        sizes = slopes[..., column] / largest[column]
        plain = np.isnan(sizes) | (np.abs(sizes) <= _SAME) | (np.abs(np.abs(sizes) - 1) <= _SAME)
        if plain.all() and abs(np.nanmax(sizes) - np.nanmin(sizes)) < 1.5:
            of_one_size.append(np.nanmax(sizes) > 0.5)
    if of_one_size:
        return all(of_one_size)
    term = getattr(response.mean, "term", None)
    if term is None:
        return True
    count = len(slopes)
    for predictor in term.predictors if term.count == count or term.count == response.count else ():
        design = predictor.matrix(columns, response.count)[:count]
        agreement = np.nansum(design[:, None, :] * slopes[..., columns]) if slopes.shape[1] == 1 else 0.0
        if agreement:
            return bool(agreement > 0)
    return True


def _labels_on_the_line(results: Results) -> dict[int, str]:
    """Labels of elements that are their own unconstrained value, by position in the unconstrained vector."""
    found: dict[int, str] = {}
    for var in results.variables:
        if var.transform is None:
            found |= dict(zip(range(var.free.start, var.free.stop), var.labels, strict=True))
    return found
