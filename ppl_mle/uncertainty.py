"""What a fit says of its uncertainty: covariances and intervals."""

import warnings
from dataclasses import replace
from typing import Any, Literal, Self

import pandas as pd

from ppl_mle.errors import FitWarning
from ppl_mle.inference import (
    CovarianceOptions,
    Intervals,
    Profile,
    Results,
    bootstrap_intervals,
    contour_of,
    estimate_covariance,
    find_intervals,
    profile_of,
    with_covariance,
)
from ppl_mle.inference.resampling.bootstrap import Bootstrap
from ppl_mle.resampling import Resampling


class Uncertainty(Resampling):
    """Covariances and intervals of a fit."""

    results: Results

    def with_covariance(
        self,
        kind: str,
        *,
        groups: Any = None,
        maxlags: int | None = None,
        use_correction: bool | None = None,
        replicates: int | None = None,
        random_seed: int = 0,
        bread: Literal["observed", "expected"] = "observed",
    ) -> Self:
        """The same fit with standard errors, tests and Wald intervals from another covariance.

        Parameters
        ----------
        kind : str
            `observed`: inverse observed information, what every fit begins with (Efron and Hinkley 1978).
            `expected`: inverse expected information, of distributions and links whose is known.
            `OPG`: inverse sum of the outer products of the scores (Berndt, Hall, Hall and Hausman 1974).
            `HC0`, `HC1`, `HC2`, `HC3`: robust to heteroscedasticity (White 1980; MacKinnon and White 1985); the last
            two need one mean predictor.
            `cluster`: rows of one group may depend on one another (Liang and Zeger 1986); two ways by Cameron, Gelbach
            and Miller (2011).
            `HAC`: robust to autocorrelation (Newey and West 1987).
            `jackknife`, `bootstrap`: from refits without one row (or group), or to rows (or groups) drawn anew.
        groups : array of shape (n,) or (n, 2), or dict of str to array, optional
            Label of every row's group; two columns cluster two ways. A dict goes by the name of the observed variable.
        maxlags : int, optional
            For `HAC`; by default floor(4 (n / 100)^(2/9)).
        use_correction : bool, optional
            Small-sample factor, made with the number of mean coefficients; by default for `cluster` but not for `HAC`.
        replicates : int, optional
            For `bootstrap`; by default 999.
        random_seed : int
            For `bootstrap`.
        bread : {"observed", "expected"}
            Information around the scores of `HC0` to `HC3`, `cluster` and `HAC`. Off the canonical links the two
            differ: statsmodels' discrete models take the observed, R's `sandwich` on a `glm` the expected one.

        Returns
        -------
        Fit
            With the kind named wherever a standard error is printed.

        Raises
        ------
        RequestError
            An unknown kind, an option it does not take, groups that do not fit the rows, no rows where it needs them,
            or a fit without a maximum.

        Examples
        --------
        >>> import numpy as np, pymc as pm, ppl_mle
        >>> with pm.Model() as model:
        ...     mu, sigma = pm.Flat("mu"), pm.HalfFlat("sigma")
        ...     y = pm.Normal("y", mu, sigma, observed=[1.0, 2.0, 4.0, 5.0])
        >>> fit = ppl_mle.find_MLE(model)
        >>> [round(float(f.bse["mu"]), 6) for f in (fit, fit.with_covariance("HC1"))]
        [0.790569, 0.912871]
        """
        maximum = self._needs_graph("with_covariance")
        first = replace(maximum, covariance=maximum.observed_covariance)
        options = CovarianceOptions(groups, maxlags, use_correction, replicates, random_seed, bread)
        changed, results = with_covariance(first, self.results, estimate_covariance(first, kind, options))
        return replace(self, maximum=changed, results=results)  # type: ignore[type-var]

    def conf_int(
        self,
        ci_prob: float = 0.95,
        method: str = "wald",
        of: Any = None,
        *,
        scale: Literal["unconstrained", "declared"] = "unconstrained",
        bootstrap: Bootstrap | None = None,
    ) -> pd.DataFrame:
        """Confidence intervals.

        Parameters
        ----------
        ci_prob : float
            Probability content, strictly between 0 and 1.
        method : {"wald", "profile", "score", "bootstrap-percentile", "bootstrap-bca", "bootstrap-t"}
            `wald`: normal quantiles times standard errors of the covariance that was chosen. `profile`: what a
            likelihood-ratio test does not reject (Venzon and Moolgavkar 1988); of a MAP fit, the same for its penalized
            log-density. `score`: what Rao's score test does not reject (Rao 1948). Of an estimate at an edge of its
            support these two are one-sided: the edge is one bound. `bootstrap-...`: percentiles of refits,
            bias-corrected and accelerated ones (Efron 1987), or studentized ones (elements only). All but `wald` need
            the graph.
        of : str, expression, or sequence of these, optional
            Label of an element, name of a variable or a Deterministic, or a PyTensor expression of the model's free
            variables. By default every declared element.
        scale : {"unconstrained", "declared"}
            Where Wald intervals of elements are symmetric; unconstrained ones are mapped back and stay inside the
            support. Other quantities are symmetric on their own scale.
        bootstrap : Bootstrap, optional
            Replicates from `bootstrap`; by default 999 of rows.

        Returns
        -------
        DataFrame
            Columns `lower` and `upper`, declared scale, indexed by label; `attrs` names the method, the content, the
            covariance and notes, one sentence each, e.g. of a bound that is infinite.

        Raises
        ------
        RequestError
            `ci_prob` outside (0, 1), an unknown method, label or scale, or a fit without a maximum.

        Warns
        -----
        FitWarning
            A profile rose above the maximum; the intervals are about the higher one.

        Examples
        --------
        >>> import numpy as np, pymc as pm, ppl_mle
        >>> with pm.Model() as model:
        ...     p = pm.Uniform("p", 0, 1)
        ...     y = pm.Binomial("y", n=10, p=p, observed=3)
        >>> fit = ppl_mle.find_MLE(model)
        >>> fit.conf_int(method="score").round(4).loc["p"].tolist()
        [0.1078, 0.6032]
        >>> fit.conf_int(method="profile", of=p / (1 - p)).round(4).iloc[0].tolist()
        [0.0924, 1.5415]
        """
        if isinstance(method, str) and method.startswith("bootstrap-"):
            maximum = self._needs_graph("conf_int")
            return bootstrap_intervals(bootstrap or self.bootstrap(), maximum, method, of, ci_prob)
        if method == "wald" and of is None:
            found = Intervals(self.results.estimates.wald(ci_prob, scale))
        else:
            found = find_intervals(self._needs_graph("conf_int"), method, of, ci_prob, scale)
        _warn_of_higher(found.notes)
        found.bounds.attrs = {"method": method, "ci_prob": ci_prob, "notes": list(found.notes)}
        if method == "wald":
            found.bounds.attrs["covariance"] = self.results.covariance_kind
        return found.bounds

    def profile(self, of: Any, ci_prob: float = 0.95) -> Profile:
        """Profile likelihood of one quantity, followed both ways from the estimate.

        Parameters
        ----------
        of : str or expression
            Label of an element or of an element of a Deterministic, or a scalar PyTensor expression of the model's free
            variables.
        ci_prob : float
            Content of the likelihood-ratio interval; the curve goes a third farther.

        Returns
        -------
        Profile
            With `frame` (value, log-density, signed root, Wald root, all elements along the curve), `lower`, `upper`,
            and `notes` where a bound is infinite, is an edge, or could not be followed.

        Raises
        ------
        RequestError
            No such quantity, more than one, a fixed one, or a fit without a maximum.

        Warns
        -----
        FitWarning
            The profile rose above the maximum; it is about the higher one (as MINOS does: James and Roos 1975).
        """
        found = profile_of(self._needs_graph("profile"), of, ci_prob)
        _warn_of_higher(found.notes)
        return found

    def contour(self, one: str, other: str, ci_prob: float = 0.95, points: int = 64) -> pd.DataFrame:
        """The edge of the joint likelihood-ratio region of two elements, everything else maximized over.

        Parameters
        ----------
        one, other : str
            Labels.
        ci_prob : float
            Joint content, by chi-squared with 2 degrees of freedom.
        points : int
            Rays from the maximum.

        Returns
        -------
        DataFrame
            One row per ray, columns the two labels, declared scale.

        Raises
        ------
        RequestError
            Not two different free elements, or a fit without a maximum.
        """
        return contour_of(self._needs_graph("contour"), one, other, ci_prob, points)


def _warn_of_higher(notes: tuple[str, ...]) -> None:
    for note in notes:
        if note.startswith("a maximum higher"):
            warnings.warn(FitWarning(note), stacklevel=3)
