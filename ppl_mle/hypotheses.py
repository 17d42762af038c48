"""Tests of hypotheses and tidy tables: verbs of a fit."""

from collections.abc import Sequence
from typing import Any, Literal, cast

import pandas as pd

from ppl_mle.errors import RequestError
from ppl_mle.inference.hypotheses.likelihood_ratio import lr_test
from ppl_mle.inference.hypotheses.same_data import Fitted
from ppl_mle.inference.hypotheses.score import score_test
from ppl_mle.inference.hypotheses.tested import HypothesisTest
from ppl_mle.inference.hypotheses.tidy import glance, tidy
from ppl_mle.inference.hypotheses.wald import wald_test, wald_tests
from ppl_mle.inference.results import Results
from ppl_mle.maximize import Maximum


class Hypotheses:
    """What a fit says about hypotheses, and its results as plain frames."""

    results: Results
    maximum: Maximum | None

    def _needs_graph(self, what: str) -> Maximum:
        raise NotImplementedError

    def wald_test(self, hypotheses: Any, values: Any = None) -> HypothesisTest:
        """Test linear hypotheses about declared elements, several of them jointly (Wald 1943).

        Parameters
        ----------
        hypotheses : str, sequence of str, or array of shape (k, q)
            Such as ``"b[x] = b[z]"`` or ``"2*b[x] - b[z] = 1"``; a label alone is tested against 0, and the name of a
            variable alone stands for all its elements. Or a matrix over `labels`; the columns of a DataFrame are
            aligned with them by name.
        values : array, shape (k,), optional
            What the rows of a matrix are tested against; 0 when left out.

        Returns
        -------
        HypothesisTest
            Its statistic is a chi-square, with the signed root `z` for a single hypothesis. The covariance is the
            one that the fit has, see `covariance_kind`.

        Raises
        ------
        RequestError
            A hypothesis that cannot be read, an unknown label, redundant or contradictory hypotheses, elements without
            a standard error, a sum that is known without error, a value on the edge of a support, or a status without
            a maximum.

        Examples
        --------
        >>> import numpy as np, pymc as pm
        >>> from ppl_mle import find_MLE
        >>> with pm.Model() as model:
        ...     p = pm.Uniform("p", 0, 1)
        ...     y = pm.Bernoulli("y", p=p, observed=np.repeat([0, 1], [70, 30]))
        >>> test = find_MLE(model).wald_test("p = 0.5")
        >>> round(test.statistic, 6), test.df, round(test.z, 4), round(test.p_value, 8)
        (19.047619, 1, -4.3644, 1.275e-05)
        """
        return wald_test(self.results, self.maximum, hypotheses, values)

    def wald_tests(self, hypotheses: Sequence[Any], adjust: str | None = None) -> pd.DataFrame:
        """Test linear hypotheses one by one.

        Parameters
        ----------
        hypotheses : sequence of str, or of sequences of str
            Each as for `wald_test`.
        adjust : str, optional
            Adds `p_adjusted`; a method of `ppl_mle.adjust_pvalues`, e.g. ``"holm"``.

        Returns
        -------
        DataFrame
            Columns `hypothesis`, `estimate` (left minus right side), `std_error`, `statistic`, `df`, `p_value`.

        Raises
        ------
        RequestError
            As `wald_test`.
        """
        return wald_tests(self.results, self.maximum, hypotheses, adjust)

    def lr_test(self, restricted: Any) -> HypothesisTest:
        """Test this fit against a smaller one by the likelihood ratio (Wilks 1938).

        The smaller fit holds parameters of the same model fixed, or is of a model with some of its labels; that it
        is nested is shown by numbers. With one parameter on the edge of its support, such as a variance of zero, the
        distribution is 0.5 chi2(k - 1) + 0.5 chi2(k) (Self and Liang 1987); with several, the p-value is an
        upper bound. A value fixed within a millionth of the way from an edge to the estimate is that edge; so is 0
        for a parameter whose sign changes nothing, such as a standard deviation declared on the whole line.

        Parameters
        ----------
        restricted : Fit

        Returns
        -------
        HypothesisTest

        Raises
        ------
        RequestError
            Different data, fits that are not shown to be nested, a fit that is no maximum-likelihood fit, did not
            converge or was loaded, or a larger fit with the lower log-likelihood.

        Examples
        --------
        >>> import numpy as np, pymc as pm
        >>> from ppl_mle import find_MLE
        >>> with pm.Model() as model:
        ...     b = pm.Flat("b", shape=2)
        ...     y = pm.Poisson("y", pm.math.exp(b[0] + b[1] * np.array([0, 0, 1, 1])), observed=[1, 3, 4, 8])
        >>> test = find_MLE(model).lr_test(find_MLE(model, fixed={"b[1]": 0.0}))
        >>> test.hypotheses, round(test.statistic, 6), test.df
        (('b[1] = 0',), 4.185985, 1)
        """
        if not isinstance(restricted, Hypotheses):
            raise RequestError(f"lr_test takes the smaller fit, got {type(restricted).__name__}; pass a Fit")
        return lr_test(fitted_record(self), fitted_record(restricted))

    def score_test(self, information: Literal["observed", "expected", "opg"] = "observed") -> HypothesisTest:
        """Test all values that this fit holds fixed, jointly and without a refit (Rao 1948).

        Parameters
        ----------
        information : {"observed", "expected", "opg"}
            Of the whole model, at the restricted estimates.

        Returns
        -------
        HypothesisTest

        Raises
        ------
        RequestError
            Nothing is fixed, a fit that is no maximum-likelihood fit, did not converge or was loaded, or an information
            that is not positive definite.

        Examples
        --------
        >>> import numpy as np, pymc as pm
        >>> from ppl_mle import find_MLE
        >>> with pm.Model() as model:
        ...     b = pm.Flat("b", shape=2)
        ...     y = pm.Poisson("y", pm.math.exp(b[0] + b[1] * np.array([0, 0, 1, 1])), observed=[1, 3, 4, 8])
        >>> test = find_MLE(model, fixed={"b[1]": 0.0}).score_test()
        >>> round(test.statistic, 6), test.df
        (4.0, 1)
        """
        return score_test(self.results, self._needs_graph("score_test"), information)

    def tidy(self, ci_prob: float = 0.95, method: Any = "wald", exponentiate: bool = False) -> pd.DataFrame:
        """One row per declared element, with broom's columns.

        Parameters
        ----------
        ci_prob : float
            Content of the intervals.
        method : str
            Of the intervals, as for `conf_int`.
        exponentiate : bool
            Show exponentials of estimates and bounds (odds ratios, rate ratios) for elements that are free on the whole
            line; standard errors, statistics and p-values stay as they are.

        Returns
        -------
        DataFrame
            Columns `term`, `estimate`, `std_error`, `statistic`, `p_value`, `conf_low`, `conf_high`; `attrs` tells
            `covariance_kind`, `interval_method`, `ci_prob` and what was `exponentiated`.

        Raises
        ------
        RequestError
            As `conf_int`.
        """
        frame = tidy(self.results, cast(Any, self).conf_int(ci_prob=ci_prob, method=method), exponentiate)
        frame.attrs |= {"interval_method": method, "ci_prob": ci_prob}
        return frame

    def glance(self) -> pd.DataFrame:
        """One row about the whole fit, NaN for what it does not have.

        Returns
        -------
        DataFrame
            Columns `estimator`, `status`, `converged`, `nobs`, `df_model`, `llf`, `lpf`, `aic`, `aicc`, `bic`,
            `covariance_kind`, `n_fixed`, `n_latent`, `n_missing`, `engine`.
        """
        return glance(self.results)


def fitted_record(fit: Hypotheses) -> Fitted:
    """What comparisons need of a fit."""
    return Fitted(fit.results, fit.maximum, cast(Any, fit).groups)
