"""One model in other words: coded factors, scales or rates, probabilities or logits give one likelihood and one fit."""

import warnings

import numpy as np
import pymc as pm
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from ppl_mle import FitWarning, find_MLE

FEW = settings(max_examples=2, deadline=None, derandomize=True)
N = 36
RNG = np.random.default_rng(11)
LEVEL = np.arange(N) % 3
X = np.round(RNG.normal(size=N) * 64) / 64
Y = np.round((1 + 0.5 * X + np.array([0, 0.7, -0.4])[LEVEL] + RNG.normal(size=N)) * 64) / 64
HITS = (Y > 1).astype(int)
COUNTS = RNG.poisson(np.exp(0.8 + 0.3 * X))
CLUMPED = RNG.negative_binomial(1.5, 0.3, size=N)
WAITS = np.round(RNG.gamma(2.5, 1.3, size=N) * 1024) / 1024 + 1 / 64
SHARES = RNG.beta(2.0, 3.0, size=N)


def fitted(declare, *args):
    with pm.Model() as model:
        declare(*args)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        warnings.simplefilter("ignore", FitWarning)
        return find_MLE(model, progressbar=False)


def response(family, eta):
    if family == "normal":
        pm.Normal("y", eta, pm.HalfFlat("sigma"), observed=Y)
    elif family == "Bernoulli":
        pm.Bernoulli("y", logit_p=eta, observed=HITS)
    else:
        pm.Poisson("y", pm.math.exp(eta), observed=COUNTS)


def coded(family, code):
    """Level means are `code @ b`."""
    b = pm.Flat("b", shape=code.shape[1])
    pm.Deterministic("cell", pm.math.dot(code, b))
    response(family, code[LEVEL] @ b + X * pm.Flat("slope"))


def indexed(family, order):
    """Level means are elements of a vector, in some order, with or without an intercept that one of them lacks."""
    u = pm.Flat("u", shape=3)
    pm.Deterministic("cell", u[order])
    response(family, u[np.asarray(order)[LEVEL]] + X * pm.Flat("slope"))


def treatment(reference):
    return np.column_stack([np.ones(3), np.delete(np.eye(3), reference, axis=1)])


HELMERT = np.array([[1.0, -1, -1], [1, 1, -1], [1, 0, 2]])
SUMS = np.array([[1.0, 1, 0], [1, 0, 1], [1, -1, -1]])


@pytest.mark.parametrize("family", ["normal", "Bernoulli", "Poisson"])
def test_coding_of_a_factor(family):
    base = fitted(coded, family, np.eye(3))
    design = np.column_stack([np.eye(3)[LEVEL], X])
    peers = {
        "normal": lambda: sm.OLS(Y, design).fit(),
        "Bernoulli": lambda: sm.Logit(HITS, design).fit(tol=1e-15, maxiter=99, disp=0),
        "Poisson": lambda: sm.GLM(COUNTS, design, family=sm.families.Poisson()).fit(tol=1e-15, maxiter=99),
    }
    peer = peers[family]()
    np.testing.assert_allclose(base.params[:4], peer.params, rtol=1e-8)
    assert base.llf == pytest.approx(peer.llf, rel=1e-11)

    def assert_same(found):
        cell, other = found.deterministic("cell"), base.deterministic("cell")
        assert found.status.name == "CONVERGED"
        assert found.llf == pytest.approx(base.llf, rel=1e-11)
        assert np.max(np.abs(cell.params.to_numpy() - other.params.to_numpy()) / other.bse.to_numpy()) < 1e-9
        np.testing.assert_allclose(cell.bse, other.bse, rtol=1e-8)
        assert abs(found.params["slope"] - base.params["slope"]) < 1e-9 * base.bse["slope"]
        assert found.bse["slope"] == pytest.approx(base.bse["slope"], rel=1e-8)

    @FEW
    @given(st.permutations(range(3)), st.integers(0, 2), st.sampled_from([HELMERT, SUMS, 64 * HELMERT]))
    def check(order, reference, code):
        assert_same(fitted(coded, family, treatment(reference)))
        assert_same(fitted(indexed, family, order))
        assert_same(fitted(coded, family, code))

    check()


def positive(*names):
    return [pm.HalfFlat(name) for name in names]


def normal_sd():
    pm.Normal("y", pm.Flat("m"), pm.HalfFlat("s"), observed=Y)


def normal_precision():
    pm.Normal("y", pm.Flat("m"), tau=pm.HalfFlat("t"), observed=Y)


