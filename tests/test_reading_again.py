"""What is kept between fits: functions by structure, the last reading, and what must not be kept."""

import threading

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
import pytest

from ppl_mle import find_MLE

Y = np.array([1.0, 3.0, 2.0, 5.0, 4.0])
X = np.array([1.0, 2.0, 3.0, 4.0, 5.5])
ROWS = 200_001


def fitted(model, **options):
    return find_MLE(model, progressbar=False, **options)


def slope(x, y=Y):
    return np.polyfit(x, y, 1)[0]


def correlated(x, covariance):
    with pm.Model() as model:
        a, b, s = pm.Flat("a"), pm.Flat("b"), pm.HalfFlat("s")
        pm.MvNormal("y", a + b * x, s**2 * pt.as_tensor(covariance), observed=Y)
    return model


def test_array_changed_in_place_does_not_reach_another_model():
    # Incident: constants of a kept function shared their memory with the user's array: b = 0.35 for 0.70, CONVERGED.
    x, covariance = X.copy(), np.eye(5) * 0.5 + 0.5
    exact = slope(X)
    assert fitted(correlated(x, covariance)).params["b"] == pytest.approx(exact, rel=1e-9)
    x *= 2
    assert fitted(correlated(X.copy(), covariance)).params["b"] == pytest.approx(exact, rel=1e-9)


def test_shared_data_set_anew_is_read_anew():
    # Incident: a shared variable that is no pm.Data was read once, and a refit gave the old slope, CONVERGED.
    shared = pytensor.shared(X)
    with pm.Model() as model:
        pm.Normal("y", pm.Flat("a") + pm.Flat("b") * shared, 1.0, observed=Y)
    before = fitted(model).params["b"]
    shared.set_value(2 * X)
    assert before == pytest.approx(slope(X), rel=1e-12)
    assert fitted(model).params["b"] == pytest.approx(slope(2 * X), rel=1e-12)


@pytest.mark.parametrize("lengths", [(1, 0), (0, 1), (2, 3)])
def test_variable_that_the_likelihood_does_not_use(lengths):
    # Incident: functions were kept without regard to inputs they do not use: TypeError in the second fit.
    for length in lengths:
        with pm.Model(coords={"g": range(length)}) as model:
            a = pm.Flat("a")
            if length:
                pm.Normal("c", 0, 1, dims="g")
            pm.StudentT("y", nu=4, mu=a, sigma=1.0, observed=[1.0, 2.0])
        fit = find_MLE(model, progressbar=False, fixed={"c": np.zeros(length)} if length else None)
        assert fit.params["a"] == pytest.approx(1.5, rel=1e-9)


def test_fits_in_threads_take_turns():
    errors, found = [], {}

    def work(i):
        try:
            with pm.Model() as model:
                pm.Normal("y", pm.Flat("a") + pm.Flat("b") * X * (i + 1), pm.HalfFlat("s"), observed=Y)
            found[i] = [fitted(model).params["b"] for _ in range(3)]
        except (AttributeError, TypeError, ValueError) as exc:
            errors.append(repr(exc))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    for i, slopes in found.items():
        np.testing.assert_allclose(slopes, slope(X * (i + 1)), rtol=1e-10)


WHOLE = {
    "mean": lambda x, a, b: a + b * (x - x.mean()),
    "total": lambda x, a, b: a + b * x / pt.exp(x).sum() * ROWS,
    "first": lambda x, a, b: (a + b * x) - 0.1 * (a + b * x)[0],
    "order": lambda x, a, b: (a + b * x)[np.arange(ROWS)[::-1]],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(WHOLE))
def test_aggregates_over_many_rows_are_those_of_all_rows(name):
    # Incident: PyMC's own log-density, evaluated on blocks of rows, took the mean of a block for that of the data.
    rng = np.random.default_rng(0)
    x = rng.normal(size=ROWS)
    y = 0.5 * x + rng.normal(size=ROWS)
    design = {
        "mean": np.column_stack([np.ones(ROWS), x - x.mean()]),
        "total": np.column_stack([np.ones(ROWS), x / np.exp(x).sum() * ROWS]),
        "first": np.column_stack([np.full(ROWS, 0.9), x - 0.1 * x[0]]),
        "order": np.column_stack([np.ones(ROWS), x[::-1]]),
    }[name]
    with pm.Model() as model:
        pm.Normal("y", WHOLE[name](pm.Data("x", x), pm.Flat("a"), pm.Flat("b")), 1.0, observed=y)
    fit = fitted(model)
    np.testing.assert_allclose(fit.params, np.linalg.lstsq(design, y, rcond=None)[0], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(fit.bse, np.sqrt(np.diag(np.linalg.inv(design.T @ design))), rtol=1e-9)
