"""What the data cannot tell apart is named in the parameters' labels, and everything that they can keeps its error."""

import re
import warnings

import numpy as np
import pymc as pm
import pytest
import statsmodels.api as sm
from scipy import stats

from ppl_mle import FitWarning, Status, find_MAP, find_MLE

N = 40
RNG = np.random.default_rng(7)
# Multiples of 1/64, so that sums of them are exact.
X = np.round(RNG.normal(size=N) * 64) / 64
Y = np.round((1 + X + RNG.normal(size=N)) * 64) / 64
HITS = (X + RNG.logistic(size=N) > 0).astype(int)
GROUP = np.arange(N) % 3
INNER, OUTER = np.arange(N) % 6, np.arange(N) % 6 // 2
FIRST, SECOND = np.arange(N) % 2, np.arange(N) % 3
FULL = ~((FIRST == 1) & (SECOND == 2))
COORDS = {"level": list("uvwz"), "outer": range(3), "inner": range(6), "first": range(2), "second": range(3)}


def fitted(declare, find=find_MLE, **options):
    with pm.Model(coords=COORDS) as model:
        declare()
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        warnings.simplefilter("ignore", FitWarning)
        return find(model, progressbar=False, **options)


def ridge(declare, find=find_MLE, **options):
    fit = fitted(declare, find, **options)
    assert fit.status is Status.UNIDENTIFIED, fit.message
    assert not fit.converged
    return fit


def free_combinations(fit):
    """The combinations that the message calls free, as rows over the labels; `u[*]` is the sum of all of `u`."""
    text = fit.message.split("ridge: ")[1].split(" can change")[0]
    elements = {label: [label] for label in sorted(fit.labels, key=len, reverse=True)}
    for name in {label.split("[")[0] for label in fit.labels if "[" in label}:
        elements[f"{name}[*]"] = [label for label in fit.labels if label.startswith(f"{name}[")]
    known = "|".join(map(re.escape, sorted(elements, key=len, reverse=True)))
    rows = []
    for match in re.finditer(rf"(, |^)?\s*([-+])?\s*([\d.]+(?:e[-+]\d+)? )?({known})", text):
        start, sign, size, written = match.groups()
        if start is not None:
            rows.append(np.zeros(len(fit.labels)))
        for label in elements[written]:
            rows[-1][fit.labels.index(label)] = (-1.0 if sign == "-" else 1.0) * float(size or 1)
    return np.array(rows)


def normal(eta, y=Y):
    pm.Normal("y", eta, pm.HalfFlat("sigma"), observed=y)


def one_hot(index, size):
    return np.eye(size)[index]


def two_of_each():
    a, d, b, e = (pm.Flat(name) for name in "adbe")
    pm.Deterministic("combination", pm.math.stack([a + d, b + 2 * e]))
    normal(a + d + X * b + 2 * X * e)


def missing_level():
    u, b = pm.Flat("u", dims="level"), pm.Flat("b")
    pm.Deterministic("combination", pm.math.stack([u[1] - u[0], u[2] + b]))
    normal(u[GROUP] + X * b)


def missing_level_with_intercept():
    a, u = pm.Flat("a"), pm.Flat("u", dims="level")
    pm.Deterministic("combination", pm.math.stack([a + u[0], a + u[1], u[2] - u[1]]))
    normal(a + u[GROUP])


