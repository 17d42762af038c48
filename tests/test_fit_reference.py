"""Fits of the reference problems against certified estimates, standard errors and log-likelihoods."""

import numpy as np
import pandas as pd
import pymc as pm
import pytensor.tensor as pt
import pytest

from ppl_mle import find_MLE
from tests.reference import quantity, reference_problem

pytestmark = pytest.mark.filterwarnings("error::ppl_mle.errors.FitWarning")

ORDERED = pm.distributions.transforms.ordered


def coefficients(names, name="b"):
    pm.modelcontext(None).add_coord(f"{name}_column", list(names))
    return pm.Flat(name, dims=f"{name}_column")


def predictor(problem):
    return problem.design.to_numpy(float) @ coefficients(problem.design.columns)


def bernoulli_logit(problem, response):
    pm.Bernoulli("y", logit_p=predictor(problem), observed=problem.data[response])


def admissions_logit(problem):
    bernoulli_logit(problem, "admit")


def admissions_probit(problem):
    pm.Bernoulli("y", p=pm.math.invprobit(predictor(problem)), observed=problem.data["admit"])


def birthwt_logit(problem):
    bernoulli_logit(problem, "low")


def mtcars_am_logit(problem):
    bernoulli_logit(problem, "am")


def beetles_logit(problem):
    eta = predictor(problem)
    pm.Binomial("y", n=problem.data["n"], logit_p=eta, observed=problem.data["killed"])


def beetles_probit(problem):
    eta = predictor(problem)
    pm.Binomial("y", n=problem.data["n"], p=pm.math.invprobit(eta), observed=problem.data["killed"])


def beetles_cloglog(problem):
    eta = predictor(problem)
    pm.Binomial("y", n=problem.data["n"], p=-pt.expm1(-pt.exp(eta)), observed=problem.data["killed"])


def orings_logit(problem):
    eta = predictor(problem)
    pm.Binomial("y", n=6, logit_p=eta, observed=problem.data["damage"])


def affairs_tobit(problem):
    eta = predictor(problem)
    sigma = pm.HalfFlat("sigma", initval=5.0)
    pm.Censored("y", pm.Normal.dist(eta, sigma), lower=0.0, upper=None, observed=problem.data["affairs"].astype(float))


def poisson(response):
    def declare(problem):
        pm.Poisson("y", pm.math.exp(predictor(problem)), observed=problem.data[response])

    return declare


def biochemists_negbin(problem):
    theta = pm.HalfFlat("theta")
    pm.NegativeBinomial("y", mu=pm.math.exp(predictor(problem)), alpha=theta, observed=problem.data["art"])


def two_part(problem):
    names = list(problem.design.columns)
    x = problem.design.to_numpy(float)
    count = x @ coefficients([f"count_{name}" for name in names], "count")
    return count, x @ coefficients([f"zero_{name}" for name in names], "zero")


def biochemists_zip(problem):
    count, zero = two_part(problem)
    pm.ZeroInflatedPoisson("y", psi=pm.math.invlogit(-zero), mu=pm.math.exp(count), observed=problem.data["art"])


def biochemists_zinb(problem):
    # Incident: psi = invlogit(68) is 1 in double precision, and the gradient of log(1 - psi) was NaN at the maximum.
    count, zero = two_part(problem)
    theta = pm.HalfFlat("theta")
    psi = pm.math.invlogit(-zero)
    pm.ZeroInflatedNegativeBinomial("y", psi=psi, mu=pm.math.exp(count), alpha=theta, observed=problem.data["art"])


def biochemists_hurdle(problem):
    count, zero = two_part(problem)
    pm.HurdlePoisson("y", psi=pm.math.invlogit(zero), mu=pm.math.exp(count), observed=problem.data["art"])


def gasoline_beta(problem):
    phi = pm.HalfFlat("phi", initval=50.0)
    mu = pm.math.invlogit(predictor(problem))
    pm.Beta("y", alpha=mu * phi, beta=(1 - mu) * phi, observed=problem.data["yield"])


