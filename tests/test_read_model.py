"""Reading a model: labels, roles, log-density and derivatives, scales, refusals; nothing is compiled or changed."""

import os
import subprocess
import sys

import arviz as az
import numpy as np
import pandas as pd
import pymc as pm
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import Mode
from scipy import stats
from scipy.special import expit, log_expit, log_ndtr, loggamma, logit

from ppl_mle import ModelError, RequestError, StartError, explain, find_MAP, find_MLE
from ppl_mle.read import current_model, read_model

PY = Mode(linker="py", optimizer="fast_compile")
Y = np.array([2.1, 3.4, 1.9, 2.8, 3.9, 2.2])
X = np.array([0.5, -1.0, 1.5, 0.2, 2.0, -0.3])
COUNTS = np.array([3, 0, 5, 2, 7, 1])
HITS = np.array([0, 1, 1, 0, 1, 0])
SHARES = np.array([0.2, 0.7, 0.45, 0.9, 0.31, 0.55])

COORDS = {
    "name": ["GPA", "time of day", "a, b"],
    "year": [1999, 2000],
    "level": [0.5, 1.0, 2.5],
    "day": pd.to_datetime(["2020-01-01", "2020-01-02"]),
    "flag": [True, False],
}


class TestLabels:
    @pytest.mark.parametrize(
        "dims",
        [(), ("name",), ("year",), ("level",), ("day",), ("flag",), ("name", "year"), ("year", "flag", "level")],
        ids=str,
    )
    def test_labels_with_dims_are_those_of_arviz(self, dims):
        with pm.Model(coords={dim: COORDS[dim] for dim in dims}) as model:
            b = pm.Flat("b", dims=dims)
            pm.Normal("y", b.sum(), 1, observed=Y)
        shape = tuple(len(COORDS[dim]) for dim in dims)
        draws = {"b": np.random.default_rng(0).normal(size=(2, 10, *shape))}
        tree = az.from_dict(
            {"posterior": draws}, coords={dim: list(model.coords[dim]) for dim in dims}, dims={"b": list(dims)}
        )
        assert read_model(model).labels == az.summary(tree, kind="stats").index.tolist()

    @pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 3), (2, 1, 2)], ids=str)
    def test_labels_without_dims_are_those_of_arviz(self, shape):
        with pm.Model() as model:
            b = pm.HalfFlat("b", shape=shape)
            pm.Normal("y", b.sum(), 1, observed=Y)
        tree = az.from_dict({"posterior": {"b": np.random.default_rng(0).normal(size=(2, 10, *shape))}})
        likelihood = read_model(model)
        assert likelihood.labels == az.summary(tree, kind="stats").index.tolist()
        expected = [f"log({label})" for label in likelihood.labels]
        assert likelihood.scale_labels == expected

    def test_labels_of_a_fit_are_those_of_its_draws(self):
        with pm.Model(coords={"name": COORDS["name"], "year": COORDS["year"]}) as model:
            t = pm.Normal("t", 0, 1, dims=("name", "year"))
            sigma = pm.HalfNormal("sigma", 1)
            pm.Normal("y", t.sum(), sigma, observed=Y)
        assert read_model(model).labels == [
            "t[GPA, 1999]",
            "t[GPA, 2000]",
            "t[time of day, 1999]",
            "t[time of day, 2000]",
            "t[a, b, 1999]",
            "t[a, b, 2000]",
            "sigma",
        ]


def read_roles(build, **options):
    with pm.Model() as model:
        build()
    return model, read_model(model, **options)


