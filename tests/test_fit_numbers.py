"""Fits whose answer has a closed form: estimates, standard errors and log-likelihood."""

import numpy as np
import pymc as pm
import pymc.dims as pmd
import pytest
import xarray as xr
from scipy import optimize, stats
from scipy.special import comb, gammaln, log_ndtr, logit, xlogy

from ppl_mle import find_MLE

pytestmark = pytest.mark.filterwarnings("error::ppl_mle.errors.FitWarning")

COIN = np.repeat([0, 1], [23, 14])
COUNTS = np.array([3, 0, 5, 2, 2, 7, 1, 4, 3, 6, 2, 0, 3])
LENGTHS = np.array([4.21, 3.87, 5.02, 4.66, 4.40, 3.95, 4.83, 4.12, 5.31, 4.57, 4.05])
WAITS = np.array([0.31, 1.72, 0.08, 2.44, 0.95, 0.51, 3.02, 1.18, 0.27, 0.66])
LIMIT = 1.5
TRIALS, SUCCESSES = np.array([12, 20, 7, 15]), np.array([3, 11, 2, 9])
ANSWERS = np.repeat([0, 1, 2, 3], [9, 4, 12, 5])
CELLS = np.bincount(ANSWERS)
TREATED, CONTROL = np.array([7, 9, 4, 11, 6]), np.array([3, 5, 2, 4])
POINTS = np.random.default_rng(11).normal(size=(15, 3)) @ np.array([[2.0, 0.3, 0.0], [0.0, 1.0, -0.4], [0.0, 0.0, 0.5]])
GROUPED = np.array([5.1, 4.8, 6.0, 7.3, 6.6, 9.0, 8.1, 8.8, 9.4])
GROUP = np.repeat([0, 1, 2], [3, 2, 4])


def proportion():
    with pm.Model() as model:
        p = pm.Uniform("p", 0, 1)
        pm.Deterministic("log_odds", pm.math.log(p / (1 - p)))
        pm.Bernoulli("y", p=p, observed=COIN)
    n, k = COIN.size, COIN.sum()
    q = k / n
    expected = {"p": (q, np.sqrt(q * (1 - q) / n)), "log_odds": (logit(q), 1 / np.sqrt(n * q * (1 - q)))}
    return model, expected, xlogy(k, q) + xlogy(n - k, 1 - q), n


def binomial():
    with pm.Model() as model:
        p = pm.Beta("p", 3, 7)
        pm.Binomial("y", n=TRIALS, p=p, observed=SUCCESSES)
    n = TRIALS.sum()
    q = SUCCESSES.sum() / n
    return model, {"p": (q, np.sqrt(q * (1 - q) / n))}, stats.binom.logpmf(SUCCESSES, TRIALS, q).sum(), 4


def normal():
    with pm.Model() as model:
        mu = pm.Flat("mu")
        sigma = pm.HalfFlat("sigma")
        pm.Deterministic("variation", sigma / mu)
        pm.Normal("y", mu, sigma, observed=LENGTHS)
    n, m, s = LENGTHS.size, LENGTHS.mean(), LENGTHS.std()
    ratio = s / m * np.sqrt(s**2 / m**2 / n + 1 / (2 * n))
    expected = {"mu": (m, s / np.sqrt(n)), "sigma": (s, s / np.sqrt(2 * n)), "variation": (s / m, ratio)}
    return model, expected, -n / 2 * (np.log(2 * np.pi * s**2) + 1), n


def lognormal():
    with pm.Model() as model:
        mu = pm.Normal("mu", 0, 1)
        sigma = pm.HalfNormal("sigma", 1)
        pm.LogNormal("y", mu, sigma, observed=LENGTHS)
    logs = np.log(LENGTHS)
    n, s = logs.size, logs.std()
    expected = {"mu": (logs.mean(), s / np.sqrt(n)), "sigma": (s, s / np.sqrt(2 * n))}
    return model, expected, stats.lognorm.logpdf(LENGTHS, s, scale=np.exp(logs.mean())).sum(), n


def means_of_groups():
    with pm.Model(coords={"group": ["a", "b", "c"]}) as model:
        mu = pm.Flat("mu", dims="group")
        sigma = pm.HalfFlat("sigma")
        pm.Normal("y", mu[GROUP], sigma, observed=GROUPED)
    means = np.array([part.mean() for part in np.split(GROUPED, [3, 5])])
    n = GROUPED.size
    s = np.sqrt(np.mean((GROUPED - means[GROUP]) ** 2))
    expected = {f"mu[{g}]": (m, s / np.sqrt(k)) for g, m, k in zip("abc", means, np.bincount(GROUP), strict=True)}
    expected["sigma"] = (s, s / np.sqrt(2 * n))
    return model, expected, -n / 2 * (np.log(2 * np.pi * s**2) + 1), n