def clotting_gamma(problem):
    b = pm.Flat("b", dims="column", initval=[0.01, 0.01])
    shape = pm.HalfFlat("shape")
    eta = problem.design.to_numpy(float) @ b
    pm.Gamma("y", alpha=shape, beta=shape * eta, observed=problem.data["lot1"].astype(float))


def groundbeef_gamma(problem):
    shape, rate = pm.HalfFlat("shape"), pm.HalfFlat("rate")
    pm.Gamma("y", alpha=shape, beta=rate, observed=problem.data["serving"].astype(float))


def groundbeef_lognormal(problem):
    meanlog, sdlog = pm.Flat("meanlog"), pm.HalfFlat("sdlog")
    pm.LogNormal("y", meanlog, sdlog, observed=problem.data["serving"].astype(float))


def groundbeef_weibull(problem):
    shape, scale = pm.HalfFlat("shape"), pm.HalfFlat("scale")
    pm.Weibull("y", alpha=shape, beta=scale, observed=problem.data["serving"].astype(float))


def puromycin(problem):
    rows = problem.data[problem.data["state"] == "treated"]
    top, half = pm.Flat("Vm", initval=150.0), pm.HalfFlat("K", initval=0.1)
    sigma = pm.HalfFlat("sigma", initval=20.0)
    x = rows["conc"].to_numpy(float)
    pm.Normal("y", top * x / (half + x), sigma, observed=rows["rate"].to_numpy(float))


def mtcars_gaussian(problem):
    sigma = pm.HalfFlat("sigma")
    pm.Normal("y", predictor(problem), sigma, observed=problem.data["mpg"])


def womenlf(problem):
    levels = ["not.work", "parttime", "fulltime"]
    names = [f"{level}:{name}" for level in levels[1:] for name in problem.design.columns]
    b = coefficients(names).reshape((2, 3))
    eta = problem.design.to_numpy(float) @ b.T
    logits = pt.concatenate([pt.zeros((len(problem.design), 1)), eta], axis=1)
    y = problem.data["partic"].map(levels.index).to_numpy()
    pm.Categorical("y", logit_p=logits, observed=y)


def travel_mode(problem):
    data = problem.data.set_index(["individual", "mode"]).unstack("mode")
    modes = ["air", "train", "bus", "car"]
    wait, gcost = (data[column][modes].to_numpy(float) for column in ("wait", "gcost"))
    income = data["income"]["air"].to_numpy(float)
    b = coefficients(["air", "train", "bus", "wait", "gcost", "air:income"])
    own = pt.stack([b[0] + b[5] * income, *(pt.zeros(len(income)) + v for v in (b[1], b[2], 0.0))], axis=1)
    chosen = (data["choice"][modes] == "yes").to_numpy().argmax(axis=1)
    pm.Categorical("y", logit_p=own + b[3] * wait + b[4] * gcost, observed=chosen)


def linkage(problem):
    t = pm.Uniform("theta", 0, 1)
    p = pt.stack([(2 + t) / 4, (1 - t) / 4, (1 - t) / 4, t / 4])
    counts = problem.data["count"].to_numpy()
    pm.Multinomial("y", n=counts.sum(), p=p, observed=counts)


def cumulative_logit(eta, names, start, y):
    pm.modelcontext(None).add_coord("cut", names)
    cuts = pm.Flat("cuts", dims="cut", transform=ORDERED, initval=start)
    pm.OrderedLogistic("y", eta=eta, cutpoints=cuts, compute_p=False, observed=y)


def housing(problem):
    y = problem.data["Sat"].map(["Low", "Medium", "High"].index).to_numpy()
    cumulative_logit(predictor(problem), ["Low|Medium", "Medium|High"], [-1.0, 1.0], y)


def pneumo(problem):
    levels = ["normal", "mild", "severe"]
    counts = problem.data[levels].to_numpy().ravel()
    exposure = np.repeat(np.log(problem.data["exposure.time"].to_numpy(float)), 3)
    y = np.tile([0, 1, 2], len(problem.data))
    let = pm.Flat("let")
    cumulative_logit(
        let * np.repeat(exposure, counts), ["normal|mild", "mild|severe"], [2.0, 3.0], np.repeat(y, counts)
    )