class TestRoles:
    def test_terms_of_each_estimator(self):
        with pm.Model() as model:
            mu = pm.Normal("mu", 0, 1)
            tau = pm.HalfNormal("tau", 1)
            theta = pm.Normal("theta", mu, tau, shape=6)
            pm.Normal("y", theta, 1, observed=Y)
            pm.Potential("extra", -(mu**2))
        likelihood = read_model(model)
        assert {var.name: var.role for var in likelihood.variables} == {
            "mu": "parameter",
            "tau": "parameter",
            "theta": "latent",
        }
        kinds = {term.name: term.kind for term in likelihood.terms}
        assert kinds == {"y": "observed", "extra": "potential", "theta": "latent"}
        kinds = {term.name: term.kind for term in read_model(model, "MAP").terms}
        assert kinds == {"y": "observed", "extra": "potential", "theta": "latent", "mu": "prior", "tau": "prior"}

    @pytest.mark.parametrize(
        "product",
        [
            lambda mu, tau, z: mu + tau * z,
            lambda mu, tau, z: mu + z * tau,
            lambda mu, tau, z: mu + pm.math.exp(tau) * z,
            lambda mu, tau, z: mu + tau * z[np.array([0, 1, 2, 3, 4, 5])],
            lambda mu, tau, z: mu + X * (tau * z),
            lambda mu, tau, z: mu + pt.dot(tau * np.eye(6), z),
            lambda mu, tau, z: pm.Deterministic("u", mu + tau * z),
        ],
    )
    def test_scaled_noise_is_latent(self, product):
        def build():
            mu, tau = pm.Flat("mu"), pm.HalfFlat("tau")
            pm.Normal("y", product(mu, tau, pm.Normal("z", 0, 1, shape=6)), 1, observed=Y)

        _, likelihood = read_roles(build)
        assert likelihood.latents == ("z",)
        assert [f for f in likelihood.findings if f.startswith("z ")]

    @pytest.mark.parametrize(
        "mean",
        [
            lambda a, s, b: a + np.outer(X, np.ones(3)) @ b,
            lambda a, s, b: a + X * b[0] * 2.0,
            lambda a, s, b: a + b[0] + b[1] * X + b[2] * X**2,
            lambda a, s, b: pm.math.exp(a + X * b.sum()),
        ],
    )
    def test_coefficients_are_not(self, mean):
        def build():
            a, s = pm.Normal("a", 0, 1), pm.HalfNormal("s", 1)
            pm.Normal("y", mean(a, s, pm.Normal("b", 0, 1, shape=3)), s, observed=Y)

        _, likelihood = read_roles(build)
        assert likelihood.latents == ()
        assert likelihood.findings == ()

    def test_flat_noise_is_not(self):
        def build():
            tau, z = pm.HalfFlat("tau"), pm.Flat("z", shape=6)
            pm.Normal("y", tau * z, 1, observed=Y)

        assert read_roles(build)[1].latents == ()

    def test_unknown_latent_is_refused(self):
        def build():
            pm.Normal("y", pm.Flat("mu"), 1, observed=Y)

        with pytest.raises(RequestError, match="'nu'"):
            read_roles(build, latent=["nu"])


def complex_step(logp, theta):
    """Gradient by steps of 1e-30 into the complex plane: exact to rounding (Squire and Trapp 1998)."""
    steps = 1e-30j * np.eye(theta.size)
    return np.array([logp(theta + step).imag / 1e-30 for step in steps])


def differences(logp, theta, h=1e-3):
    """Hessian by extrapolated differences of the exact gradient."""

    def wide(step):
        moves = step * np.eye(theta.size)
        return np.array([(complex_step(logp, theta + m) - complex_step(logp, theta - m)) / (2 * step) for m in moves])

    return (4 * wide(h / 2) - wide(h)) / 3


def normal_law(t):
    mu, sigma = t[0] + t[1] * X, np.exp(t[2])
    return np.sum(-((Y - mu) ** 2) / (2 * sigma**2) - t[2] - np.log(2 * np.pi) / 2)


def student_law(t):
    mu, sigma, nu = t[0], np.exp(t[1]), np.exp(t[2])
    constant = loggamma((nu + 1) / 2) - loggamma(nu / 2) - np.log(nu * np.pi) / 2 - t[1]
    return np.sum(constant - (nu + 1) / 2 * np.log(1 + ((Y - mu) / sigma) ** 2 / nu))


def negative_binomial_law(t):
    mu, a = np.exp(t[0] + t[1] * X), np.exp(t[2])
    rows = loggamma(COUNTS + a) - loggamma(a) - loggamma(COUNTS + 1.0)
    return np.sum(rows + a * np.log(a / (a + mu)) + COUNTS * np.log(mu / (a + mu)))


def beta_law(t):
    mu, phi = 1 / (1 + np.exp(-t[0] - t[1] * X)), np.exp(t[2])
    a, b = mu * phi, (1 - mu) * phi
    rows = loggamma(a + b) - loggamma(a) - loggamma(b)
    return np.sum(rows + (a - 1) * np.log(SHARES) + (b - 1) * np.log(1 - SHARES))


