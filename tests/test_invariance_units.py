"""Units of the response and of the columns, family by family: the likelihood moves by the Jacobian and nothing else."""

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest
from scipy import optimize, stats

from ppl_mle import find_MAP, find_MLE

pytestmark = pytest.mark.filterwarnings("error::ppl_mle.errors.FitWarning")

N = 40
RNG = np.random.default_rng(5)
X = np.round(RNG.normal(size=N) * 64) / 64
WAITS = np.round(RNG.gamma(2.5, 1.3, size=N) * 1024) / 1024 + 1 / 64
TAILS = np.round(RNG.standard_t(4, size=N) * 1024) / 1024
CURVE = np.round((3 * np.abs(X) / (0.5 + np.abs(X)) + 0.2 * TAILS) * 1024) / 1024
ORDERED = pm.distributions.transforms.ordered


def fitted(declare, *args, find=find_MLE, **options):
    with pm.Model() as model:
        declare(*args)
    return find(model, progressbar=False, **options)


def law(distribution, **names):
    """The distribution of y with parameters that are free: on the line for `mu`, else positive, or a number."""

    def declare(y):
        free = {
            name: value if not isinstance(value, str) else (pm.Flat if name in ("mu", "skew") else pm.HalfFlat)(value)
            for name, value in names.items()
        }
        if "skew" in free:
            free["alpha"] = free.pop("skew")
        distribution("y", **free, observed=y)

    return declare


def michaelis(y):
    mean = pm.Flat("top") * np.abs(X) / (pm.HalfFlat("half") + np.abs(X))
    pm.Normal("y", mean, pm.HalfFlat("sigma"), observed=y)


def uniform(y):
    pm.Uniform("y", 0, pm.HalfFlat("top"), observed=y)


# Declaration, response, and the power of the unit that each parameter takes.
FAMILIES = {
    "Student t, 4": (law(pm.StudentT, nu=4, mu="m", sigma="s"), TAILS, (1, 1)),
    "Student t": (law(pm.StudentT, nu="n", mu="m", sigma="s"), TAILS, (0, 1, 1)),
    "Cauchy": (law(pm.Cauchy, alpha="m", beta="s"), WAITS, (1, 1)),
    "logistic": (law(pm.Logistic, mu="m", s="s"), TAILS, (1, 1)),
    "Gumbel": (law(pm.Gumbel, mu="m", beta="s"), TAILS, (1, 1)),
    "skew normal": (law(pm.SkewNormal, mu="m", sigma="s", skew="a"), TAILS + WAITS, (1, 1, 0)),
    "exGaussian": (law(pm.ExGaussian, mu="m", sigma="s", nu="n"), WAITS + 0.3 * TAILS, (1, 1, 1)),
    "gamma": (law(pm.Gamma, alpha="a", beta="b"), WAITS, (0, -1)),
    "gamma by mean": (law(pm.Gamma, mu="m", sigma="s"), WAITS, (1, 1)),
    "Weibull": (law(pm.Weibull, alpha="a", beta="b"), WAITS, (0, 1)),
    "inverse gamma": (law(pm.InverseGamma, alpha="a", beta="b"), WAITS, (0, 1)),
    "exponential": (law(pm.Exponential, lam="l"), WAITS, (-1,)),
    "half normal": (law(pm.HalfNormal, sigma="s"), WAITS, (1,)),
    "half Cauchy": (law(pm.HalfCauchy, beta="s"), WAITS, (1,)),
    "Rice": (law(pm.Rice, nu="n", sigma="s"), WAITS + 4, (1, 1)),
    "Michaelis-Menten": (michaelis, CURVE, (1, 0, 1)),
}
UNITS = {"exGaussian": (1e8,), "gamma by mean": (1e8,), "skew normal": (1e8,)}  # the others take seconds


@pytest.mark.parametrize(("family", "unit"), [(f, u) for f in FAMILIES for u in UNITS.get(f, (1e-8, 1e8))])
def test_units_of_the_response(fitted_once, family, unit):
    declare, y, powers = FAMILIES[family]
    base, found = fitted_once(family), fitted(declare, unit * y)
    scale = unit ** np.array(powers, float)
    assert found.status is base.status
    assert np.max(np.abs(found.params / scale - base.params) / base.bse) < 1e-9
    np.testing.assert_allclose(found.bse / scale, base.bse, rtol=1e-8)
    assert found.llf == pytest.approx(base.llf - N * np.log(unit), rel=1e-11)