def censored_survival(problem):
    data = problem.data
    died = data["status"].to_numpy() == 2
    time = data["time"].to_numpy(float)
    return time, np.where(died, np.inf, time)


def lung_weibull(problem):
    time, upper = censored_survival(problem)
    scale = pm.HalfFlat("scale")
    law = pm.Weibull.dist(alpha=1 / scale, beta=pm.math.exp(predictor(problem)))
    pm.Censored("y", law, lower=None, upper=upper, observed=time)


def lung_lognormal(problem):
    time, upper = censored_survival(problem)
    scale = pm.HalfFlat("scale")
    pm.Censored("y", pm.LogNormal.dist(predictor(problem), scale), lower=None, upper=upper, observed=time)


def lung_loglogistic(problem):
    # log(time) is logistic; the density of time has the factor 1 / time at each death.
    time, upper = censored_survival(problem)
    scale = pm.HalfFlat("scale")
    law = pm.Logistic.dist(predictor(problem), scale)
    pm.Censored("y", law, lower=None, upper=np.log(upper), observed=np.log(time))
    pm.Potential("jacobian", pt.constant(-np.log(time[np.isinf(upper)]).sum()))


def mixture(column, means, sds):
    def declare(problem):
        w = pm.Uniform("w2", 0, 1)
        mu1, mu2 = (pm.Flat(f"mu{i + 1}", initval=m) for i, m in enumerate(means))
        sigma1, sigma2 = (pm.HalfFlat(f"sigma{i + 1}", initval=s) for i, s in enumerate(sds))
        parts = [pm.Normal.dist(mu1, sigma1), pm.Normal.dist(mu2, sigma2)]
        pm.Mixture("y", w=pt.stack([1 - w, w]), comp_dists=parts, observed=problem.data[column].to_numpy(float))

    return declare


def newcomb(problem):
    mu, sigma = pm.Flat("mu", initval=25.0), pm.HalfFlat("sigma", initval=5.0)
    nu = pm.HalfFlat("nu", initval=4.0)
    pm.StudentT("y", nu=nu, mu=mu, sigma=sigma, observed=problem.data["time"].to_numpy(float))


def portpirie(problem):
    loc, scale = pm.Flat("loc", initval=3.9), pm.HalfFlat("scale", initval=0.2)
    shape = pm.Flat("shape", initval=-0.1)

    def logp(value, loc, scale, shape):
        t = 1 + shape * (value - loc) / scale
        inside = pt.switch(pt.gt(t, 0), t, np.nan)
        return -pt.log(scale) - (1 + 1 / shape) * pt.log(inside) - inside ** (-1 / shape)

    pm.CustomDist("y", loc, scale, shape, logp=logp, observed=problem.data["sealevel"].to_numpy(float))


def one_way(group, response):
    """Random intercept integrated out, in orthonormal contrasts: one carries a group's mean, the rest only errors."""

    def declare(problem):
        rows = np.array([g[response].to_numpy(float) for _, g in problem.data.groupby(group)])
        size = rows.shape[1]
        contrasts = rows @ np.linalg.qr(np.ones((size, 1)), mode="complete")[0]
        mu = np.sign(contrasts[0, 0]) * size**0.5 * coefficients(["(Intercept)"])[0]
        between, within = pm.HalfFlat("sigma_group", initval=20.0), pm.HalfFlat("sigma", initval=20.0)
        pm.Normal("means", mu, pt.sqrt(within**2 + size * between**2), observed=contrasts[:, 0])
        pm.Normal("errors", 0, within, observed=contrasts[:, 1:])

    return declare