def mixture_law(t):
    w = 1 / (1 + np.exp(-t[0]))
    parts = [np.exp(-((Y - m) ** 2) / 2) / np.sqrt(2 * np.pi) for m in t[1:]]
    return np.sum(np.log(w * parts[0] + (1 - w) * parts[1]))


def simplex_law(t):
    scores = np.exp(np.array([t[0], t[1], -t[0] - t[1]]))
    return np.sum(np.array([4, 1, 2]) * np.log(scores / scores.sum()))


def ordered_law(t):
    cuts = t[0], t[0] + np.exp(t[1])
    eta = t[2] * X
    below = [1 / (1 + np.exp(-(c - eta))) for c in cuts]
    probabilities = np.array([below[0], below[1] - below[0], 1 - below[1]])
    return np.sum(np.log(probabilities[COUNTS % 3, range(6)]))


def interval_law(t):
    p = 0.2 + 0.5 / (1 + np.exp(-t[0]))
    return np.sum(HITS * np.log(p) + (1 - HITS) * np.log(1 - p))


def censored_law(t):
    rate = np.exp(t[0] + t[1] * X)
    return np.sum(np.where(Y < 3, np.log(rate) - rate * Y, -rate * 3))


def declare_normal():
    a, b, sigma = pm.Flat("a"), pm.Flat("b"), pm.HalfFlat("sigma")
    pm.Normal("y", a + b * X, sigma, observed=Y)


def declare_student():
    mu, sigma, nu = pm.Flat("mu"), pm.HalfFlat("sigma"), pm.HalfFlat("nu")
    pm.StudentT("y", nu=nu, mu=mu, sigma=sigma, observed=Y)


def declare_negative_binomial():
    a, b, alpha = pm.Flat("a"), pm.Flat("b"), pm.HalfFlat("alpha")
    pm.NegativeBinomial("y", mu=pm.math.exp(a + b * X), alpha=alpha, observed=COUNTS)


def declare_beta():
    a, b, phi = pm.Flat("a"), pm.Flat("b"), pm.HalfFlat("phi")
    mu = pm.math.invlogit(a + b * X)
    pm.Beta("y", alpha=mu * phi, beta=(1 - mu) * phi, observed=SHARES)


def declare_mixture():
    w, m = pm.Uniform("w", 0, 1), pm.Flat("m", shape=2)
    pm.NormalMixture("y", w=pt.stack([w, 1 - w]), mu=m, sigma=1, observed=Y)


def declare_simplex():
    p = pm.Dirichlet("p", np.ones(3))
    pm.Categorical("y", p=p, observed=np.repeat([0, 1, 2], [4, 1, 2]))


def declare_ordered():
    cuts = pm.Flat("cuts", shape=2, transform=pm.distributions.transforms.ordered, initval=[0.0, 1.0])
    b = pm.Flat("b")
    pm.OrderedLogistic("y", eta=b * X, cutpoints=cuts, compute_p=False, observed=COUNTS % 3)


def declare_interval():
    p = pm.Uniform("p", 0.2, 0.7)
    pm.Bernoulli("y", p=p, observed=HITS)


def declare_censored():
    a, b = pm.Flat("a"), pm.Flat("b")
    law = pm.Exponential.dist(pm.math.exp(a + b * X))
    pm.Censored("y", law, lower=None, upper=3.0, observed=np.minimum(Y, 3.0))


LAWS = {
    "normal": (declare_normal, normal_law, [0.4, -0.3, 0.2]),
    "student": (declare_student, student_law, [2.0, -0.1, 1.2]),
    "negative binomial": (declare_negative_binomial, negative_binomial_law, [0.7, 0.2, 0.5]),
    "beta": (declare_beta, beta_law, [0.1, 0.4, 1.3]),
    "mixture": (declare_mixture, mixture_law, [0.3, 2.0, 3.5]),
    "simplex": (declare_simplex, simplex_law, [0.3, -0.8]),
    "ordered": (declare_ordered, ordered_law, [-0.6, 0.1, 0.5]),
    "interval": (declare_interval, interval_law, [-0.7]),
    "censored": (declare_censored, censored_law, [-0.9, 0.2]),
}


FAR_OUT = [-800.0, -40.0, -37.0, -20.0, -5.0, 5.0, 20.0, 37.0, 40.0, 800.0]


