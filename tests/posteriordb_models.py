"""The posteriors of posteriordb as PyMC models, with the priors and the names of the reference draws."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt

from ppl_mle.posterior import check_draws
from tests.reference import reference_folder


@dataclass(frozen=True)
class Posterior:
    """One case of posteriordb.

    Parameters
    ----------
    name : str
        `data-model`, as posteriordb calls it.
    declare : callable
        Declares the model of the data, inside a model context.
    quick : bool
        Sampled in a few seconds.
    """

    name: str
    declare: Callable[[dict[str, Any]], None] = field(repr=False)
    quick: bool = True

    def build(self):
        """Return the model."""
        with pm.Model() as model:
            self.declare(read_json(f"{self.name.split('-')[0]}.data.json"))
        return model

    @property
    def reference(self):
        """Mean, sd and their Monte Carlo errors by name."""
        return read_json(f"{self.name}.reference.json")["summary"]


def read_json(name):
    """Read a file of the folder; arrays stay lists."""
    return json.loads((reference_folder() / "posteriordb" / name).read_text(encoding="utf-8"))


def compare_moments(tree, reference):
    """Largest |z| of the means, and the sd ratio furthest from 1, with the names they belong to."""
    worst_z, worst_ratio = (0.0, ""), (1.0, "")
    errors = check_draws(tree).table["mcse_mean"]
    for name, known in reference.items():
        base, _, index = name.rstrip("]").partition("[")
        where = tuple(int(i) - 1 for i in index.split(",")) if index else ()
        label = f"{base}[{', '.join(str(i) for i in where)}]" if where else base
        values = tree["posterior"][base].to_numpy()[(slice(None), slice(None), *where)]
        z = abs(values.mean() - known["mean"]) / np.hypot(errors[label], known["mcse_mean"])
        ratio = values.std(ddof=1) / known["sd"]
        worst_z = max(worst_z, (z, name))
        worst_ratio = max(worst_ratio, (ratio, name), key=lambda pair: abs(pair[0] - 1))
    return worst_z, worst_ratio


def _flat_regression(y, *columns):
    """Coefficients and sigma > 0 with flat priors."""
    X = np.column_stack([np.ones(len(y)), *columns]).astype(float)
    beta = pm.Flat("beta", shape=X.shape[1])
    sigma = pm.HalfFlat("sigma")
    pm.Normal("y", pm.math.dot(X, beta), sigma, observed=np.asarray(y, float))


def _kidiq_regression(data, *columns):
    """Flat coefficients, sigma half-Cauchy(0, 2.5)."""
    X = np.column_stack([np.ones(data["N"]), *columns]).astype(float)
    beta = pm.Flat("beta", shape=X.shape[1])
    sigma = pm.HalfCauchy("sigma", 2.5)
    pm.Normal("y", pm.math.dot(X, beta), sigma, observed=np.asarray(data["kid_score"], float))


def _arrays(data, *names):
    return [np.asarray(data[name], float) for name in names]


def _interaction(data):
    hs, iq = _arrays(data, "mom_hs", "mom_iq")
    _kidiq_regression(data, hs, iq, hs * iq)


def _mom_work(data):
    work = np.asarray(data["mom_work"])
    _flat_regression(data["kid_score"], work == 2, work == 3, work == 4)


def _mesquite(data):
    names = ("diam1", "diam2", "canopy_height", "total_height", "density", "group")
    _flat_regression(data["weight"], *_arrays(data, *names))


def _logmesquite(data):
    *sizes, group = _arrays(data, "diam1", "diam2", "canopy_height", "total_height", "density", "group")
    _flat_regression(np.log(data["weight"]), *np.log(sizes), group)


def _logvash(data):
    first, second, height, total, group = _arrays(data, "diam1", "diam2", "canopy_height", "total_height", "group")
    volume, area, shape = np.log(first * second * height), np.log(first * second), np.log(first / second)
    _flat_regression(np.log(data["weight"]), volume, area, shape, np.log(total), group)


def _nes(data):
    age = np.asarray(data["age_discrete"])
    ideology, race, education, gender, income = _arrays(data, "real_ideo", "race_adj", "educ1", "gender", "income")
    _flat_regression(data["partyid7"], ideology, race, age == 2, age == 3, age == 4, education, gender, income)


def _blr(data):
    X, y = _arrays(data, "X", "y")
    beta = pm.Normal("beta", 0, 10, shape=X.shape[1])
    sigma = pm.HalfNormal("sigma", 10)
    pm.Normal("y", pm.math.dot(X, beta), sigma, observed=y)


def _ark(data):
    y, lags = np.asarray(data["y"], float), data["K"]
    alpha = pm.Normal("alpha", 0, 10)
    beta = pm.Normal("beta", 0, 10, shape=lags)
    sigma = pm.HalfCauchy("sigma", 2.5)
    past = np.column_stack([y[lags - k : len(y) - k] for k in range(1, lags + 1)])
    pm.Normal("y", alpha + pm.math.dot(past, beta), sigma, observed=y[lags:])


def _garch(data):
    y = np.asarray(data["y"], float)
    mu, alpha0 = pm.Flat("mu"), pm.HalfFlat("alpha0")
    alpha1 = pm.Uniform("alpha1", 0, 1)
    beta1 = _flat_below("beta1", 1 - alpha1)

    def step(before, variance, mu, alpha0, alpha1, beta1):
        return alpha0 + alpha1 * (before - mu) ** 2 + beta1 * variance

    first = pt.as_tensor(np.array(data["sigma1"] ** 2, dtype="float64"))
    later = pytensor.scan(
        step,
        sequences=[pt.constant(y[:-1])],
        outputs_info=[first],
        non_sequences=[mu, alpha0, alpha1, beta1],
        return_updates=False,
    )
    variance = pt.concatenate([first[None], later])
    pm.Normal("y", mu, pt.sqrt(variance), observed=y)


def _flat_below(name, top):
    """Flat between 0 and a bound that is free: uniform, times the width of its range."""
    value = pm.Uniform(name, 0, top)
    pm.Potential(f"width_of_{name}", pt.log(top))
    return value


def _hmm(data):
    y = np.asarray(data["y"], float)
    theta = pt.stack([pm.Dirichlet("theta1", np.ones(2)), pm.Dirichlet("theta2", np.ones(2))])
    low = pm.HalfFlat("mu_low")
    gap = pm.HalfFlat("mu_gap")
    mu = pm.Deterministic("mu", pt.stack([low, low + gap]))
    pm.Potential("prior_of_mu", pm.logp(pm.Normal.dist(np.array([3.0, 10.0]), 1.0), mu).sum())
    emission = pm.logp(pm.Normal.dist(mu, 1.0), y[:, None])
    first = emission[0]

    def step(now, before, transition):
        return now + pt.logsumexp(before[:, None] + transition, axis=0)

    passed = pytensor.scan(
        step, sequences=[emission[1:]], outputs_info=[first], non_sequences=[pt.log(theta)], return_updates=False
    )
    pm.Potential("y", pt.logsumexp(passed[-1]))


def _mixture(data):
    y = np.asarray(data["y"], float)
    mu = pm.Normal("mu", 0, 2, shape=2, transform=pm.distributions.transforms.ordered, initval=[-1.0, 1.0])
    pm.Potential("ordered", pt.constant(np.log(2.0)))
    sigma = pm.HalfNormal("sigma", 2, shape=2)
    theta = pm.Beta("theta", 5, 5)
    each = pm.logp(pm.Normal.dist(mu, sigma), y[:, None])
    pm.Potential("y", pt.logaddexp(pt.log(theta) + each[:, 0], pt.log1p(-theta) + each[:, 1]).sum())


def _eight_schools(data):
    y, sigma = _arrays(data, "y", "sigma")
    mu, tau = pm.Normal("mu", 0, 5), pm.HalfCauchy("tau", 5)
    eta = pm.Normal("theta_trans", 0, 1, shape=len(y))
    theta = pm.Deterministic("theta", mu + tau * eta)
    pm.Normal("y", theta, sigma, observed=y)


POSTERIORS = (
    Posterior("kidiq-kidscore_momhs", lambda data: _kidiq_regression(data, data["mom_hs"])),
    Posterior("kidiq-kidscore_momiq", lambda data: _kidiq_regression(data, data["mom_iq"])),
    Posterior("kidiq-kidscore_momhsiq", lambda data: _kidiq_regression(data, data["mom_hs"], data["mom_iq"])),
    Posterior("kidiq-kidscore_interaction", _interaction),
    Posterior("kidiq_with_mom_work-kidscore_mom_work", _mom_work),
    Posterior("mesquite-mesquite", _mesquite),
    Posterior("mesquite-logmesquite", _logmesquite),
    Posterior("mesquite-logmesquite_logvash", _logvash),
    Posterior("nes1972-nes", _nes),
    Posterior("nes1976-nes", _nes),
    Posterior("sblri-blr", _blr),
    Posterior("arK-arK", _ark),
    Posterior("eight_schools-eight_schools_noncentered", _eight_schools),
    Posterior("low_dim_gauss_mix-low_dim_gauss_mix", _mixture),
    Posterior("garch-garch11", _garch, quick=False),
    Posterior("hmm_example-hmm_example", _hmm, quick=False),
)
