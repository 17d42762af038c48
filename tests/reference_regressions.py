"""The regressions among the reference problems, as PyMC models: each declares itself in the model at hand."""

import numpy as np
import pymc as pm
import pytensor.tensor as pt

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
