"""Verbs about several fits or several tests: compare_fits, adjust_pvalues."""

from collections.abc import Mapping
from typing import Any, Literal

import pandas as pd

from ppl_mle.errors import RequestError
from ppl_mle.hypotheses import Hypotheses, fitted_record
from ppl_mle.inference.hypotheses.adjust import adjust_pvalues
from ppl_mle.inference.hypotheses.compare_fits import compare_by_criterion

__all__ = ["adjust_pvalues", "compare_fits"]


def compare_fits(fits: Mapping[str, Any], by: Literal["aicc", "aic", "bic"] = "aicc") -> pd.DataFrame:
    """Compare maximum-likelihood fits of the same data by an information criterion.

    Parameters
    ----------
    fits : dict of str to Fit
    by : {"aicc", "aic", "bic"}
        What the fits are ranked by; Akaike's criterion corrected for small samples (Hurvich and Tsai 1989) by default.

    Returns
    -------
    DataFrame
        One row per fit, the lowest criterion first: `llf`, `df_model`, `nobs`, `aic`, `aicc`, `bic`, `delta` (above the
        lowest), `weight` and `evidence_ratio` (Burnham and Anderson 2002).

    Raises
    ------
    RequestError
        Fewer than two fits, an unknown criterion or one that is not finite, different data, or a fit that is a MAP fit,
        has latent variables or did not converge.

    Examples
    --------
    >>> import numpy as np, pymc as pm
    >>> from ppl_mle import find_MLE
    >>> def fit(slope):
    ...     with pm.Model() as model:
    ...         eta = pm.Flat("a") + (pm.Flat("b") * np.arange(6) if slope else 0.0)
    ...         y = pm.Poisson("y", pm.math.exp(eta), observed=[1, 2, 2, 5, 9, 14], shape=6)
    ...     return find_MLE(model)
    >>> table = compare_fits({"constant": fit(False), "slope": fit(True)})
    >>> list(table.index), table["delta"].round(3).tolist()
    (['slope', 'constant'], [0.0, 17.165])
    """
    wrong = [name for name, fit in fits.items() if not isinstance(fit, Hypotheses)]
    if wrong:
        raise RequestError(f"{wrong[0]!r} is {type(fits[wrong[0]]).__name__}, not a Fit; pass a dict from name to fit")
    return compare_by_criterion({str(name): fitted_record(fit) for name, fit in fits.items()}, by)
