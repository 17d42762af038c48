"""The confidence band of a fitted mean."""

import pandas as pd

from ppl_mle.inference.delta import propagate
from ppl_mle.inference.estimates import Estimates
from ppl_mle.maximize import Maximum
from ppl_mle.read import Curve


def confidence_band(maximum: Maximum, curve: Curve, ci_prob: float = 0.95) -> pd.DataFrame:
    """Pointwise Wald intervals of a mean response by the delta method, made on the scale where the mean is free.

    Parameters
    ----------
    maximum : Maximum
    curve : Curve
    ci_prob : float

    Returns
    -------
    DataFrame
        Columns `lower` and `upper`, one row per grid point.
    """
    labels = tuple(str(x) for x in range(len(curve.x_grid)))
    covariance = propagate(curve.jacobian, maximum)
    return Estimates(labels, curve.mean, covariance, (curve.scale,) * len(labels)).wald(ci_prob)
