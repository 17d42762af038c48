"""A proportion: y[i] ~ Bernoulli(p), p in [0, 1].

The maximum-likelihood estimate of p is the mean of y. The data are 200 simulated tosses of a coin that shows heads
with probability 0.6 (NumPy generator, seed 20).
"""

import numpy as np
import pandas as pd
import pymc as pm


def load_data() -> pd.DataFrame:
    """Return the 200 simulated tosses as the column ``y`` of zeros and ones."""
    rng = np.random.default_rng(20)
    return pd.DataFrame({"y": rng.binomial(1, 0.6, size=200)})


def build_model(data: pd.DataFrame) -> pm.Model:
    """Declare the model: one proportion ``p`` with a flat prior."""
    if not data["y"].isin([0, 1]).all():
        raise ValueError("y must hold zeros and ones only")
    with pm.Model(coords={"row": np.arange(len(data))}) as model:
        p = pm.Uniform("p", 0, 1)
        pm.Bernoulli("y", p=p, observed=data["y"].to_numpy(), dims="row")
    return model


def reference(data: pd.DataFrame) -> pd.Series:
    """Return the closed-form answer, the mean of y."""
    return pd.Series({"p": data["y"].mean()}, name="sample mean (pandas)")
