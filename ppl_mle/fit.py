"""Fit, the result of a maximization, and its assembly from a model."""

import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock
from typing import Any, Literal

import numpy as np
import xarray as xr

from ppl_mle.errors import DataError, FitError, FitWarning, RequestError
from ppl_mle.hypotheses import Hypotheses
from ppl_mle.inference import (
    Estimates,
    Results,
    ResultsView,
    estimate_deterministic,
    infer,
    likelihood_covariance,
    with_covariance,
)
from ppl_mle.maximize import ENGINES, Engine, Maximum, Status, maximize
from ppl_mle.plan import Plan, make_plan
from ppl_mle.plots import Plots
from ppl_mle.posterior.normal_draws import normal_draws
from ppl_mle.prediction import Predictions
from ppl_mle.progress import Progress
from ppl_mle.read import Reading, current_model, penalize, read
from ppl_mle.report.store import dump_results, parse_results
from ppl_mle.report.summary import Summary, summarize
from ppl_mle.report.tree import to_datatree
from ppl_mle.report.write import write_text
from ppl_mle.tabulated import Tabulated

_CHAINS, _DRAWS = 4, 1000
_MOST_STARTS = 10_000
_ONE_AT_A_TIME = RLock()


@dataclass(frozen=True, eq=False)
class Fit(Plots, Hypotheses, Predictions, Tabulated, ResultsView):
    """A maximum-likelihood or MAP fit.

    Parameters
    ----------
    results : Results
        Everything that needs no graph; this is what pickles and what `save` writes.
    maximum : Maximum or None
        The maximization with its likelihood; None in a fit that was loaded or unpickled.
    model : pm.Model or None
        The model that was fitted, never changed.
    reading : Reading or None
        What was read of the model and its data.
    """

    results: Results
    maximum: Maximum | None = field(default=None, repr=False)
    model: Any = field(default=None, repr=False)
    reading: Reading | None = field(default=None, repr=False)

    @property
    def groups(self) -> Mapping[str, xr.Dataset]:
        """`observed_data` and `constant_data` as they were fitted; empty in a fit that was loaded or unpickled."""
        return self.reading.groups if self.reading is not None else {}

    @property
    def plan(self) -> Plan:
        """What ran, and why each other engine did not."""
        return self._needs_graph("plan").plan

    def deterministic(self, name: str) -> Estimates:
        """Estimates of a Deterministic with standard errors by the delta method.

        Raises
        ------
        RequestError
            No such Deterministic, or the fit was loaded and has no graph.
        """
        return estimate_deterministic(self._needs_graph("deterministic"), name)

    def summary(
        self, var_names: Sequence[str] | str | None = None, ci_prob: float = 0.95, method: str = "wald"
    ) -> Summary:
        """Table of estimates, standard errors, z, p and intervals, as `az.summary` makes one of draws.

        Parameters
        ----------
        var_names : str or sequence of str, optional
            Variables to show; Deterministics can be named and are then shown too.
        ci_prob : float
        method : str
            Of the intervals, as for `conf_int`; named in the last lines.

        Returns
        -------
        Summary
            A DataFrame whose print begins with the verdict of a fit that did not converge.
        """
        names = [var_names] if isinstance(var_names, str) else None if var_names is None else list(var_names)
        known = self.maximum.plan.likelihood.mapping.deterministic_names if self.maximum else []
        derived = {name: self.deterministic(name) for name in names or [] if name in known}
        labels = [*self.labels, *(label for one in derived.values() for label in one.labels)]
        bounds = None if method == "wald" else self.conf_int(ci_prob, method, labels)
        return summarize(self.results, ci_prob=ci_prob, var_names=names, derived=derived, bounds=bounds)

    def to_datatree(
        self, kind: Literal["estimator", "point"] = "estimator", *, ci_prob: float = 0.95, random_seed: int = 0
    ) -> xr.DataTree:
        """The fit as an ArviZ DataTree.

        Parameters
        ----------
        kind : {"estimator", "point"}
            `estimator` fills `posterior` with 4 chains of 1000 quasi-random draws of the normal approximation to the
            estimator, exact in mean and covariance on the unconstrained scale and mapped back. They describe the
            estimator's uncertainty and are no posterior draws; an element without a standard error is NaN, or
            constant at its edge. `point` is the layout of PyMC's `find_MAP`.
        ci_prob : float
            Content of the intervals in `point_estimate_stats`.
        random_seed : int
            Scrambles the quasi-random points.

        Returns
        -------
        DataTree

        Raises
        ------
        RequestError
            The fit was loaded and has no graph.
        """
        if kind not in ("estimator", "point"):
            raise RequestError(f"kind={kind!r} is unknown; use 'estimator' or 'point'")
        maximum = self._needs_graph("to_datatree")
        draws = self._estimator_draws(maximum, random_seed) if kind == "estimator" else None
        mapping = maximum.plan.likelihood.mapping
        derived = {name: mapping.deterministic(name, maximum.theta) for name in mapping.deterministic_names}
        dims = {name: maximum.plan.likelihood.dims[name] for name in derived}
        return to_datatree(
            self.results,
            draws,
            self.groups,
            kind=kind,
            ci_prob=ci_prob,
            deterministics={name: (dims[name], value) for name, value in derived.items()},
        )

    def save(self, path: str | Path) -> None:
        """Write what needs no graph as JSON; `ppl_mle.load` reads it back exactly.

        Raises
        ------
        OutputError
            The folder is missing or not writable.
        """
        write_text(Path(path), dump_results(self.results))

    def __getstate__(self) -> dict[str, Any]:
        return {"results": self.results, "maximum": None, "model": None, "reading": None}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        for name, value in state.items():
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        text = f"Fit({self.estimator}, {self.status.name}, {self.df_model} free dimensions, llf={self.llf:.6g})"
        return text if self.converged else f"{text}\n{self.message}"

    def _estimator_draws(self, maximum: Maximum, seed: int) -> np.ndarray:
        covariance = np.nan_to_num(maximum.covariance)
        draws = normal_draws(maximum.theta, covariance, chains=_CHAINS, draws=_DRAWS, seed=seed)
        rows = maximum.plan.likelihood.mapping.declared(draws.reshape(-1, draws.shape[-1]))
        unknown = self.bse.isna().to_numpy()
        rows[:, unknown] = self.params.to_numpy()[unknown] if self.status is Status.BOUNDARY else np.nan
        return rows.reshape(_CHAINS, _DRAWS, -1)

    def _needs_graph(self, what: str) -> Maximum:
        if self.maximum is None:
            raise RequestError(
                f"{what} needs the model's graph, and this fit was loaded without it; fit the model again"
            )
        return self.maximum