def poisson():
    with pm.Model() as model:
        rate = pm.HalfFlat("rate")
        pm.Poisson("y", rate, observed=COUNTS)
    n, m = COUNTS.size, COUNTS.mean()
    return model, {"rate": (m, np.sqrt(m / n))}, stats.poisson.logpmf(COUNTS, m).sum(), n


def ratio_of_rates():
    with pm.Model() as model:
        a = pm.Exponential("a", 1)
        b = pm.Exponential("b", 1)
        pm.Deterministic("ratio", a / b)
        pm.Poisson("treated", a, observed=TREATED)
        pm.Poisson("control", b, observed=CONTROL)
    a, b = TREATED.mean(), CONTROL.mean()
    expected = {
        "a": (a, np.sqrt(a / TREATED.size)),
        "b": (b, np.sqrt(b / CONTROL.size)),
        "ratio": (a / b, a / b * np.sqrt(1 / TREATED.sum() + 1 / CONTROL.sum())),
    }
    llf = stats.poisson.logpmf(TREATED, a).sum() + stats.poisson.logpmf(CONTROL, b).sum()
    return model, expected, llf, TREATED.size + CONTROL.size


def geometric():
    with pm.Model() as model:
        p = pm.Uniform("p", 0, 1)
        pm.Geometric("y", p, observed=COUNTS + 1)
    n, q = COUNTS.size, 1 / (COUNTS + 1).mean()
    return model, {"p": (q, q * np.sqrt((1 - q) / n))}, stats.geom.logpmf(COUNTS + 1, q).sum(), n


def exponential():
    with pm.Model() as model:
        rate = pm.Gamma("rate", 2, 1)
        pm.Exponential("y", rate, observed=WAITS)
    n, r = WAITS.size, 1 / WAITS.mean()
    return model, {"rate": (r, r / np.sqrt(n))}, n * np.log(r) - n, n


def censored_exponential():
    with pm.Model() as model:
        rate = pm.HalfFlat("rate")
        waits = pm.Exponential.dist(rate)
        pm.Censored("y", waits, lower=None, upper=LIMIT, observed=np.minimum(WAITS, LIMIT))
    events, total = np.sum(WAITS < LIMIT), np.minimum(WAITS, LIMIT).sum()
    r = events / total
    return model, {"rate": (r, r / np.sqrt(events))}, events * np.log(r) - events, WAITS.size


def pareto():
    # Incident: PyTensor holds the Python float 3.0 as float32, and takes its logarithm to 7 digits.
    with pm.Model() as model:
        alpha = pm.HalfFlat("alpha")
        pm.Pareto("y", alpha=alpha, m=3.0, observed=LENGTHS)
    n = LENGTHS.size
    a = n / np.log(LENGTHS / 3).sum()
    return model, {"alpha": (a, a / np.sqrt(n))}, stats.pareto.logpdf(LENGTHS, a, scale=3).sum(), n


def inverse_gaussian():
    # Tweedie (1957): mu = mean, lam = n / sum(1/y - 1/mean), with a diagonal observed information.
    with pm.Model() as model:
        mu = pm.HalfFlat("mu")
        lam = pm.HalfFlat("lam")
        pm.Wald("y", mu=mu, lam=lam, observed=WAITS)
    n, m = WAITS.size, WAITS.mean()
    shape = n / np.sum(1 / WAITS - 1 / m)
    expected = {"mu": (m, np.sqrt(m**3 / (n * shape))), "lam": (shape, shape * np.sqrt(2 / n))}
    return model, expected, stats.invgauss.logpdf(WAITS, m / shape, scale=shape).sum(), n


def simplex():
    with pm.Model(coords={"answer": list("abcd")}) as model:
        p = pm.Dirichlet("p", np.ones(4), dims="answer")
        pm.Categorical("y", p=p, observed=ANSWERS)
    n = ANSWERS.size
    q = CELLS / n
    expected = {f"p[{a}]": (x, np.sqrt(x * (1 - x) / n)) for a, x in zip("abcd", q, strict=True)}
    return model, expected, xlogy(CELLS, q).sum(), n


