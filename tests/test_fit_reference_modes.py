"""Posterior modes of the reference problems, on the natural scale, against certified values."""

import json
from functools import cache
from math import log

import numpy as np
import pandas as pd
import pymc as pm
import pytensor.tensor as pt
import pytest

from ppl_mle import find_MAP
from tests.reference import quantity, reference_problem

SHARE = "beta1 : (1-alpha1)"  # PyMC allows no slash in a name
pytestmark = pytest.mark.filterwarnings("error::ppl_mle.errors.FitWarning")


def birthwt_prior(problem):
    data = problem.data
    columns = {"age": data["age"], "lwt": data["lwt"]}
    columns |= {"raceblack": data["race"] == "black", "raceother": data["race"] == "other"}
    columns |= {name: data[name] for name in ("smoke", "ptl", "ht", "ui", "ftv")}
    logistic_prior(columns, data["low"], pm.Normal, 10.0, 2.5)


def endometrial_prior(law, wide):
    def declare(problem):
        logistic_prior({name: problem.data[name] for name in ("NV", "PI", "EH")}, problem.data["HG"], law, wide, 2.5)

    return declare


def logistic_prior(columns, y, law, wide, narrow):
    b = law("b", 0, np.array([wide, *[narrow] * len(columns)]), dims=named("column", ["(Intercept)", *columns]))
    x = np.column_stack([np.ones(len(y)), *columns.values()]).astype(float)
    pm.Bernoulli("y", logit_p=x @ b, observed=y)


def mtcars_prior(problem):
    b = pm.Normal("b", 0, [20.0, 5.0, 5.0, 5.0], dims=named("column", ["(Intercept)", "wt", "qsec", "am"]))
    sigma = pm.HalfNormal("sigma", 5)
    x = np.column_stack([np.ones(32), problem.data[["wt", "qsec", "am"]].to_numpy(float)])
    pm.Normal("y", x @ b, sigma, observed=problem.data["mpg"])


def beta_binomial(problem):
    pm.Binomial("y", n=20, p=pm.Beta("p", 2, 3), observed=7)


def named(dim, values):
    pm.modelcontext(None).add_coord(dim, list(values))
    return dim


def stored(problem):
    """The data of a posterior of posteriordb, as arrays."""
    path = problem.path.parent / problem.facts["data"]
    return {name: np.array(value, float) for name, value in json.loads(path.read_text(encoding="utf-8")).items()}


def numbered(size, law=pm.Flat, *args):
    return law("beta", *args, dims=named("column", range(1, size + 1)))


def regression(y, columns, sigma=lambda: pm.HalfFlat("sigma")):
    x = np.column_stack([np.ones(len(y)), *columns]).astype(float)
    pm.Normal("y", x @ numbered(x.shape[1]), sigma(), observed=y)


def autoregression(problem):
    y = stored(problem)["y"]
    alpha, beta = pm.Normal("alpha", 0, 10), numbered(5, pm.Normal, 0, 10)
    lags = np.column_stack([y[5 - k : -k] for k in range(1, 6)])
    pm.Normal("y", alpha + lags @ beta, pm.HalfCauchy("sigma", 2.5), observed=y[5:])


def eight_schools(problem):
    data = stored(problem)
    z = pm.Normal("theta_trans", 0, 1, dims=named("school", range(1, 9)))
    theta = pm.Normal("mu", 0, 5) + pm.HalfCauchy("tau", 5) * z
    pm.Normal("y", theta, data["sigma"], observed=data["y"])


def garch(problem):
    # sigma_t^2 = alpha0 + alpha1 e_(t-1)^2 + beta1 sigma_(t-1)^2, written out as a sum over the lags.
    data = stored(problem)
    y, n = data["y"], len(data["y"])
    mu, alpha0, alpha1 = pm.Flat("mu", initval=5.0), pm.HalfFlat("alpha0"), pm.Uniform("alpha1", 0, 1)
    beta1 = pm.Uniform(SHARE, 0, 1) * (1 - alpha1)
    lags = np.subtract.outer(np.arange(n - 1), np.arange(n - 1))
    weights = pt.switch(lags >= 0, beta1 ** np.maximum(lags, 0), 0.0)
    news = alpha0 + alpha1 * (y[:-1] - mu) ** 2
    variances = beta1 ** np.arange(1, n) * data["sigma1"] ** 2 + weights @ news
    pm.Normal("y", mu, pt.sqrt(pt.concatenate([data["sigma1"][None] ** 2, variances])), observed=y)


def kidscore_interaction(problem):
    data = stored(problem)
    columns = [data["mom_hs"], data["mom_iq"], data["mom_hs"] * data["mom_iq"]]
    regression(data["kid_score"], columns, lambda: pm.HalfCauchy("sigma", 2.5))


