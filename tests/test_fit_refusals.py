"""Requests and models that would give a silently wrong answer are refused, or not certified: incidents of reviews."""

import warnings

import numpy as np
import pymc as pm
import pymc.dims as pmd
import pytensor.tensor as pt
import pytest

from ppl_mle import ModelError, RequestError, Status, compare, find_MAP, find_MLE, report, sample
from ppl_mle.errors import FitWarning

Y = np.random.default_rng(0).normal(1, 1, 40)


def quiet(model, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        return find_MLE(model, progressbar=False, **options)


@pytest.mark.parametrize(
    "declare",
    [lambda: pm.Dirichlet("p", np.ones(3)), lambda: pm.ZeroSumNormal("p", shape=3)],
    ids=["simplex", "zerosum"],
)
def test_fixed_values_that_break_a_constraint_are_refused(declare):
    # Incident: fixed={"p": [1, 1, 2]} of a simplex became 0.25, 0.25, 0.5 without a word.
    with pm.Model() as model:
        p, a = declare(), pm.Flat("a")
        pm.Normal("y", a + p[0], 1, observed=Y)
    with pytest.raises(RequestError, match=r"p\[0\].* to 1 "):
        find_MLE(model, fixed={"p": [1, 1, 2]})


def test_fixed_variable_whose_bounds_are_free_is_refused():
    # Incident: x moved with its upper bound and was reported as 1.302 instead of 2.
    with pm.Model() as model:
        up = pm.Uniform("up", 1, 20)
        x = pm.Uniform("x", 0, up)
        pm.Normal("y", x, 1, observed=Y)
        pm.Normal("z", up, 1, observed=[5.0, 6.0, 7.0])
    with pytest.raises(RequestError, match="'x' has bounds that depend on another free variable"):
        find_MLE(model, fixed={"x": 2.0})


def test_two_fixed_elements_leave_the_third_at_its_closed_form():
    with pm.Model() as model:
        b = pm.Flat("b", shape=3)
        pm.Normal("y", b[0] + b[1] + b[2], 1, observed=Y)
    fit = find_MLE(model, fixed={"b[0]": 0.5, "b[2]": -2.0})
    assert fit.params["b[1]"] == pytest.approx(Y.mean() + 1.5, rel=1e-12)
    assert fit.bse.tolist() == pytest.approx([0, 1 / np.sqrt(40), 0], rel=1e-9)


def test_part_of_the_data_that_stands_for_the_whole_is_refused():
    # Incident: a minibatch was frozen and certified as the fit of all rows.
    with pm.Model() as model:
        pm.Normal("y", pm.Flat("a"), 1, observed=Y, total_size=1000)
    with pytest.raises(ModelError, match="'y' is a minibatch or has total_size"):
        find_MLE(model)


def test_elements_with_the_same_label_are_refused():
    with pm.Model(coords={"k": ["a", "a", "b"]}) as model:
        pm.Normal("y", pm.Flat("b", dims="k")[np.arange(40) % 3], 1, observed=Y)
    with pytest.raises(ModelError, match=r"'b\[a\]'"):
        find_MLE(model)


def test_flat_maximum_is_no_edge():
    # Incident: -(4 (p - 1/2))^6 from 0.9 ended BOUNDARY with p = 1; Newton's steps shrink slowly towards such maxima.
    with pm.Model() as model:
        p = pm.Uniform("p", 0, 1)
        pm.Potential("six", -((4 * (p - 0.5)) ** 6))
    fit = quiet(model, initvals={"p": 0.9})
    assert not fit.converged or fit.params["p"] == pytest.approx(0.5, abs=0.05)


def test_gradient_that_is_not_that_of_the_density_is_not_certified():
    # Incident: floor has gradient 0, so mu = 1 was certified though the density is higher near 1.5.
    with pm.Model() as model:
        mu = pm.Flat("mu")
        pm.Potential("steps", -0.5 * (mu - 1) ** 2 + pt.floor(mu * 50) * 0.01)
    assert quiet(model).status is Status.NOT_CONVERGED


def test_numbers_too_small_to_square_end_the_search():
    # Incident: NaN in the curvature made the step search endless.
    with pm.Model() as model:
        pm.Normal("y", pm.Flat("mu"), pm.HalfFlat("s"), observed=1e-200 * Y)
    assert not quiet(model).converged


@pytest.mark.parametrize(
    "product",
    [lambda s, z: z * s * 0.3, lambda s, z: (s + 0.1) * z, lambda s, z: z / (2 / s), lambda s, z: np.eye(6) @ z * s],
    ids=["order", "sum", "quotient", "matrix"],
)
def test_scaled_noise_is_latent_however_the_product_is_written(product):
    with pm.Model() as model:
        s, z = pm.HalfNormal("s"), pm.Normal("z", 0, 1, shape=6)
        pm.Normal("y", product(s, z)[np.arange(40) % 6], 1, observed=Y)
    assert quiet(model).results.latents == ("z",)


def test_coefficients_of_a_curve_are_no_latent_noise():
    x = np.linspace(0, 1, 40)
    with pm.Model() as model:
        k, b = pm.HalfNormal("k"), pm.Normal("b", 0, 10, shape=2)
        pm.Normal("y", b[np.arange(40) % 2] * pm.math.exp(-k * x), 1, observed=Y)
    assert quiet(model).results.latents == ()


@pytest.mark.parametrize("seed", [106, 108, 111])
def test_mixture_from_equal_means_reaches_the_maximum_of_separate_starts(seed):
    # Incident: UNIDENTIFIED, or a LinAlgError, at a point a hundred below what other starts reach.
    rng = np.random.default_rng(seed)
    y = np.r_[rng.normal(-2, 1, 150), rng.normal(3, 0.7, 100)]
    with pm.Model() as model:
        w, mu = pm.Dirichlet("w", np.ones(2)), pm.Normal("mu", 0, 10, shape=2)
        pm.NormalMixture("y", w, mu, pm.HalfNormal("s", 5, shape=2), observed=y)
    fit = quiet(model)
    assert fit.status is Status.CONVERGED
    assert fit.llf > {106: -483.1, 108: -505.7, 111: -489.4}[seed]  # separate starts reach -482.95, -505.58, -489.34


@pytest.fixture(scope="module")
def normal_fit():
    with pm.Model() as model:
        x = pm.Data("x", np.zeros(40))
        pm.Normal("y", pm.Flat("mu") + x, 1, observed=Y)
    return find_MLE(model)


@pytest.mark.parametrize(
    ("call", "parts"),
    [
        (lambda fit: find_MLE(fit.model, weights="abc"), ["weights of 'y'", "abc"]),
        (lambda fit: find_MLE(fit.model, engine="newton"), ["newton"]),
        (lambda fit: find_MLE(fit.model, random_seed=-1), ["-1"]),
        (lambda fit: compare(fit.to_datatree(), fit), ["the fit first"]),
        (lambda fit: report(fit, reference={"mu": 1}, path="never.html"), ["reference", "dict"]),
        (lambda fit: sample(fit, draws=0), ["draws=0"]),
        (lambda fit: sample(fit, zork=1), ["zork"]),
    ],
)
def test_senseless_requests_are_named(normal_fit, call, parts):
    with pytest.raises(RequestError) as caught:
        call(normal_fit)
    assert all(part in str(caught.value) for part in parts)


def test_data_replaced_after_the_fit_are_not_mixed_with_it():
    # Incident: to_datatree() wrote the new data beside the old estimates.
    with pm.Model() as model:
        y = pm.Data("y_data", Y)
        pm.Normal("y", pm.Flat("mu"), 1, observed=y)
    fit = find_MAP(model)
    pm.set_data({"y_data": np.zeros(40)}, model=model)
    np.testing.assert_array_equal(fit.to_datatree()["observed_data"]["y"], Y)
    with pytest.raises(RequestError, match="replaced after this fit"):
        sample(fit)


def test_start_on_an_edge_is_put_inside():
    # Incident: PyMC's initial point 0 of this variable is at minus infinity on the unconstrained scale.
    with pm.Model() as model:
        mu = pm.Normal("mu", 0, 1, transform=pm.distributions.transforms.Interval(0, 3))
        pm.Normal("y", mu, 1, observed=Y)
    fit = find_MLE(model)
    assert fit.status is Status.CONVERGED
    assert fit.params["mu"] == pytest.approx(Y.mean(), rel=1e-9)


def test_row_of_weight_zero_may_be_impossible():
    values = np.r_[np.abs(Y), -1.0]
    with pm.Model() as model:
        pm.Exponential("y", lam=pm.HalfFlat("rate"), observed=values)
    fit = find_MLE(model, weights=np.r_[np.ones(40), 0.0])
    assert fit.params["rate"] == pytest.approx(1 / np.abs(Y).mean(), rel=1e-9)
    assert fit.nobs == 40


def test_potential_that_is_a_variable_is_named():
    with pm.Model() as model:
        pm.Potential("p", pm.Flat("m"))
    with pytest.raises(ModelError, match="'p' is a free variable itself"):
        find_MLE(model)


def test_unused_variable_of_a_dims_model_is_unidentified():
    with pm.Model(coords={"k": ["u", "v"], "row": range(40)}) as model:
        pmd.Normal("unused", 0, 1, dims="k")
        pmd.Normal("y", pmd.Normal("mu", 0, 10), 1, observed=pmd.as_xtensor(Y, dims="row"))
    fit = quiet(model)
    assert fit.status is Status.UNIDENTIFIED
    assert fit.params["mu"] == pytest.approx(Y.mean(), rel=1e-9)
    assert fit.bse["mu"] == pytest.approx(1 / np.sqrt(40), rel=1e-9)


def test_draws_of_what_is_not_identified_are_withheld():
    # Incident: a ridge had no standard errors, but its draws an ordinary spread.
    with pm.Model() as model:
        a, b, s = pm.Flat("a"), pm.Flat("b"), pm.HalfFlat("s")
        pm.Normal("y", a + b, s, observed=Y)
    draws = quiet(model).to_datatree()["posterior"]
    assert np.isnan(draws["a"]).all()
    assert np.isnan(draws["b"]).all()
    assert float(np.log(draws["s"]).std(ddof=1)) == pytest.approx(1 / np.sqrt(80), rel=1e-9)


X = np.linspace(0, 1, 40)
Z = np.cos(np.arange(40.0))


@pytest.mark.parametrize(
    ("mean", "observed"),
    [
        (lambda a, b, x: a + b * x, np.where(np.arange(40) < 3, np.nan, Y)),
        (lambda a, b, x: a + b * x + pm.Flat("c") * Z, Y),
        (lambda a, b, x: pm.Flat("c", shape=2)[np.arange(40) % 2] + b * x + a * X**2, Y),
    ],
    ids=["missing", "second predictor", "groups"],
)
@pytest.mark.filterwarnings("ignore")
def test_report_of_what_is_no_curve_draws_none(mean, observed, tmp_path):
    # Incident: the grid of the one pm.Data met another array of the data's length, and the report ended in ValueError.
    with pm.Model() as model:
        a, b, x = pm.Flat("a"), pm.Flat("b"), pm.Data("x", X)
        pm.Normal("y", mean(a, b, x), pm.HalfFlat("s"), observed=observed)
    text = report(quiet(model), path=tmp_path / "r.html").read_text()
    assert "<figcaption>y against x</figcaption>" not in text
    assert "Intervals" in text


def test_probe_without_a_value_is_an_objection():
    # Incident: Python's max dropped the NaN of the second probe, and the point would have been certified.
    from types import SimpleNamespace

    from ppl_mle.maximize import evidence

    local = SimpleNamespace(x=np.zeros(2), units=np.ones(2), solid=np.diag([1.0, 100.0]), ordered=False)

    def only_near(x):
        known = abs(x[1]) < 9e-3
        return (
            (0.5 * (x[0] ** 2 + x[1] ** 2 / 1e4), np.array([x[0], x[1] / 1e4]))
            if known
            else (np.inf, np.full(2, np.nan))
        )

    problem = SimpleNamespace(
        value_and_gradient=only_near, curvature=lambda x, basis: basis.T @ np.diag([1.0, 1e-4]) @ basis
    )
    slope, rise = evidence._compare(problem, local.x, evidence._directions(local))
    assert not slope < 1e-2
    assert not rise < 0.2