def multinomial():
    with pm.Model() as model:
        p = pm.Dirichlet("p", np.ones(4))
        pm.Multinomial("y", n=CELLS.sum(), p=p, observed=CELLS)
    n = CELLS.sum()
    q = CELLS / n
    expected = {f"p[{i}]": (x, np.sqrt(x * (1 - x) / n)) for i, x in enumerate(q)}
    return model, expected, gammaln(n + 1) - gammaln(CELLS + 1).sum() + xlogy(CELLS, q).sum(), np.nan


def ordered_logit():
    with pm.Model(coords={"cut": ["a|b", "b|c", "c|d"]}) as model:
        cuts = pm.Normal(
            "cuts", 0, 10, dims="cut", transform=pm.distributions.transforms.ordered, initval=[-1.0, 0.0, 1.0]
        )
        pm.OrderedLogistic("y", eta=0.0, cutpoints=cuts, compute_p=False, observed=ANSWERS)
    n = ANSWERS.size
    below = np.cumsum(CELLS)[:-1] / n
    ses = 1 / np.sqrt(n * below * (1 - below))
    expected = {f"cuts[{c}]": pair for c, *pair in zip(["a|b", "b|c", "c|d"], logit(below), ses, strict=True)}
    return model, expected, xlogy(CELLS, CELLS / n).sum(), n


def multivariate_normal():
    # Anderson (2003, 3.2): mean and S = sum (y - mean)(y - mean)'/n; Var S_jk = (S_jj S_kk + S_jk^2)/n.
    with pm.Model() as model:
        mu = pm.Flat("mu", shape=3)
        chol = pm.LKJCholeskyCov("chol", n=3, eta=1, sd_dist=pm.Exponential.dist(1, shape=3), compute_corr=False)
        chol = pm.math.expand_packed_triangular(3, chol)
        pm.Deterministic("cov", chol @ chol.T)
        pm.MvNormal("y", mu, chol=chol, observed=POINTS)
    n = len(POINTS)
    mean, s = POINTS.mean(axis=0), np.cov(POINTS.T, bias=True)
    expected = {f"mu[{j}]": (mean[j], np.sqrt(s[j, j] / n)) for j in range(3)}
    for j, k in np.ndindex(3, 3):
        expected[f"cov[{j}, {k}]"] = s[j, k], np.sqrt((s[j, j] * s[k, k] + s[j, k] ** 2) / n)
    return model, expected, -n / 2 * (3 * np.log(2 * np.pi) + np.linalg.slogdet(s)[1] + 3), n


def with_dims():
    y = xr.DataArray(GROUPED, dims="row")
    with pm.Model(coords={"row": range(GROUPED.size)}) as model:
        mu = pmd.Flat("mu")
        sigma = pmd.HalfFlat("sigma")
        pmd.Normal("y", mu, sigma, observed=y)
    n, s = GROUPED.size, GROUPED.std()
    expected = {"mu": (GROUPED.mean(), s / np.sqrt(n)), "sigma": (s, s / np.sqrt(2 * n))}
    return model, expected, -n / 2 * (np.log(2 * np.pi * s**2) + 1), n


def proportions_with_dims():
    deaths = np.array([[3, 8, 6], [1, 9, 4]])
    exposed = np.array([[10, 11, 12], [9, 14, 8]])
    coords = {"site": ["x", "y"], "week": [1, 2, 3]}
    with pm.Model(coords=coords) as model:
        p = pmd.Beta("p", 1, 1, dims="site")
        n = pmd.Data("n", exposed, dims=("site", "week"))
        pmd.Binomial("deaths", n=n, p=p, observed=xr.DataArray(deaths, dims=("site", "week")))
    total, q = exposed.sum(axis=1), deaths.sum(axis=1) / exposed.sum(axis=1)
    expected = {f"p[{site}]": (x, np.sqrt(x * (1 - x) / t)) for site, x, t in zip("xy", q, total, strict=True)}
    return model, expected, stats.binom.logpmf(deaths, exposed, q[:, None]).sum(), 6


CLOSED_FORMS = (
    proportion,
    binomial,
    normal,
    lognormal,
    means_of_groups,
    poisson,
    ratio_of_rates,
    geometric,
    exponential,
    censored_exponential,
    pareto,
    inverse_gaussian,
    simplex,
    multinomial,
    ordered_logit,
    multivariate_normal,
    with_dims,
    proportions_with_dims,
)
DIMENSIONS = {"simplex": 3, "multinomial": 3, "multivariate_normal": 9}