def sleepstudy(problem):
    """Random line integrated out: of ten rotated rows two carry the line (bivariate normal), eight only the error."""
    rows = problem.data.pivot(index="Subject", columns="Days", values="Reaction")
    z = np.column_stack([np.ones(10), rows.columns.to_numpy(float)])
    q, r = np.linalg.qr(z, mode="complete")
    rotated = rows.to_numpy(float) @ q
    b = coefficients(["(Intercept)", "Days"])
    first = pm.HalfFlat("sigma_intercept", initval=20.0)
    slope = pm.HalfFlat("sigma_slope", initval=5.0)
    rho = pm.Uniform("rho", -1, 1)
    sigma = pm.HalfFlat("sigma", initval=20.0)
    (r00, r01), (_, r11) = r[:2]
    cross = rho * first * slope
    v00 = sigma**2 + r00**2 * first**2 + 2 * r00 * r01 * cross + r01**2 * slope**2
    v01 = r11 * (r00 * cross + r01 * slope**2)
    v11 = sigma**2 + r11**2 * slope**2
    u, v = rotated[:, 0] - r00 * b[0] - r01 * b[1], rotated[:, 1] - r11 * b[1]
    det = v00 * v11 - v01**2
    quadratic = (v11 * u**2 - 2 * v01 * u * v + v00 * v**2) / det
    pm.Potential("lines", -0.5 * quadratic - 0.5 * pt.log(det) - np.log(2 * np.pi))
    pm.Normal("errors", 0, sigma, observed=rotated[:, 2:])


def bcg(problem):
    mu, tau = pm.Flat("mu"), pm.HalfFlat("tau")
    variance = problem.data["var_logRR"].to_numpy(float)
    pm.Normal("y", mu, pm.math.sqrt(variance + tau**2), observed=problem.data["logRR"].to_numpy(float))


def lh_ar1(problem):
    y = problem.data["lh"].to_numpy(float)
    rho, mean, sigma = pm.Uniform("ar1", -1, 1), pm.Flat("mean"), pm.HalfFlat("sigma")
    pm.Normal("first", mean, sigma / pm.math.sqrt(1 - rho**2), observed=y[0])
    pm.Normal("rest", mean + rho * (y[:-1] - mean), sigma, observed=y[1:])


def nile(problem):
    # With a flat density on the first level, what is left is the density of the 99 differences.
    observed, level = pm.HalfFlat("sigma_obs", initval=100.0), pm.HalfFlat("sigma_level", initval=50.0)
    steps = np.diff(problem.data["volume"].to_numpy(float))
    n = steps.size
    band = 2 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)
    pm.MvNormal("y", np.zeros(n), observed**2 * band + level**2 * np.eye(n), observed=steps)


def rescaled_columns(*columns):
    def declare(problem):
        data = problem.data
        ranks = [f"rank{k}" for k in (2, 3, 4)]
        x = np.column_stack([np.ones(len(data)), *(data[c] for c in columns), *(data["rank"] == k for k in (2, 3, 4))])
        eta = x.astype(float) @ coefficients(["(Intercept)", *columns, *ranks])
        pm.Bernoulli("y", logit_p=eta, observed=data["admit"])

    return declare


def with_intercept(problem, columns):
    x = np.column_stack([np.ones(len(problem.data)), problem.data[columns].to_numpy(float)])
    return x @ coefficients(["(Intercept)", *columns])


def collinear(problem):
    pm.Bernoulli("y", logit_p=with_intercept(problem, ["x1", "x2"]), observed=problem.data["y"])


def huge_counts(problem):
    pm.Poisson("y", pm.math.exp(with_intercept(problem, ["x"])), observed=problem.data["y"])


def orings_shifted(problem):
    eta = with_intercept(problem, ["temp_plus_1e6"])
    pm.Binomial("y", n=6, logit_p=eta, observed=problem.data["damage"])


def rare_events(problem):
    eta = with_intercept(problem, ["x"])
    pm.Binomial("y", n=problem.data["n"], logit_p=eta, observed=problem.data["events"])


def tiny_gaussian(problem):
    sigma = pm.HalfFlat("sigma")
    pm.Normal("y", with_intercept(problem, ["x"]), sigma, observed=problem.data["y"])


