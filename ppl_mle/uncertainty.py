"""What a fit says of its uncertainty: covariances and intervals."""

from dataclasses import replace
from typing import Any, Self

from ppl_mle.inference import CovarianceOptions, Results, estimate_covariance, with_covariance
from ppl_mle.maximize import Maximum


class Uncertainty:
    """Covariances and intervals of a fit."""

    results: Results
    maximum: Maximum | None

    def _needs_graph(self, what: str) -> Maximum:
        raise NotImplementedError

    def with_covariance(
        self,
        kind: str,
        *,
        groups: Any = None,
        maxlags: int | None = None,
        use_correction: bool | None = None,
        replicates: int | None = None,
        random_seed: int = 0,
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
        options = CovarianceOptions(groups, maxlags, use_correction, replicates, random_seed)
        changed, results = with_covariance(first, self.results, estimate_covariance(first, kind, options))
        return replace(self, maximum=changed, results=results)  # type: ignore[type-var]