def derivatives(build, etas=FAR_OUT):
    """Value, gradient and curvature of a model of one parameter at several points, one row each."""
    objective = read_roles(build)[1].objective
    rows = []
    for eta in etas:
        value, gradient = objective.value_and_gradient(np.array([eta]))
        rows.append((value, gradient[0], objective.hessian_product(np.array([eta]), np.ones((1, 1)))[0, 0]))
    return np.array(rows)


def assert_derivatives(found, expected, digits, bend=None, floor=1e-300):
    """Value and slope to `digits`; curvature too, or to rounding where the slope is larger by orders."""
    np.testing.assert_allclose(found[:, :2], expected[:, :2], rtol=digits, atol=floor)
    error = np.abs(found[:, 2] - expected[:, 2])
    assert np.all(error <= (bend or digits) * np.abs(expected[:, 2]) + 1e-15 * np.abs(expected[:, 1])), error


class TestObjective:
    @pytest.mark.parametrize("name", LAWS)
    def test_value_and_derivatives(self, name):
        declare, logp, theta = LAWS[name]
        _, likelihood = read_roles(declare)
        theta = np.array(theta)
        value, gradient = likelihood.objective.value_and_gradient(theta)
        expected = complex_step(logp, theta)
        assert value == pytest.approx(np.real(logp(theta + 0j)), rel=1e-13)
        np.testing.assert_allclose(gradient, expected, rtol=1e-12, atol=1e-13 * np.abs(expected).max())
        hessian = differences(logp, theta)
        products = likelihood.objective.hessian_product(theta, np.eye(theta.size))
        np.testing.assert_allclose(products, hessian, rtol=1e-8, atol=1e-9 * np.abs(hessian).max())
        direction = np.linspace(-1, 2, theta.size)
        once = likelihood.objective.hessian_product(theta, direction[None])[0]
        np.testing.assert_allclose(once, hessian @ direction, rtol=1e-8, atol=1e-9 * np.abs(hessian).max())

    @pytest.mark.parametrize("name", LAWS)
    def test_original_is_the_same_density(self, name):
        declare, logp, theta = LAWS[name]
        _, likelihood = read_roles(declare)
        theta = np.array(theta)
        value, gradient = likelihood.original.value_and_gradient(theta)
        expected = complex_step(logp, theta)
        assert value == pytest.approx(np.real(logp(theta + 0j)), rel=1e-13)
        np.testing.assert_allclose(gradient, expected, rtol=1e-11, atol=1e-12 * np.abs(expected).max())

    def test_no_jacobian_and_no_prior(self):
        # Incident: PyTensor took log(4.0) of the prior in float32. (PyMC folds 1/3 in float32 while it builds the
        # density, which no reader of the density can undo: rates whose reciprocal is exact are.)
        def build():
            sigma = pm.Exponential("sigma", 4.0)
            pm.Normal("y", 0, sigma, observed=Y)

        model, likelihood = read_roles(build)
        expected = stats.norm.logpdf(Y, 0, np.exp(0.4)).sum()
        assert likelihood.objective.value_and_gradient(np.array([0.4]))[0] == pytest.approx(expected, rel=1e-13)
        posterior = read_model(model, "MAP").objective.value_and_gradient(np.array([0.4]))[0]
        assert posterior == pytest.approx(expected + np.log(4) - 4 * np.exp(0.4), rel=1e-13)

    @pytest.mark.parametrize("outcome", [0, 1])
    @pytest.mark.parametrize("form", ["logit_p", "invlogit", "sigmoid by hand"])
    def test_logit_far_out(self, form, outcome):
        # Incident: Bernoulli(p=invlogit(eta)) has NaN derivatives in PyTensor from eta = 37 on.
        def build():
            a = pm.Flat("a")
            if form == "logit_p":
                pm.Bernoulli("y", logit_p=a, observed=[outcome])
            else:
                p = pm.math.invlogit(a) if form == "invlogit" else 1 / (1 + pm.math.exp(-a))
                pm.Bernoulli("y", p=p, observed=[outcome])

        sign = 2 * outcome - 1
        tails = [(log_expit(sign * eta), sign * expit(-sign * eta), -expit(eta) * expit(-eta)) for eta in FAR_OUT]
        assert_derivatives(derivatives(build), np.array(tails), 1e-10)

    @pytest.mark.parametrize("outcome", [0, 1])
    def test_probit_far_out(self, outcome):
        # Incident: as declared, the probit density has NaN derivatives from |eta| = 20 on, and sqrt(2) in float32.
        def build():
            pm.Bernoulli("y", p=pm.math.invprobit(pm.Flat("a")), observed=[outcome])

        sign = 2 * outcome - 1
        tails = []
        for eta in FAR_OUT[1:-1]:
            t = sign * eta
            hazard = np.exp(stats.norm.logpdf(t) - log_ndtr(t))
            # Below -20 the product cancels: hazard (t + hazard) = 1 - 1/t^2 + 6/t^4 - 50/t^6 (Abramowitz 26.2.12).
            bend = hazard * (t + hazard) if t > -20 else 1 - 1 / t**2 + 6 / t**4 - 50 / t**6
            tails.append((log_ndtr(t), sign * hazard, -bend))
        assert_derivatives(derivatives(build, FAR_OUT[1:-1]), np.array(tails), 1e-9, bend=1e-5)

    @pytest.mark.parametrize("outcome", [0, 1])
    def test_cloglog_far_out(self, outcome):
        # Incident: log(1 - p) with p = 1 - exp(-m) had a slope of -33.46 instead of -33.12 at m = exp(3.5).
        def build():
            pm.Bernoulli("y", p=-pt.expm1(-pt.exp(pm.Flat("a"))), observed=[outcome])

        etas = [-30.0, -5.0, 0.5, 2.0, 3.5]
        rows = []
        for eta in etas:
            m = np.exp(eta)
            if outcome == 0:
                rows.append((-m, -m, -m))
            else:
                slope = m / np.expm1(m)
                rows.append((np.log(-np.expm1(-m)), slope, slope * (1 - m - slope)))
        assert_derivatives(derivatives(build, etas), np.array(rows), 1e-9, floor=1e-15)

    def test_outside_the_support_is_minus_infinity(self):
        def build():
            pm.Normal("y", pm.TruncatedNormal("mu", 0, 1, lower=1, upper=2, default_transform=None), 1, observed=Y)

        likelihood = read_roles(build)[1]
        assert likelihood.objective.value_and_gradient(np.array([1.5]))[0] == pytest.approx(
            stats.norm.logpdf(Y, 1.5).sum(), rel=1e-13
        )
        for outside in (0.9, 2.1):
            assert likelihood.objective.value_and_gradient(np.array([outside]))[0] == -np.inf


