"""Links by which the exponential of a coefficient is a ratio: their derivatives, from those of the mean."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ppl_mle.read.law import Law

_EDGE = 1e-6


@dataclass(frozen=True)
class Link:
    """A function of the mean of a row.

    Parameters
    ----------
    name : str
    forward, backward : str
        What the exponential of a coefficient is that the function rises, or falls, with; empty where it has no name.
    slopes : callable
        From means, shape (n, k), their derivatives, shape (n, k, p), and numbers of trials, shape (n, 1), to
        derivatives of the link, shape (n, j, p). Rows too near an edge to tell are NaN.
    alone : bool
        Whether each coefficient is to change one of the j functions only, by which it is told from others.
    """

    name: str
    forward: str
    backward: str
    slopes: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
    alone: bool = False


def links_of(law: Law, categories: int = 0) -> tuple[Link, ...]:
    """The links that are looked for in a distribution.

    Parameters
    ----------
    law : Law
        As declared; a censored one stands for what is censored.
    categories : int
        Of a categorical response.
    """
    base = law.parts[0] if law.kind == "censored" else law
    if base.kind == "mixture":
        return (Link("log", "ratio of means", "", _log),) if base.is_discrete and not base.event_axes else ()
    if base.kind != "plain":
        return ()
    if base.is_categorical:
        return (_CUMULATIVE, *(_against(reference) for reference in range(categories)))
    if base.name in ("Bernoulli", "Binomial", "BetaBinomial"):
        return _OF_CHANCES
    times = law.kind == "censored"
    forward = _RATES.get(base.name) or ("ratio of times" if times else "ratio of means")
    return (Link("log", forward, _BACKWARD.get(base.name, ""), _log),) if base.name in _POSITIVE else ()


_POSITIVE = ("Poisson", "NegativeBinomial", "Gamma", "Exponential", "Wald", "LogNormal", "Weibull")
_RATES = {"Poisson": "rate ratio", "NegativeBinomial": "rate ratio"}
_BACKWARD = {"Exponential": "hazard ratio", "Gamma": "ratio of rates"}


def _inside(chance: np.ndarray) -> np.ndarray:
    """Probabilities, those too near 0 or 1 as NaN."""
    return np.where((chance > _EDGE) & (chance < 1 - _EDGE), chance, np.nan)


def _log(mean: np.ndarray, slope: np.ndarray, trials: np.ndarray) -> np.ndarray:
    return slope / mean[..., None]


def _log_of_chance(mean: np.ndarray, slope: np.ndarray, trials: np.ndarray) -> np.ndarray:
    return slope / (trials * _inside(mean / trials))[..., None]


def _logit(mean: np.ndarray, slope: np.ndarray, trials: np.ndarray) -> np.ndarray:
    chance = _inside(mean / trials)
    return slope / (trials * chance * (1 - chance))[..., None]


def _cloglog(mean: np.ndarray, slope: np.ndarray, trials: np.ndarray) -> np.ndarray:
    """Of log(-log(1 - p)), the logarithm of the cumulative hazard."""
    chance = _inside(mean / trials)
    return slope / (trials * (chance - 1) * np.log1p(-chance))[..., None]


def _cumulative(mean: np.ndarray, slope: np.ndarray, trials: np.ndarray) -> np.ndarray:
    """Of the logits of the probabilities of a category above each but the last."""
    above = np.cumsum(mean[:, :0:-1], axis=1)[:, ::-1]
    return _logit(above, np.cumsum(slope[:, :0:-1], axis=1)[:, ::-1], np.ones((len(mean), 1)))


def _against(reference: int) -> Link:
    """Logarithms of probabilities over that of a category."""

    def slopes(mean: np.ndarray, slope: np.ndarray, trials: np.ndarray) -> np.ndarray:
        relative = slope / _inside(mean)[..., None]
        return np.delete(relative - relative[:, [reference]], reference, axis=1)

    return Link("multinomial logit", "relative risk ratio", "", slopes, alone=True)


_CUMULATIVE = Link("cumulative logit", "odds ratio", "", _cumulative)
_OF_CHANCES = (
    Link("logit", "odds ratio", "", _logit),
    Link("complementary log-log", "hazard ratio", "", _cloglog),
    Link("log", "risk ratio", "", _log_of_chance),
)