@dataclass(frozen=True)
class Options:
    """What a user may ask of a fit; documented at `find_MLE`."""

    fixed: Mapping[str, Any] | None = None
    weights: Any = None
    latent: Sequence[str] | None = None
    initvals: Mapping[str, Any] | None = None
    random_seed: int = 0
    progressbar: bool = True
    nobs: float | None = None
    engine: Engine | None = None
    strict: bool = False
    starts: int | None = None
    penalty: str | None = None


def fit_model(model: Any, estimator: Literal["MLE", "MAP"], options: Options) -> Fit:
    """Read, plan, maximize and infer; warns or raises as `options.strict` says.

    The functions of a model are shared by all fits of its structure, so fits of several threads take turns.
    """
    _check_options(options)
    with _ONE_AT_A_TIME:
        fit = _fit(current_model(model, estimator), estimator, options)
    if not fit.converged:
        if options.strict:
            raise FitError(fit.message, fit)
        warnings.warn(FitWarning(fit.message), stacklevel=3)
    return fit


def _fit(model: Any, estimator: Literal["MLE", "MAP"], options: Options) -> Fit:
    begun = time.perf_counter()
    reading = read(model, estimator, latent=options.latent, weights=options.weights, nobs=options.nobs)
    likelihood = reading.likelihood
    likelihood.forget()
    engines = ENGINES if options.engine is None else (options.engine,)
    held = likelihood.place(options.fixed or {})
    if options.penalty is not None:
        likelihood = penalize(likelihood, list(held))
    maximum = _maximize(make_plan(likelihood, engines, held), engines, options)
    results = infer(maximum, **reading.hashes, seconds=time.perf_counter() - begun)
    if options.penalty is not None and maximum.status.converged:
        maximum, results = with_covariance(maximum, results, likelihood_covariance(maximum))
    return Fit(results, maximum, model, reading)


def _check_options(options: Options) -> None:
    seed, engine = options.random_seed, options.engine
    if isinstance(seed, int) and seed < 0:
        raise RequestError(f"random_seed={seed} is negative; seeds are whole numbers from 0 on")
    starts = options.starts
    if starts is not None and not (type(starts) is int and 1 <= starts <= _MOST_STARTS):
        raise RequestError(f"starts={starts!r} is no whole number from 1 to {_MOST_STARTS}; use for example 20")
    if options.penalty not in (None, "jeffreys"):
        raise RequestError(f"penalty={options.penalty!r} is unknown; use 'jeffreys' (Firth's bias reduction) or None")
    if engine is not None and not (hasattr(engine, "judge") and hasattr(engine, "search")):
        raise RequestError(f"engine={engine!r} is no engine; pass an object such as ppl_mle.maximize.Newton()")


def _maximize(plan: Plan, engines: Sequence[Engine], options: Options) -> Maximum:
    """Maximize with progress on standard error; an interrupt carries what was reached as its message."""
    with Progress("maximizing", options.progressbar) as progress:

        def tick(iteration: int, value: float) -> None:
            progress.say(f"iteration {iteration} of the search, log-density {value:.6g}")

        try:
            return maximize(
                plan,
                initvals=options.initvals,
                random_seed=options.random_seed,
                starts=options.starts,
                tick=tick,
                engines=engines,
            )
        except KeyboardInterrupt as exc:
            raise KeyboardInterrupt(f"at {progress.reached}") from exc


def load(path: str | Path) -> Fit:
    """Read a fit that `Fit.save` wrote.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Fit
        With everything that needs no graph.

    Raises
    ------
    DataError
        The file is missing, or is no saved fit.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise DataError(f"cannot read the saved fit {path}: {exc}; check the path") from exc
    return Fit(parse_results(text, str(path)))