SCALED = {
    "HalfFlat": (lambda: pm.HalfFlat("v"), np.exp),
    "Gamma": (lambda: pm.Gamma("v", 2, 1), np.exp),
    "Uniform": (lambda: pm.Uniform("v", -2, 5), lambda u: -2 + 7 * expit(u)),
    "Beta": (lambda: pm.Beta("v", 2, 2), expit),
    "lower": (lambda: pm.TruncatedNormal("v", 4, 1, lower=3), lambda u: 3 + np.exp(u)),
    "upper": (lambda: pm.TruncatedNormal("v", 4, 1, upper=6), lambda u: 6 - np.exp(u)),
    "Flat": (lambda: pm.Flat("v"), lambda u: u),
    "softplus": (
        lambda: pm.HalfFlat("v", default_transform=pm.distributions.transforms.log_exp_m1),
        lambda u: np.logaddexp(0, u),
    ),
}


class TestScales:
    @pytest.mark.parametrize("name", SCALED)
    def test_scale_is_the_transform_of_pymc(self, name):
        declare, backward = SCALED[name]
        with pm.Model() as model:
            v = declare()
            pm.Normal("y", v, 1, observed=Y)
        likelihood = read_model(model)
        (scale,) = likelihood.scales
        transform = model.rvs_to_transforms[v]
        for u in (-2.5, -0.3, 0.0, 1.7):
            declared = float(scale.to_declared(u))
            assert declared == pytest.approx(backward(u), rel=1e-14)
            if transform is not None:
                graph = transform.backward(pt.constant(u, dtype="float64"), *v.owner.inputs)
                assert declared == pytest.approx(float(graph.eval(mode=PY)), rel=1e-14)
            assert float(scale.to_free(declared)) == pytest.approx(u, rel=1e-12, abs=1e-13)
            slope = (backward(u + 1e-6) - backward(u - 1e-6)) / 2e-6
            assert float(scale.slope(declared)) == pytest.approx(slope, rel=1e-8)
            assert likelihood.mapping.declared(np.array([u]))[0] == pytest.approx(declared, rel=1e-14)
            assert likelihood.mapping.jacobian(np.array([u]))[0, 0] == pytest.approx(slope, rel=1e-8)

    def test_bounds_by_element(self):
        lower, upper = np.array([0.0, -1.0, 10.0]), np.array([1.0, 4.0, 11.0])
        with pm.Model() as model:
            v = pm.Uniform("v", lower, upper, shape=3)
            pm.Normal("y", v.sum(), 1, observed=Y)
        likelihood = read_model(model)
        u = np.array([-1.0, 0.5, 2.0])
        expected = lower + (upper - lower) * expit(u)
        np.testing.assert_allclose([s.to_declared(x) for s, x in zip(likelihood.scales, u, strict=True)], expected)
        np.testing.assert_allclose(likelihood.mapping.declared(u), expected, rtol=1e-14)

    def test_simplex_rows(self):
        def build():
            p = pm.Dirichlet("p", np.ones(3))
            pm.Multinomial("y", n=7, p=p, observed=[4, 1, 2])

        _, likelihood = read_roles(build)
        assert likelihood.size == 2
        rows = likelihood.mapping.declared(np.array([[0.0, 0.0], [0.3, -0.8]]))
        scores = np.exp([0.3, -0.8, 0.5])
        np.testing.assert_allclose(rows, [[1 / 3] * 3, scores / scores.sum()], rtol=1e-14)

    def test_initial_values_are_declared_values(self):
        def build():
            p = pm.Uniform("p", 0, 10)
            pm.Normal("y", p, 1, observed=Y)

        _, likelihood = read_roles(build)
        assert likelihood.mapping.start({"p": 2.5})[0] == pytest.approx(logit(0.25), rel=1e-13)


