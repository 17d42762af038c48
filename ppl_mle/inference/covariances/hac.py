"""Covariance robust to heteroscedasticity and autocorrelation."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ppl_mle.errors import RequestError
from ppl_mle.inference.covariances.kind import Covariance, CovarianceOptions
from ppl_mle.inference.covariances.sandwich import count_mean, count_rows, say_counts
from ppl_mle.inference.rows import Rows, rows_of
from ppl_mle.maximize import Maximum


@dataclass(frozen=True)
class Hac:
    """Newey and West (1987): products of the scores of rows up to `maxlags` apart, with Bartlett's weights.

    Rows are equally spaced in time, in their order. By default `maxlags` is floor(4 (n / 100)^(2/9)) and nothing is
    multiplied; `use_correction=True` multiplies by n / (n - k) with k mean coefficients.
    """

    name: ClassVar[str] = "HAC"
    takes: ClassVar[tuple[str, ...]] = ("maxlags", "use_correction", "bread")

    def estimate(self, maximum: Maximum, options: CovarianceOptions) -> Covariance:
        """Estimate it at a maximum."""
        from statsmodels.stats.sandwich_covariance import S_hac_simple  # takes half a second to import

        rows = rows_of(maximum, "HAC")
        _refuse_unordered(rows)
        shortest = min(one.count for one in rows)
        lags = options.maxlags
        if lags is None:
            lags = int(4 * (shortest / 100) ** (2 / 9))
        if isinstance(lags, bool) or not isinstance(lags, int | np.integer) or not 0 <= lags < shortest:
            raise RequestError(f"maxlags={lags!r} is no whole number from 0 to {shortest - 1}, one less than the rows")
        meat = sum(S_hac_simple(one.scores(maximum.theta), int(lags)) for one in rows)
        matrix = maximum.covariance @ meat @ maximum.covariance
        if not options.use_correction:
            return Covariance(matrix, f"HAC, Bartlett weights to lag {lags}, no small-sample factor")
        n, k = count_rows(rows), count_mean(maximum, rows)
        kind = f"HAC, Bartlett weights to lag {lags}, factor n/(n - k), {say_counts(maximum, rows)}"
        return Covariance(matrix * n / (n - k), kind)


def _refuse_unordered(rows: tuple[Rows, ...]) -> None:
    """Refuse rows that are not one series in time."""
    if len(rows) != 1 or len(rows[0].shape) != 1:
        what = ", ".join(f"'{one.name}' of shape {one.shape}" for one in rows)
        raise RequestError(f"HAC needs one series of rows in time, got {what}; cluster by time instead")
    if rows[0].terms[0].weights is not None:
        raise RequestError(
            "HAC needs rows in time, and frequency weights repeat them; repeat the rows where they belong"
        )
