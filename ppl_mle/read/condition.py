"""A model in which some variables are constants: what is sampled after a fit with fixed variables."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pymc as pm


def hold_variables(model: Any, values: Mapping[str, np.ndarray]) -> Any:
    """Return a new model with the named free variables replaced by constants; the given model stays as it is.

    Parameters
    ----------
    model : pm.Model
    values : dict of str to array
        Declared values of whole variables.

    Returns
    -------
    pm.Model
    """
    return pm.do(model, dict(values)) if values else model