class TestRefusals:
    def test_discrete_variable_is_named(self):
        with pm.Model() as model:
            k = pm.Poisson("how_many", 3)
            pm.Normal("y", k, 1, observed=Y)
        with pytest.raises(ModelError, match=r"'how_many'.*discrete"):
            find_MLE(model, progressbar=False)

    def test_nothing_observed(self):
        with pm.Model() as model:
            pm.Normal("mu", 0, 1)
        with pytest.raises(ModelError, match="observed"):
            find_MAP(model, progressbar=False)

    def test_nothing_free(self):
        with pm.Model() as model:
            pm.Normal("y", 0, 1, observed=Y)
        with pytest.raises(ModelError, match="free"):
            find_MLE(model, progressbar=False)

    def test_no_model(self):
        with pytest.raises(ModelError, match="model="):
            find_MLE(progressbar=False)
        with pytest.raises(ModelError, match="dict"):
            find_MLE({}, progressbar=False)

    def test_model_of_the_enclosing_block(self):
        with pm.Model() as model:
            mu = pm.Flat("mu")
            pm.Normal("y", mu, 1, observed=Y)
            assert current_model() is model
            assert find_MLE(progressbar=False).params["mu"] == pytest.approx(Y.mean(), rel=1e-12)

    def test_unknown_estimator(self):
        with pm.Model() as model:
            pm.Normal("y", pm.Flat("mu"), 1, observed=Y)
        with pytest.raises(RequestError, match="'mle'"):
            explain(model, estimator="mle")

    def test_start_without_a_density_names_the_term(self):
        with pm.Model() as model:
            rate = pm.HalfFlat("rate")
            pm.Exponential("waits", rate, observed=np.array([1.0, -0.5, 2.0]))
        with pytest.raises(StartError, match="'waits' is -inf"):
            find_MLE(model, progressbar=False)

    def test_gap_in_a_predictor_names_the_term(self):
        with pm.Model() as model:
            pm.Normal("y", pm.Flat("b") * np.r_[X[:5], np.nan], 1, observed=Y)
        with pytest.raises(StartError, match="'y' is nan"):
            find_MLE(model, progressbar=False)

    @pytest.mark.filterwarnings("ignore::pymc.exceptions.ImputationWarning")
    def test_gap_that_pymc_imputes_is_left_out(self):
        with pm.Model() as model:
            pm.Normal("y", pm.Flat("mu"), 1, observed=np.r_[Y[:5], np.nan])
        fit = find_MLE(model, progressbar=False)
        assert fit.params["mu"] == pytest.approx(Y[:5].mean(), rel=1e-12)
        assert fit.nobs == 5

    def test_impossible_start_is_told(self):
        with pm.Model() as model:
            sigma = pm.HalfFlat("sigma")
            pm.Normal("y", 0, sigma, observed=Y)
        with pytest.raises((StartError, RequestError), match="sigma"):
            find_MLE(model, initvals={"sigma": [1.0, 2.0]}, progressbar=False)