DECLARATIONS = {
    "models/admissions_logit": admissions_logit,
    "models/admissions_probit": admissions_probit,
    "models/birthwt_logit": birthwt_logit,
    "models/mtcars_am_logit": mtcars_am_logit,
    "models/beetles_logit": beetles_logit,
    "models/beetles_probit": beetles_probit,
    "models/beetles_cloglog": beetles_cloglog,
    "models/orings_logit": orings_logit,
    "models/Affairs_tobit": affairs_tobit,
    "models/bioChemists_poisson": poisson("art"),
    "models/warpbreaks_poisson": poisson("breaks"),
    "models/bioChemists_negbin": biochemists_negbin,
    "models/bioChemists_zip": biochemists_zip,
    "models/bioChemists_zinb": biochemists_zinb,
    "models/bioChemists_hurdle_poisson": biochemists_hurdle,
    "models/GasolineYield_beta": gasoline_beta,
    "models/clotting_gamma_inverse": clotting_gamma,
    "models/groundbeef_gamma": groundbeef_gamma,
    "models/groundbeef_lognormal": groundbeef_lognormal,
    "models/groundbeef_weibull": groundbeef_weibull,
    "models/Puromycin_treated_mm": puromycin,
    "models/mtcars_gaussian": mtcars_gaussian,
    "models/Womenlf_multinomial": womenlf,
    "models/TravelMode_condlogit": travel_mode,
    "models/linkage_multinomial": linkage,
    "models/housing_ordlogit": housing,
    "models/pneumo_ordlogit": pneumo,
    "models/lung_weibull": lung_weibull,
    "models/lung_lognormal": lung_lognormal,
    "models/lung_loglogistic": lung_loglogistic,
    "models/faithful_waiting_mixture2": mixture("waiting", (50.0, 80.0), (5.0, 5.0)),
    "models/faithful_eruptions_mixture2": mixture("eruptions", (2.0, 4.5), (0.3, 0.3)),
    "models/newcomb_t_nu": newcomb,
    "models/portpirie_gev": portpirie,
    "models/Dyestuff_lmm": one_way("Batch", "Yield"),
    "models/Rail_lmm": one_way("Rail", "travel"),
    "models/sleepstudy_lmm": sleepstudy,
    "models/bcg_meta": bcg,
    "models/lh_ar1": lh_ar1,
    "models/Nile_local_level": nile,
    "scale/admissions_rescaled": rescaled_columns("gre_micro", "gpa_mega"),
    "scale/collinear_logit": collinear,
    "scale/huge_counts": huge_counts,
    "scale/orings_shifted": orings_shifted,
    "scale/rare_events": rare_events,
    "scale/tiny_gaussian": tiny_gaussian,
}
SLOW = ("models/Nile_local_level", "models/bioChemists_zinb")
WEIGHTS = {"models/housing_ordlogit": "Freq"}
COORDS = {"models/clotting_gamma_inverse": {"column": ["(Intercept)", "log(u)"]}}


def declared(name, problem):
    with pm.Model(coords=COORDS.get(name)) as model:
        DECLARATIONS[name](problem)
    return model


def assert_agrees(fit, problem):
    """Estimates to 1e-7 standard errors, standard errors to 8 digits, log-likelihood to 9."""
    assert fit.status.name == "CONVERGED"
    estimates, ses = problem.estimates, problem.se
    found = pd.DataFrame([quantity(fit, name) for name in estimates.index], estimates.index, ["estimate", "se"])
    distance, error = (found["estimate"] - estimates) / ses, found["se"] / ses - 1
    assert distance.abs().max() < 1e-7, distance
    assert error.abs().max() < 1e-8, error
    assert fit.llf == pytest.approx(problem.facts["loglik"], rel=1e-9)


def marks_of(name):
    return [pytest.mark.slow] if name in SLOW else []


@pytest.mark.parametrize("name", [pytest.param(name, marks=marks_of(name)) for name in sorted(DECLARATIONS)])
def test_fit_is_certified(name):
    problem = reference_problem(name)
    weights = problem.data[WEIGHTS[name]].to_numpy(float) if name in WEIGHTS else None
    fit = find_MLE(declared(name, problem), weights=weights, progressbar=False)
    assert_agrees(fit, problem)
    assert fit.df_model == len(problem.estimates)
