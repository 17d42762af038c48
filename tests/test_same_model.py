"""One model written in different ways is one model: the same designs, the same engine, the same answer."""

from functools import cache

import numpy as np
import pymc as pm
import pymc.dims as pmd
import pytensor.tensor as pt
import pytest
from pytensor import sparse as pts
from scipy import sparse

from ppl_mle import explain, find_MLE

RNG = np.random.default_rng(5)
N, LEVELS = 60, 3
X = RNG.normal(size=(N, 2)) * [1.0, 3.0]
GROUP = RNG.integers(0, LEVELS, size=N)
ONE_HOT = np.eye(LEVELS)[GROUP]
ETA = X @ [0.6, -0.3] + np.array([0.2, 0.9, 1.4])[GROUP]
Y = ETA + 0.5 * RNG.normal(size=N)
COUNTS = RNG.poisson(np.exp(ETA))
PARAMETERS = ["b[0]", "b[1]", "u[0]", "u[1]", "u[2]"]


def parameters():
    return pm.Flat("b", shape=2), pm.Flat("u", shape=LEVELS)


def dot():
    b, u = parameters()
    return pt.dot(X, b) + u[GROUP]


def products():
    b, u = parameters()
    return b[0] * X[:, 0] + u[GROUP] + X[:, 1] * b[1]


def summed():
    b, u = parameters()
    return (X * b).sum(axis=1) + u[GROUP]


def one_hot():
    b, u = parameters()
    return X @ b + ONE_HOT @ u


def deterministics():
    b, u = parameters()
    by_group = pm.Deterministic("by_group", u[GROUP])
    return pm.Deterministic("eta", pm.Deterministic("slope", X @ b) + by_group)


def reordered():
    u, b = pm.Flat("u", shape=LEVELS), pm.Flat("b", shape=2)
    return u[::-1][LEVELS - 1 - GROUP] + X[:, ::-1] @ b[::-1]


def data():
    b, u = parameters()
    return pm.Data("x", X) @ b + u[pm.Data("group", GROUP)]


def dims():
    x, b, level = dims_parameters()
    return (x * b).sum("column") + level


def dims_dot():
    x, b, level = dims_parameters()
    return x.dot(b) + level


def dims_parameters():
    u = pmd.Flat("u", dims="level").isel(level=pmd.as_xtensor(GROUP, dims="row"))
    return pmd.Data("x", X, dims=("row", "column")), pmd.Flat("b", dims="column"), u


def gaussian(eta):
    if has_dims(eta):
        pmd.Normal("y", eta, pmd.HalfFlat("sigma"), observed=pmd.as_xtensor(Y, dims="row"))
    else:
        pm.Normal("y", eta, pm.HalfFlat("sigma"), observed=Y)


def poisson(eta):
    if has_dims(eta):
        pmd.Poisson("y", pmd.math.exp(eta), observed=pmd.as_xtensor(COUNTS, dims="row"))
    else:
        pm.Poisson("y", pm.math.exp(eta), observed=COUNTS)


def has_dims(eta):
    return hasattr(eta.type, "dims")


WAYS = (dot, products, summed, one_hot, reordered, data, dims, deterministics, dims_dot)
ENGINES = {gaussian: "least squares", poisson: "predictor Newton"}


@cache
def declared(family, way):
    with pm.Model(coords={"column": range(2), "level": range(LEVELS), "row": range(N)}) as model:
        family(way())
    return model


@cache
def planned(family, way):
    return explain(declared(family, way))


@cache
def fitted_to(family, way):
    return find_MLE(declared(family, way), progressbar=False)


def by_row(plan):
    """The predictor that differs from row to row, as it was read and as it is shown."""
    (reading,), (form,) = plan.terms, plan.likelihood.forms
    (row_term,) = form.sums
    (found,) = [pair for pair in zip(row_term.predictors, reading.predictors, strict=True) if not pair[0].is_shared]
    return found


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("family", ENGINES)
class TestWays:
    def test_engine_and_form(self, family, way):
        assert planned(family, way).engine == ENGINES[family]
        assert [term.form for term in planned(family, way).terms] == [term.form for term in planned(family, dot).terms]

    def test_design(self, family, way):
        design, base = by_row(planned(family, way))[1], by_row(planned(family, dot))[1]
        assert (design.rows, design.columns, design.rank) == (N, 5, 5)
        assert design.condition == pytest.approx(base.condition, rel=1e-12)
        assert not design.has_offset
        assert sorted((part.kind, part.columns) for part in design.parts) == [("dense", 2), ("indexed", 3)]

    def test_matrix(self, family, way):
        plan = planned(family, way)
        predictor = by_row(plan)[0]
        columns = [plan.likelihood.free_labels.index(name) for name in PARAMETERS]
        np.testing.assert_array_equal(predictor.matrix(columns, N), np.column_stack([X, ONE_HOT]))

    def test_answer(self, family, way):
        fit, base = fitted_to(family, way), fitted_to(family, dot)
        assert fit.status.name == "CONVERGED"
        assert fit.llf == pytest.approx(base.llf, rel=1e-12)
        np.testing.assert_allclose(fit.params[base.labels], base.params, rtol=1e-10)
        np.testing.assert_allclose(fit.bse[base.labels], base.bse, rtol=1e-10)


def test_sparse_design_stays_sparse():
    def sparse_dot():
        b, u = parameters()
        return X @ b + pts.structured_dot(pts.as_sparse_variable(sparse.csr_matrix(ONE_HOT)), u[:, None])[:, 0]

    for family, engine in ENGINES.items():
        plan = planned(family, sparse_dot)
        predictor, design = by_row(plan)
        assert plan.engine == engine
        assert {part.kind: part.columns for part in design.parts} == {"dense": 2, "sparse": 3}
        columns = [plan.likelihood.free_labels.index(name) for name in PARAMETERS]
        np.testing.assert_array_equal(predictor.matrix(columns, N), np.column_stack([X, ONE_HOT]))
        fit, base = fitted_to(family, sparse_dot), fitted_to(family, dot)
        assert fit.llf == pytest.approx(base.llf, rel=1e-12)
        np.testing.assert_allclose(fit.params, base.params, rtol=1e-10)
        np.testing.assert_allclose(fit.bse, base.bse, rtol=1e-10)


@pytest.mark.parametrize("family", ENGINES)
def test_large_data_are_read_alike(family, monkeypatch):
    # Large arrays are stood in for by variables while PyMC makes the graphs; here nearly every array counts as large.
    monkeypatch.setattr("ppl_mle.read.densities._LARGE", 40)
    for way in (dot, one_hot, data, dims):
        plan = explain(declared(family, way))
        assert plan.engine == ENGINES[family]
        assert by_row(plan)[1] == by_row(planned(family, way))[1]
        assert find_MLE(declared(family, way), progressbar=False).llf == pytest.approx(
            fitted_to(family, way).llf, rel=1e-13
        )