def snapshot(model):
    graphs = [model.logp(), *model.free_RVs, *model.deterministics, *model.potentials]
    return {
        "logp": str(pytensor.dprint(graphs, file="str", print_type=True)),
        "names": list(model.named_vars),
        "values": {rv.name: value.name for rv, value in model.rvs_to_values.items()},
        "transforms": [str(t) for t in model.rvs_to_transforms.values()],
        "starts": {rv.name: value for rv, value in model.rvs_to_initial_values.items()},
        "coords": dict(model.coords),
        "data": {v.name: np.array(v.get_value()) for v in model.data_vars if hasattr(v, "get_value")},
    }


class TestModelIsLeftAlone:
    def test_fit_changes_nothing(self):
        with pm.Model(coords={"row": range(6)}) as model:
            x = pm.Data("x", X, dims="row")
            a, b = pm.Normal("a", 0, 1), pm.Normal("b", 0, 1, initval=0.5)
            sigma = pm.HalfNormal("sigma", 1)
            mu = pm.Deterministic("mu", a + b * x, dims="row")
            pm.Normal("y", mu, sigma, observed=Y, dims="row")
        before = snapshot(model)
        for find in (find_MLE, find_MAP):
            fit = find(model, fixed={"a": 0.5}, initvals={"b": 1.0}, weights=np.ones(6), progressbar=False)
            fit.deterministic("mu")
        after = snapshot(model)
        data_before, data_after = before.pop("data"), after.pop("data")
        assert before == after
        assert data_before.keys() == data_after.keys()
        np.testing.assert_array_equal(data_before["x"], data_after["x"])

    def test_data_set_later_is_a_new_fit(self):
        with pm.Model() as model:
            y = pm.Data("data", Y)
            pm.Normal("y", pm.Flat("mu"), 1, observed=y)
        first = find_MLE(model, progressbar=False)
        with model:
            pm.set_data({"data": Y[:3] + 1})
        second = find_MLE(model, progressbar=False)
        assert first.params["mu"] == pytest.approx(Y.mean(), rel=1e-12)
        assert second.params["mu"] == pytest.approx(Y[:3].mean() + 1, rel=1e-12)
        assert (first.nobs, second.nobs) == (6, 3)
        assert first.data_hash != second.data_hash
        assert first.model_hash == second.model_hash
        level = first.maximum.plan.likelihood.objective.value_and_gradient(np.array([2.0]))[0]
        assert level == pytest.approx(stats.norm.logpdf(Y, 2.0).sum(), rel=1e-13)


NO_COMPILER = """
import pathlib, sys, warnings
import numpy as np, pymc as pm
from ppl_mle import find_MAP, find_MLE
folder = pathlib.Path(sys.argv[1])
before = set(folder.rglob("*"))
with pm.Model() as model:
    a, b, alpha = pm.Normal("a", 0, 2), pm.Normal("b", 0, 2), pm.HalfNormal("alpha", 3)
    mu = pm.Deterministic("mu", pm.math.exp(a + b * np.arange(6.0) / 6))
    pm.NegativeBinomial("y", mu=mu, alpha=alpha, observed=[3, 0, 5, 2, 17, 1])
for find in (find_MLE, find_MAP):
    fit = find(model, progressbar=False)
    fit.deterministic("mu")
    assert fit.converged, fit
print(sorted(str(path) for path in set(folder.rglob("*")) - before))
"""


def test_nothing_is_compiled(tmp_path):
    # Incident: find_MAP of PyMC takes 7 to 50 seconds in a cold process, nearly all of it in a compiler.
    env = {**os.environ, "PYTENSOR_FLAGS": f"base_compiledir={tmp_path}", "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", NO_COMPILER, str(tmp_path)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().splitlines()[-1] == "[]"