def kidscore_iq(problem):
    data = stored(problem)
    regression(data["kid_score"], [data["mom_iq"]], lambda: pm.HalfCauchy("sigma", 2.5))


def kidscore_work(problem):
    data = stored(problem)
    regression(data["kid_score"], [data["mom_work"] == k for k in (2, 3, 4)])


def mesquite(problem):
    data = stored(problem)
    names = ("diam1", "diam2", "canopy_height", "total_height", "density", "group")
    regression(data["weight"], [data[name] for name in names])


def log_mesquite(problem):
    data = stored(problem)
    area = data["diam1"] * data["diam2"]
    sizes = (area * data["canopy_height"], area, data["diam1"] / data["diam2"], data["total_height"])
    regression(np.log(data["weight"]), [*map(np.log, sizes), data["group"]])


def gauss_mix(problem):
    means = pm.Normal(
        "mu", 0, 2, dims=named("part", [1, 2]), transform=pm.distributions.transforms.ordered, initval=[-1, 1]
    )
    scales = pm.HalfNormal("sigma", 2, dims="part")
    theta = pm.Beta("theta", 5, 5)
    parts = pm.Normal.dist(means, scales)
    pm.Mixture("y", w=pt.stack([theta, 1 - theta]), comp_dists=parts, observed=stored(problem)["y"])


def nes(problem):
    data = stored(problem)
    ages = [data["age_discrete"] == k for k in (2, 3, 4)]
    columns = [data["real_ideo"], data["race_adj"], *ages, data["educ1"], data["gender"], data["income"]]
    regression(data["partyid7"], columns)


def blr(problem):
    data = stored(problem)
    pm.Normal("y", data["X"] @ numbered(5, pm.Normal, 0, 10), pm.HalfNormal("sigma", 10), observed=data["y"])


# Stan's densities of half a normal law are not renormalized: each lacks log(2).
PRIORS = {
    "map/beta_binomial_conjugate": (beta_binomial, 0),
    "map/birthwt_logit_normal_prior": (birthwt_prior, 0),
    "map/endometrial_logit_normal_prior": (endometrial_prior(pm.Normal, 2.5), 0),
    "map/endometrial_logit_cauchy_prior": (endometrial_prior(pm.Cauchy, 10.0), 0),
    "map/mtcars_linear_map": (mtcars_prior, 0),
    "map/pdb_arK": (autoregression, 0),
    "map/pdb_garch11": (garch, 0),
    "map/pdb_kidscore_interaction": (kidscore_interaction, 0),
    "map/pdb_kidscore_momiq": (kidscore_iq, 0),
    "map/pdb_kidscore_mom_work": (kidscore_work, 0),
    "map/pdb_logmesquite_logvash": (log_mesquite, 0),
    "map/pdb_low_dim_gauss_mix": (gauss_mix, 2),
    "map/pdb_mesquite": (mesquite, 0),
    "map/pdb_nes1972": (nes, 0),
    "map/pdb_sblri_blr": (blr, 1),
}


@cache
def fitted_mode(name):
    """The fit, the mode that is certified, and both modes' estimates and errors side by side."""
    problem = reference_problem(name)
    with pm.Model() as model:
        PRIORS[name][0](problem)
    fit, mode = find_MAP(model, progressbar=False), problem.facts["modes"]["natural"]
    certified = pd.DataFrame(mode["parameters"]).set_index("name").rename(index={"beta1/(1-alpha1)": SHARE})
    found = pd.DataFrame([quantity(fit, label) for label in certified.index], certified.index, ["estimate", "se"])
    return fit, mode, certified, found


@pytest.mark.parametrize("name", sorted(PRIORS))
def test_mode_is_certified(name):
    """The mode to 8 digits, its log-density to 9."""
    fit, mode, certified, found = fitted_mode(name)
    assert fit.status.name == "CONVERGED"
    np.testing.assert_allclose(found["estimate"], certified["estimate"], rtol=1e-8)
    assert fit.lpf == pytest.approx(mode["logpost"] + PRIORS[name][1] * log(2), rel=1e-9)


@pytest.mark.parametrize("name", sorted(PRIORS))
def test_standard_errors_at_a_mode(name):
    _, _, certified, found = fitted_mode(name)
    np.testing.assert_allclose(found["se"], certified["se"], rtol=1e-8)


def test_mode_on_the_edge_is_found_there():
    problem = reference_problem("map/pdb_eight_schools_noncentered")
    with pm.Model() as model:
        eight_schools(problem)
    fit, mode = find_MAP(model, progressbar=False), problem.facts["modes"]["natural"]
    assert fit.status.name == "BOUNDARY"
    assert fit.params["tau"] == 0
    for wanted in mode["parameters"]:
        assert quantity(fit, wanted["name"])[0] == pytest.approx(wanted["estimate"], rel=1e-8, abs=1e-8)
    assert fit.lpf == pytest.approx(mode["logpost"], rel=1e-9)