@pytest.fixture(scope="module")
def fitted_once():
    known = {}

    def fit(family):
        if family not in known:
            declare, y, _ = FAMILIES[family]
            known[family] = fitted(declare, y)
        return known[family]

    return fit


def test_bases_agree_with_scipy(fitted_once):
    a, _, scale = stats.gamma.fit(WAITS, floc=0)
    assert fitted_once("gamma").llf >= stats.gamma.logpdf(WAITS, a, 0, scale).sum() - 1e-9
    np.testing.assert_allclose(fitted_once("gamma").params, [a, 1 / scale], rtol=1e-3)
    np.testing.assert_allclose(fitted_once("exponential").params, 1 / WAITS.mean(), rtol=1e-10)
    np.testing.assert_allclose(fitted_once("half normal").params, np.sqrt(np.mean(WAITS**2)), rtol=1e-10)
    m, s = fitted_once("logistic").params
    z = (TAILS - m) / s
    # The score equations of the logistic law.
    np.testing.assert_allclose([np.tanh(z / 2).sum(), (z * np.tanh(z / 2)).mean()], [0, 1], atol=1e-8)


@pytest.mark.parametrize("unit", [1e-8, 1.0, 1e8])
def test_units_where_the_support_ends_at_the_largest_observation(unit):
    found = fitted(uniform, unit * WAITS)
    assert found.status.name == "BOUNDARY"
    assert found.params["top"] == pytest.approx(unit * WAITS.max(), rel=1e-12)
    assert found.llf == pytest.approx(-N * np.log(unit * WAITS.max()), rel=1e-11)


OTHERS = np.random.default_rng(3)
HALVES = np.round(np.r_[OTHERS.normal(-2, 0.6, 60), OTHERS.normal(2, 1, 90)] * 1024) / 1024
TIMES = np.round(OTHERS.uniform(0.05, 5, 200) * 1024) / 1024
DECAY = np.round((3 * np.exp(-TIMES) + 0.5 + 0.1 * OTHERS.normal(size=200)) * 1024) / 1024


def mixture(y):
    w = pm.Uniform("w", 0, 1)
    pm.NormalMixture("y", [w, 1 - w], pm.Flat("m", shape=2), pm.HalfFlat("s", shape=2), observed=y)


def of_the_first(fit):
    """Estimates and errors of the component with the lower mean."""
    low, high = (0, 1) if fit.params["m[0]"] < fit.params["m[1]"] else (1, 0)
    labels = [f"m[{low}]", f"s[{low}]", f"m[{high}]", f"s[{high}]"]
    return fit.params[labels].to_numpy(), fit.bse[labels].to_numpy()


@pytest.mark.parametrize("unit", [1e-8, 1e-4, 1e-2, 1e4])
def test_units_of_a_mixture(unit):
    base, found = fitted(mixture, HALVES), fitted(mixture, unit * HALVES)
    (params, bse), (scaled, errors) = of_the_first(base), of_the_first(found)
    assert base.status.name == found.status.name == "CONVERGED"
    assert np.max(np.abs(scaled / unit - params) / bse) < 1e-9
    np.testing.assert_allclose(errors / unit, bse, rtol=1e-8)
    assert found.llf == pytest.approx(base.llf - HALVES.size * np.log(unit), rel=1e-11)


@pytest.mark.parametrize("unit", [1e-6, 1e3, 1e6])
def test_units_of_time_in_a_decay(unit):
    def decay(t):
        mean = pm.Flat("a") * pm.math.exp(-pm.HalfFlat("l") * t) + pm.Flat("c")
        pm.Normal("y", mean, pm.HalfFlat("s"), observed=DECAY)

    peer = optimize.curve_fit(lambda t, a, b, c: a * np.exp(-b * t) + c, TIMES, DECAY, [3, 1, 0.5], xtol=1e-14)[0]
    base, found = fitted(decay, TIMES), fitted(decay, unit * TIMES)
    powers = np.array([1, 1 / unit, 1, 1])
    np.testing.assert_allclose(base.params[:3], peer, rtol=1e-6)
    assert found.status.name == "CONVERGED"
    assert np.max(np.abs(found.params / powers - base.params) / base.bse) < 1e-9
    np.testing.assert_allclose(found.bse / powers, base.bse, rtol=1e-8)
    assert found.llf == pytest.approx(base.llf, rel=1e-11)