def nested():
    a, u, v, b = pm.Flat("a"), pm.Flat("u", dims="outer"), pm.Flat("v", dims="inner"), pm.Flat("b")
    pm.Deterministic("combination", a + u[np.arange(6) // 2] + v)
    normal(a + u[OUTER] + v[INNER] + b * X)


def empty_cell():
    a, r, c = pm.Flat("a"), pm.Flat("r", dims="first"), pm.Flat("c", dims="second")
    rc = pm.Flat("rc", dims=("first", "second"))
    whole = a + r[:, None] + c[None] + rc
    pm.Deterministic("combination", pm.math.stack([whole[0, 0], whole[0, 2], whole[1, 1]]))
    normal(a + r[FIRST[FULL]] + c[SECOND[FULL]] + rc[FIRST[FULL], SECOND[FULL]], Y[FULL])


def empty_cell_in_treatment_contrasts():
    x = treatment_contrasts()
    b = pm.Flat("b", shape=6)
    pm.Deterministic("combination", pm.math.stack([b[0] + b[1], b[4] - b[3]]))
    normal(x @ b, Y[FULL])


def treatment_contrasts():
    r, c, d = FIRST[FULL] == 1, SECOND[FULL] == 1, SECOND[FULL] == 2
    return np.column_stack([np.ones(r.size), r, c, d, r & c, r & d]).astype(float)


def cells(row, column):
    return np.r_[1.0, one_hot(row, 2), one_hot(column, 3), one_hot(3 * row + column, 6)]


ONES = np.ones(N)
DESIGNS = {
    two_of_each: (np.column_stack([ONES, ONES, X, 2 * X]), [[1, 1, 0, 0], [0, 0, 1, 2]]),
    missing_level: (np.column_stack([one_hot(GROUP, 4), X]), [[-1, 1, 0, 0, 0], [0, 0, 1, 0, 1]]),
    missing_level_with_intercept: (
        np.column_stack([ONES, one_hot(GROUP, 4)]),
        [[1, 1, 0, 0, 0], [1, 0, 1, 0, 0], [0, 0, -1, 1, 0]],
    ),
    nested: (
        np.column_stack([ONES, one_hot(OUTER, 3), one_hot(INNER, 6), X]),
        np.column_stack([np.ones(6), one_hot(np.arange(6) // 2, 3), np.eye(6), np.zeros(6)]),
    ),
    empty_cell: (
        np.array([cells(r, c) for r, c in zip(FIRST[FULL], SECOND[FULL], strict=True)]),
        [cells(0, 0), cells(0, 2), cells(1, 1)],
    ),
    empty_cell_in_treatment_contrasts: (treatment_contrasts(), [[1, 1, 0, 0, 0, 0], [0, 0, 0, -1, 1, 0]]),
}


@pytest.mark.parametrize("declare", DESIGNS, ids=lambda declare: declare.__name__)
def test_rank_deficient_design(declare):
    x, combinations = (np.asarray(part, float) for part in DESIGNS[declare])
    y = Y if len(x) == N else Y[FULL]
    p, rank = x.shape[1], np.linalg.matrix_rank(x)
    inverse = np.linalg.pinv(x.T @ x)
    b = inverse @ x.T @ y
    sigma = np.sqrt(np.mean((y - x @ b) ** 2))
    fit = ridge(declare)

    free = free_combinations(fit)[:, :p]
    assert np.linalg.matrix_rank(free) == len(free) == p - rank
    np.testing.assert_allclose(x @ free.T, 0, atol=1e-12)

    estimable = np.abs(inverse @ x.T @ x - np.eye(p)).max(axis=0) < 1e-9
    assert list(np.isfinite(fit.bse)) == [*estimable, True]
    np.testing.assert_allclose(fit.bse[:p][estimable], sigma * np.sqrt(np.diag(inverse))[estimable], rtol=1e-8)
    np.testing.assert_allclose(fit.params[:p][estimable], b[estimable], rtol=1e-9, atol=1e-9 * sigma)
    assert fit.params["sigma"] == pytest.approx(sigma, rel=1e-9)
    assert fit.bse["sigma"] == pytest.approx(sigma / np.sqrt(2 * y.size), rel=1e-8)
    assert fit.llf == pytest.approx(-y.size / 2 * (np.log(2 * np.pi * sigma**2) + 1), rel=1e-11)

    derived = fit.deterministic("combination")
    np.testing.assert_allclose(derived.params, combinations @ b, atol=1e-9 * sigma)
    np.testing.assert_allclose(
        derived.bse, sigma * np.sqrt(np.diag(combinations @ inverse @ combinations.T)), rtol=1e-8
    )


def test_a_missing_level_is_named_and_a_sum_with_it_has_no_error():
    def declare():
        u = pm.Flat("u", dims="level")
        pm.Deterministic("contrast", u - u[0])
        pm.Bernoulli("y", logit_p=u[GROUP] + X * pm.Flat("b"), observed=HITS)

    fit = ridge(declare)
    reference = sm.Logit(HITS, np.column_stack([one_hot(GROUP, 3), X])).fit(tol=1e-15, maxiter=99, disp=0)
    assert "ridge: u[z] can change" in fit.message
    kept = ["u[u]", "u[v]", "u[w]", "b"]
    np.testing.assert_allclose(fit.params[kept], reference.params, rtol=1e-8)
    np.testing.assert_allclose(fit.bse[kept], reference.bse, rtol=1e-8)
    assert fit.llf == pytest.approx(reference.llf, rel=1e-11)
    contrast = fit.deterministic("contrast").bse
    assert list(np.isnan(contrast)) == [False, False, False, True]
    covariance = reference.cov_params()
    assert contrast.iloc[1] == pytest.approx(
        np.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]), rel=1e-8
    )


UNUSED = {
    "Flat": lambda: pm.Flat("unused"),
    "HalfFlat": lambda: pm.HalfFlat("unused"),
    "Uniform": lambda: pm.Uniform("unused", 0, 1),
    "a proper prior": lambda: pm.Normal("unused", 3, 2),
    "only a Deterministic": lambda: pm.Deterministic("twice", 2 * pm.Flat("unused")),
    "simplex": lambda: pm.Dirichlet("unused", np.ones(3)),
    "vector": lambda: pm.Flat("unused", shape=3),
}


@pytest.mark.parametrize("kind", [*UNUSED, "times zero"])
def test_a_parameter_that_reaches_no_term(kind):
    def declare():
        eta = 0 * pm.Flat("unused") if kind == "times zero" else 0
        if kind in UNUSED:
            UNUSED[kind]()
        pm.Normal("y", pm.Flat("m") + eta, 1.5, observed=Y)

    fit = ridge(declare)
    assert "unused" in fit.message.split(" can change")[0]
    assert all(np.isnan(fit.bse[label]) for label in fit.labels if label.startswith("unused"))
    assert fit.params["m"] == pytest.approx(Y.mean(), rel=1e-12)
    assert fit.bse["m"] == pytest.approx(1.5 / np.sqrt(N), rel=1e-10)
    assert fit.llf == pytest.approx(stats.norm.logpdf(Y, Y.mean(), 1.5).sum(), rel=1e-12)


def product(prior):
    """Slope a * b through the origin; the names tell what only the product decides."""

    def declare():
        a, b = prior("a"), prior("b")
        pm.Deterministic("ab", a * b)
        pm.Normal("y", a * b * X, 1, observed=Y)

    return declare


SXX, SXY = X @ X, X @ Y


@pytest.mark.parametrize("prior", [pm.HalfFlat, pm.Flat])
def test_a_product_keeps_its_error_where_its_factors_have_none(prior):
    fit = ridge(product(prior))
    assert fit.bse[["a", "b"]].isna().all()
    derived = fit.deterministic("ab")
    assert derived.params["ab"] == pytest.approx(SXY / SXX, rel=1e-9)
    assert derived.bse["ab"] == pytest.approx(SXX**-0.5, rel=1e-8)


def test_a_curved_ridge_is_named_and_its_level_is_right():
    fit = ridge(product(pm.Flat))
    assert "Fix or drop one of a, b," in fit.message
    assert fit.params["a"] * fit.params["b"] == pytest.approx(SXY / SXX, rel=1e-9)
    assert fit.llf == pytest.approx(stats.norm.logpdf(Y, X * SXY / SXX, 1).sum(), rel=1e-11)


def test_two_variances_that_only_add():
    def declare():
        total = pm.HalfFlat("s1") ** 2 + pm.HalfFlat("s2") ** 2
        pm.Normal("y", pm.Flat("m"), pm.math.sqrt(total), observed=Y)

    fit = ridge(declare)
    assert "s1" in fit.message
    assert "s2" in fit.message
    assert fit.params["s1"] ** 2 + fit.params["s2"] ** 2 == pytest.approx(Y.var(), rel=1e-9)
    assert fit.bse["m"] == pytest.approx(Y.std() / np.sqrt(N), rel=1e-8)


def test_what_does_not_change_along_a_curve_keeps_its_error():
    def declare():
        a, b = pm.HalfFlat("a"), pm.HalfFlat("b")
        pm.Deterministic("slope", a + b)
        pm.Normal("y", pm.Flat("m") + (a + b) * X, 1.0, observed=Y)

    fit = ridge(declare)
    design = np.column_stack([ONES, X])
    covariance = np.linalg.inv(design.T @ design)
    level, slope = covariance @ design.T @ Y
    derived = fit.deterministic("slope")
    assert list(fit.bse.isna()) == [True, True, False]
    assert derived.params["slope"] == pytest.approx(slope, rel=1e-9)
    assert derived.bse["slope"] == pytest.approx(covariance[1, 1] ** 0.5, rel=1e-7)
    assert fit.params["m"] == pytest.approx(level, rel=1e-9)
    assert fit.bse["m"] == pytest.approx(covariance[0, 0] ** 0.5, rel=1e-8)


def test_a_tail_that_winds_is_no_ridge():
    # The joint density of z ~ N(0, 1) and y ~ N(m + t z, s) rises as t grows and t z stays y - m, to that at z = 0.
    errors = np.array([15.0, 10, 16, 11, 9, 11, 10, 18])
    effects = np.array([28.0, 8, -3, 7, -1, 1, 18, 12])

    def declare():
        pm.Normal("y", pm.Flat("m") + pm.HalfFlat("t") * pm.Normal("z", shape=8), errors, observed=effects)

    fit = fitted(declare)
    assert fit.status is Status.INFINITE, fit.message
    assert "t -> +inf" in fit.message
    assert fit.params["t"] == np.inf
    assert fit.params["m"] == pytest.approx(effects.mean(), abs=1e-5)
    assert fit.llf == pytest.approx(stats.norm.logpdf(0, 0, errors).sum(), abs=1e-8)
    assert fit.bse.isna().all()


@pytest.mark.parametrize("unit", [1.0, 1e3])
def test_separation_is_no_ridge(unit):
    x, y = np.array([1.0, 0, 0, 0, 0, 1, 1, 0]), np.array([1, 0, 0, 1, 0, 1, 1, 1])

    def declare():
        pm.Bernoulli("y", pm.math.invprobit(pm.Flat("a") + pm.Flat("b") * x * unit), observed=y)

    fit = fitted(declare)
    assert fit.status is Status.INFINITE, fit.message
    assert fit.params["b"] == np.inf
    assert fit.params["a"] == pytest.approx(stats.norm.ppf(0.4), rel=1e-8)
    assert fit.llf == pytest.approx(2 * np.log(0.4) + 3 * np.log(0.6), rel=1e-9)


class TestPriorsIdentify:
    def test_product(self):
        # By symmetry a = b; (ab) Sxy - (ab)^2 Sxx / 2 - a^2 / 2 - b^2 / 2 is greatest where ab = (Sxy - 1) / Sxx.
        fit = fitted(product(lambda name: pm.HalfNormal(name, 1)), find_MAP)
        mode = np.sqrt((SXY - 1) / SXX)
        assert fit.status is Status.CONVERGED
        np.testing.assert_allclose(fit.params, mode, rtol=1e-9)
        np.testing.assert_allclose(fit.bse, np.sqrt(SXY / (4 * SXY - 4)), rtol=1e-8)

    def test_missing_level(self):
        def declare():
            u = pm.Normal("u", 0.5, 3, dims="level")
            pm.Normal("y", u[GROUP], 1, observed=Y)

        fit = fitted(declare, find_MAP)
        precision = np.r_[np.bincount(GROUP), 0] + 1 / 9
        mode = (np.r_[np.bincount(GROUP, Y), 0] + 0.5 / 9) / precision
        assert fit.status is Status.CONVERGED
        np.testing.assert_allclose(fit.params, mode, rtol=1e-10)
        np.testing.assert_allclose(fit.bse, precision**-0.5, rtol=1e-9)

    def test_a_prior_on_one_of_two_intercepts(self):
        def declare():
            pm.Normal("y", pm.Normal("a", 0.25, 2) + pm.Flat("b"), 1, observed=Y)

        fit = fitted(declare, find_MAP)
        assert fit.status is Status.CONVERGED
        np.testing.assert_allclose(fit.params, [0.25, Y.mean() - 0.25], rtol=1e-10)
        np.testing.assert_allclose(fit.bse, [2, np.sqrt(4 + 1 / N)], rtol=1e-9)

    def test_a_parameter_that_reaches_no_term_has_its_prior(self):
        def declare():
            pm.Normal("unused", 3, 2)
            pm.Normal("y", pm.Flat("m"), 1.5, observed=Y)

        fit = fitted(declare, find_MAP)
        assert fit.status is Status.CONVERGED
        np.testing.assert_allclose(fit.params, [3, Y.mean()], rtol=1e-12)
        np.testing.assert_allclose(fit.bse, [2, 1.5 / np.sqrt(N)], rtol=1e-10)

    def test_so_does_fixing_one(self):
        fit = fitted(product(pm.Flat), fixed={"a": 2.0})
        assert fit.status is Status.CONVERGED
        assert fit.params["b"] == pytest.approx(SXY / SXX / 2, rel=1e-10)
        assert fit.bse["b"] == pytest.approx(SXX**-0.5 / 2, rel=1e-9)