def lognormal_sd():
    pm.LogNormal("y", pm.Flat("m"), pm.HalfFlat("s"), observed=WAITS)


def lognormal_as_normal():
    pm.Normal("y", pm.Flat("m"), pm.math.exp(pm.Flat("t")), observed=np.log(WAITS))


def gamma_rate():
    shape, rate = positive("a", "b")
    pm.Gamma("y", alpha=shape, beta=rate, observed=WAITS)


def gamma_scale():
    shape, scale = positive("a", "s")
    pm.Gamma("y", alpha=shape, beta=1 / scale, observed=WAITS)


def gamma_mean():
    mu, sigma = positive("m", "s")
    pm.Gamma("y", mu=mu, sigma=sigma, observed=WAITS)


def gamma_logs():
    pm.Gamma("y", alpha=pm.math.exp(pm.Flat("a")), beta=pm.math.exp(pm.Flat("b")), observed=WAITS)


def exponential_rate():
    pm.Exponential("y", pm.HalfFlat("l"), observed=WAITS)


def exponential_scale():
    pm.Exponential("y", scale=pm.HalfFlat("l"), observed=WAITS)


def exponential_log_rate():
    pm.Exponential("y", pm.math.exp(pm.Flat("l")), observed=WAITS)


def clumped_size():
    mu, alpha = positive("m", "a")
    pm.NegativeBinomial("y", mu=mu, alpha=alpha, observed=CLUMPED)


def clumped_probability():
    pm.NegativeBinomial("y", n=pm.HalfFlat("n"), p=pm.Uniform("p", 0, 1), observed=CLUMPED)


def clumped_overdispersion():
    mu, extra = positive("m", "k")
    pm.NegativeBinomial("y", mu=mu, alpha=1 / extra, observed=CLUMPED)


def beta_shapes():
    a, b = positive("a", "b")
    pm.Beta("y", a, b, observed=SHARES)


def beta_mean():
    pm.Beta("y", mu=pm.Uniform("m", 0, 1), nu=pm.HalfFlat("n"), observed=SHARES)


def beta_logit_mean():
    pm.Beta("y", mu=pm.math.invlogit(pm.Flat("m")), nu=pm.HalfFlat("n"), observed=SHARES)


def chance():
    pm.Bernoulli("y", p=pm.Uniform("p", 0, 1), observed=HITS)


def chance_logit():
    pm.Bernoulli("y", logit_p=pm.Flat("p"), observed=HITS)


def chance_complement():
    pm.Bernoulli("y", p=1 - pm.Uniform("p", 0, 1), observed=HITS)


def chance_cloglog():
    pm.Bernoulli("y", p=1 - pm.math.exp(-pm.math.exp(pm.Flat("p"))), observed=HITS)


# Two declarations, what the second's parameters are of the first's, and what its log-likelihood has besides.
PAIRS = [
    (normal_sd, normal_precision, lambda t: [t[0], t[1] ** -2], 0.0),
    (lognormal_sd, lognormal_as_normal, lambda t: [t[0], np.log(t[1])], np.log(WAITS).sum()),
    (gamma_rate, gamma_scale, lambda t: [t[0], 1 / t[1]], 0.0),
    (gamma_rate, gamma_mean, lambda t: [t[0] / t[1], t[0] ** 0.5 / t[1]], 0.0),
    (gamma_rate, gamma_logs, lambda t: [np.log(t[0]), np.log(t[1])], 0.0),
    (exponential_rate, exponential_scale, lambda t: [1 / t[0]], 0.0),
    (exponential_rate, exponential_log_rate, lambda t: [np.log(t[0])], 0.0),
    (clumped_size, clumped_probability, lambda t: [t[1], t[1] / (t[0] + t[1])], 0.0),
    (clumped_size, clumped_overdispersion, lambda t: [t[0], 1 / t[1]], 0.0),
    (beta_shapes, beta_mean, lambda t: [t[0] / (t[0] + t[1]), t[0] + t[1]], 0.0),
    (beta_shapes, beta_logit_mean, lambda t: [np.log(t[0] / t[1]), t[0] + t[1]], 0.0),
    (chance, chance_logit, lambda t: [np.log(t[0] / (1 - t[0]))], 0.0),
    (chance, chance_complement, lambda t: [1 - t[0]], 0.0),
    (chance, chance_cloglog, lambda t: [np.log(-np.log(1 - t[0]))], 0.0),
]