@pytest.mark.parametrize("case", CLOSED_FORMS, ids=lambda case: case.__name__)
def test_fit_is_the_closed_form(case):
    model, expected, llf, nobs = case()
    fit = find_MLE(model, progressbar=False)
    assert fit.status.name == "CONVERGED"
    values, ses = all_quantities(fit, expected)
    for label, (estimate, se) in expected.items():
        assert values[label] == pytest.approx(estimate, abs=1e-9 * se), label
        assert ses[label] == pytest.approx(se, rel=1e-9), label
    assert fit.llf == pytest.approx(llf, rel=1e-12)
    np.testing.assert_equal(fit.nobs, nobs)  # NaN where one joint density leaves rows without a meaning
    parameters = [label for label in expected if label in fit.labels]
    assert fit.df_model == DIMENSIONS.get(case.__name__, len(parameters))


def all_quantities(fit, wanted):
    values, ses = dict(fit.params), dict(fit.bse)
    for name in {label.split("[")[0] for label in wanted if label not in values}:
        derived = fit.deterministic(name)
        values |= dict(derived.params)
        ses |= dict(derived.bse)
    return values, ses


def test_covariance_of_simplex_elements_is_multinomial():
    model, *_ = simplex()
    covariance = find_MLE(model, progressbar=False).cov_params()
    n = ANSWERS.size
    q = CELLS / n
    np.testing.assert_allclose(covariance, (np.diag(q) - np.outer(q, q)) / n, rtol=1e-9, atol=1e-18)
    assert list(covariance.index) == list(covariance.columns) == ["p[a]", "p[b]", "p[c]", "p[d]"]


def test_truncated_normal_matches_the_moments():
    # Incident: PyMC writes the normal tail with sqrt(2.0), which PyTensor computes in float32: wrong in the 8th digit.
    # A truncated normal is an exponential family in (y, y^2): at the maximum its first two moments are the sample's.
    with pm.Model() as model:
        mu = pm.Flat("mu")
        sigma = pm.HalfFlat("sigma")
        pm.TruncatedNormal("y", mu=mu, sigma=sigma, lower=3.5, observed=LENGTHS)
    fit = find_MLE(model, progressbar=False)
    assert fit.status.name == "CONVERGED"
    sample = np.array([LENGTHS.mean(), np.mean(LENGTHS**2)])
    m, s = solution = optimize.root(lambda theta: truncated_moments(*theta)[1:3] - sample, [4.4, 0.5], tol=1e-14).x
    raw = truncated_moments(m, s)
    # The information about the natural parameters (m/s^2, -1/(2 s^2)) is n Cov(y, y^2); the Jacobian moves it.
    jacobian = np.array([[1 / s**2, -2 * m / s**3], [0, 1 / s**3]])
    information = LENGTHS.size * jacobian.T @ (raw[[[2, 3], [3, 4]]] - np.outer(raw[1:3], raw[1:3])) @ jacobian
    ses = np.sqrt(np.diag(np.linalg.inv(information)))
    assert np.all(np.abs(fit.params.to_numpy() - solution) < 1e-8 * ses)
    np.testing.assert_allclose(fit.bse, ses, rtol=1e-8)
    llf = stats.norm.logpdf(LENGTHS, m, s).sum() - LENGTHS.size * log_ndtr((m - 3.5) / s)
    assert fit.llf == pytest.approx(llf, rel=1e-11)


def truncated_moments(m, s):
    """E[y^k], k = 0..4, of a normal above 3.5, by the recursion M_k = (k - 1) M_{k-2} + a^{k-1} hazard(a)."""
    a = (3.5 - m) / s
    hazard = np.exp(stats.norm.logpdf(a) - log_ndtr(-a))
    z = [1.0, hazard]
    for k in (2, 3, 4):
        z.append((k - 1) * z[k - 2] + a ** (k - 1) * hazard)
    return np.array([sum(comb(k, i) * s**i * z[i] * m ** (k - i) for i in range(k + 1)) for k in range(5)])


def test_information_criteria_of_a_known_log_likelihood():
    model, _, llf, n = normal()
    fit = find_MLE(model, progressbar=False)
    assert fit.aic == pytest.approx(-2 * llf + 4, rel=1e-12)
    assert fit.aicc == pytest.approx(-2 * llf + 4 + 12 / (n - 3), rel=1e-12)
    assert fit.bic == pytest.approx(-2 * llf + 2 * np.log(n), rel=1e-12)
