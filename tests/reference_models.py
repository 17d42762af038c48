"""The reference problems as PyMC models."""

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from tests import reference_regressions as regressions
from tests.reference_regressions import coefficients, predictor


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
    "models/admissions_logit": regressions.admissions_logit,
    "models/admissions_probit": regressions.admissions_probit,
    "models/birthwt_logit": regressions.birthwt_logit,
    "models/mtcars_am_logit": regressions.mtcars_am_logit,
    "models/beetles_logit": regressions.beetles_logit,
    "models/beetles_probit": regressions.beetles_probit,
    "models/beetles_cloglog": regressions.beetles_cloglog,
    "models/orings_logit": regressions.orings_logit,
    "models/Affairs_tobit": regressions.affairs_tobit,
    "models/bioChemists_poisson": regressions.poisson("art"),
    "models/warpbreaks_poisson": regressions.poisson("breaks"),
    "models/bioChemists_negbin": regressions.biochemists_negbin,
    "models/bioChemists_zip": regressions.biochemists_zip,
    "models/bioChemists_zinb": regressions.biochemists_zinb,
    "models/bioChemists_hurdle_poisson": regressions.biochemists_hurdle,
    "models/GasolineYield_beta": regressions.gasoline_beta,
    "models/clotting_gamma_inverse": regressions.clotting_gamma,
    "models/groundbeef_gamma": regressions.groundbeef_gamma,
    "models/groundbeef_lognormal": regressions.groundbeef_lognormal,
    "models/groundbeef_weibull": regressions.groundbeef_weibull,
    "models/Puromycin_treated_mm": regressions.puromycin,
    "models/mtcars_gaussian": regressions.mtcars_gaussian,
    "models/Womenlf_multinomial": regressions.womenlf,
    "models/TravelMode_condlogit": regressions.travel_mode,
    "models/linkage_multinomial": regressions.linkage,
    "models/housing_ordlogit": regressions.housing,
    "models/pneumo_ordlogit": regressions.pneumo,
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