def slopes(change, t):
    """Jacobian of an analytic function by complex steps (Squire and Trapp 1998)."""
    steps = t + 1e-30j * np.eye(t.size)
    return np.array([np.imag(change(step)) / 1e-30 for step in steps]).T


@pytest.mark.parametrize(
    ("one", "other", "change", "besides"), PAIRS, ids=lambda value: getattr(value, "__name__", None)
)
def test_the_same_law_in_other_parameters(one, other, change, besides):
    base, found = fitted(one), fitted(other)
    t = base.params.to_numpy()
    jacobian = slopes(change, t)
    covariance = jacobian @ base.cov_params().to_numpy() @ jacobian.T
    ses = np.sqrt(np.diag(covariance))
    assert found.status.name == base.status.name == "CONVERGED"
    assert np.max(np.abs(found.params.to_numpy() - np.real(change(t))) / ses) < 1e-9
    np.testing.assert_allclose(found.bse, ses, rtol=1e-8)
    np.testing.assert_allclose(found.cov_params() / np.outer(ses, ses), covariance / np.outer(ses, ses), atol=1e-8)
    assert found.llf == pytest.approx(base.llf + besides, rel=1e-11)


def null_scale(kind):
    """A variance that the data do not want, as itself, its root, its logarithm, its inverse."""
    t = pm.Flat("t") if kind == "log" else pm.Uniform("t", 0, 9) if kind == "interval" else pm.HalfFlat("t")
    variances = {"sd": t**2, "interval": t**2, "variance": t, "log": pm.math.exp(2 * t), "precision": 1 / t}
    errors = np.array([0.8, 0.9, 1.1, 1.0, 1.2, 0.7])
    effects = np.array([0.3, -0.2, 0.1, 0.05, -0.15, 0.25])
    pm.Normal("y", pm.Flat("m"), pm.math.sqrt(errors**2 + variances[kind]), observed=effects)


def no_successes(kind):
    y = np.zeros(25, int)
    if kind in ("p", "1 - p"):
        p = pm.Uniform("t", 0, 1)
        pm.Bernoulli("y", p=p if kind == "p" else 1 - p, observed=y)
    elif kind == "odds":
        t = pm.HalfFlat("t")
        pm.Bernoulli("y", p=t / (1 + t), observed=y)
    elif kind == "logit":
        pm.Bernoulli("y", logit_p=pm.Flat("t"), observed=y)
    else:
        t = pm.HalfFlat("t") if kind == "rate" else pm.math.exp(pm.Flat("t"))
        pm.Poisson("y", t, observed=y)


ENDS = [
    *[(null_scale, kind, "BOUNDARY", 0.0) for kind in ("sd", "variance", "interval")],
    (null_scale, "log", "INFINITE", -np.inf),
    (null_scale, "precision", "INFINITE", np.inf),
    *[(no_successes, kind, "BOUNDARY", 0.0) for kind in ("p", "odds", "rate")],
    (no_successes, "1 - p", "BOUNDARY", 1.0),
    *[(no_successes, kind, "INFINITE", -np.inf) for kind in ("logit", "log rate")],
]


@pytest.mark.parametrize(("declare", "kind", "status", "value"), ENDS)
def test_an_edge_is_an_infinity_in_other_parameters(declare, kind, status, value):
    found = fitted(declare, kind)
    assert found.status.name == status, found.message
    assert found.params["t"] == value
    if declare is no_successes:
        assert found.llf == pytest.approx(0, abs=1e-12)
        return
    base = fitted(declare, "sd")
    assert found.llf == pytest.approx(base.llf, rel=1e-11)
    assert abs(found.params["m"] - base.params["m"]) < 1e-9 * base.bse["m"]
    assert found.bse["m"] == pytest.approx(base.bse["m"], rel=1e-8)


def saturated(kind):
    t = pm.Flat("t") if kind == "log" else pm.HalfFlat("t")
    scale = {"sd": t, "variance": t**0.5, "log": pm.math.exp(t), "precision": t**-0.5}[kind]
    pm.Normal("y", pm.Flat("m", shape=4), scale, observed=Y[:4])


@pytest.mark.parametrize("kind", ["sd", "variance", "precision", "log"])
def test_a_density_without_bound_in_other_parameters(kind):
    found = fitted(saturated, kind)
    assert found.status.name == "UNBOUNDED", found.message
    assert np.isnan(found.params["t"])
    assert "t ->" in found.message