ETA = 0.5 + 0.7 * X
COUNTS = RNG.negative_binomial(2.0, 2.0 / (2.0 + np.exp(ETA)))
ZEROED = np.where(RNG.random(N) < 0.3, 0, RNG.poisson(np.exp(ETA + 0.5)))
SHARES = np.clip(RNG.beta(*(12 / (1 + np.exp(s * ETA)) for s in (-1, 1))), 1e-3, 1 - 1e-3)
GRADES = np.searchsorted([-0.5, 1.0], ETA + RNG.logistic(size=N))
CHOICES = np.argmax(np.column_stack([0 * X, ETA, -ETA]) + RNG.gumbel(size=(N, 3)), axis=1)


def negative_binomial(x):
    pm.NegativeBinomial(
        "y", mu=pm.math.exp(pm.Flat("a") + pm.Flat("b") * x), alpha=pm.HalfFlat("alpha"), observed=COUNTS
    )


def zero_inflated(x):
    mu = pm.math.exp(pm.Flat("a") + pm.Flat("b") * x)
    pm.ZeroInflatedPoisson("y", psi=pm.Uniform("psi", 0, 1), mu=mu, observed=ZEROED)


def beta(x):
    mu, nu = pm.math.invlogit(pm.Flat("a") + pm.Flat("b") * x), pm.HalfFlat("nu")
    pm.Beta("y", mu * nu, (1 - mu) * nu, observed=SHARES)


def ordinal(x):
    cuts = pm.Flat("cuts", shape=2, transform=ORDERED, initval=[-1.0, 1.0])
    pm.OrderedLogistic("y", eta=pm.Flat("b") * x, cutpoints=cuts, compute_p=False, observed=GRADES)


def multinomial(x):
    a, b = pm.Flat("a", shape=2), pm.Flat("b", shape=2)
    eta = pt.concatenate([pt.zeros((N, 1)), a + x[:, None] * b], axis=1)
    pm.Categorical("y", logit_p=eta, observed=CHOICES)


def heteroscedastic(x):
    pm.Normal("y", pm.Flat("a") + pm.Flat("b") * x, pm.math.exp(pm.Flat("c") + pm.Flat("d") * x), observed=TAILS)


def censored(x):
    scale = pm.math.exp(pm.Flat("a") + pm.Flat("b") * x)
    upper = np.where(WAITS > 4, 4.0, np.inf)
    waits = pm.Weibull.dist(alpha=pm.HalfFlat("alpha"), beta=scale)
    pm.Censored("y", waits, lower=None, upper=upper, observed=np.minimum(WAITS, 4.0))


REGRESSIONS = (negative_binomial, zero_inflated, beta, ordinal, multinomial, heteroscedastic, censored)


@pytest.mark.parametrize("declare", REGRESSIONS, ids=lambda declare: declare.__name__)
def test_units_of_a_column(declare):
    base = fitted(declare, X)
    slopes = np.array([label.split("[")[0] in ("b", "d") for label in base.labels])
    assert base.status.name == "CONVERGED"
    for unit in (1e-8, 1e8):
        found, scale = fitted(declare, unit * X), np.where(slopes, 1 / unit, 1.0)
        assert found.status is base.status
        assert np.max(np.abs(found.params / scale - base.params) / base.bse) < 1e-9
        np.testing.assert_allclose(found.bse / scale, base.bse, rtol=1e-8)
        assert found.llf == pytest.approx(base.llf, rel=1e-11)


@pytest.mark.parametrize("unit", [1e-8, 1e8])
def test_units_of_a_column_with_its_prior(unit):
    def declare(units):
        b = pm.Normal("b", 0.0, np.array([2.0, 0.5]) / units, shape=2)
        pm.Bernoulli("y", logit_p=np.column_stack([np.ones(N), X]) * units @ b, observed=TAILS > 0)

    base, units = fitted(declare, np.ones(2), find=find_MAP), np.array([1.0, unit])
    found = fitted(declare, units, find=find_MAP)
    assert base.status is found.status
    assert np.max(np.abs(found.params * units - base.params) / base.bse) < 1e-9
    np.testing.assert_allclose(found.bse * units, base.bse, rtol=1e-8)
    assert found.llf == pytest.approx(base.llf, rel=1e-11)
    assert found.lpf == pytest.approx(base.lpf + np.log(unit), rel=1e-11)
