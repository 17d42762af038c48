"""NUTS of chains that move together: distributions that it must leave as they are, and numbers known by theory."""

import numpy as np
import pymc as pm
import pytest
from scipy import stats

import ppl_mle
from ppl_mle.posterior import guided
from ppl_mle.posterior.lockstep import find_starts, sample_together
from ppl_mle.posterior.trajectory import move, points_at, turns_back
from ppl_mle.posterior.warmup import StepSize, pooled_scales

MANY = 40_000
SHAPES = np.array([0.7, 2.0, 5.0])


def funnel(z):
    """Neal (2003): the log-scale v has the standard deviation 1.5, and x given v the standard deviation exp(v / 2)."""
    v, x = z.T
    square = x**2 * np.exp(-v)
    return -(v**2) / 4.5 - square / 2 - v / 2, np.column_stack([-v / 2.25 + square / 2 - 0.5, -x * np.exp(-v)])


def log_gammas(z):
    """Logarithms of independent Gamma variables."""
    return (SHAPES * z - np.exp(z)).sum(axis=1), SHAPES - np.exp(z)


def half_line(z):
    """Exponential with mean 1, without a density below zero."""
    return np.where(z[:, 0] > 0, -z[:, 0], -np.inf), np.where(z > 0, -1.0, 0.0)


def draw_funnel(rng):
    v = 1.5 * rng.standard_normal(MANY)
    return np.column_stack([v, np.exp(v / 2) * rng.standard_normal(MANY)])


TARGETS = {
    "funnel": (funnel, draw_funnel, [stats.norm(0, 1.5).cdf]),
    "log of Gamma": (
        log_gammas,
        lambda rng: np.log(rng.gamma(SHAPES, size=(MANY, 3))),
        [lambda z, a=a: stats.gamma(a).cdf(np.exp(z)) for a in SHAPES],
    ),
    "half line": (half_line, lambda rng: rng.exponential(size=(MANY, 1)), [stats.expon.cdf]),
}


@pytest.mark.parametrize("step", [0.1, 0.5, 1.2])
@pytest.mark.parametrize("name", TARGETS)
def test_a_transition_leaves_the_distribution_as_it_is(name, step):
    # Exact draws, moved twice, are exact draws: the statistic of Kolmogorov and Smirnov passes 1.95 once in 1,000.
    densities, draw, distributions = TARGETS[name]
    rng = np.random.default_rng(4)
    z = draw(rng)
    value, gradient = densities(z)
    points = points_at(z, np.zeros_like(z), gradient, value)
    for _ in range(2):
        moved = move(densities, points, step, 8, rng)
        points = moved.points
    for i, distribution in enumerate(distributions):
        assert np.sqrt(MANY) * stats.kstest(points.place[:, i], distribution).statistic < 1.95
    np.testing.assert_array_equal(points.value, densities(points.place)[0])
    assert np.all(moved.steps < 2**moved.depth)
    assert np.all((moved.acceptance >= 0) & (moved.acceptance <= 1))


def test_a_step_that_is_too_long_is_a_divergence_and_goes_nowhere():
    def narrow(z):
        return -1e8 * z[:, 0] ** 2, -2e8 * z

    z = np.zeros((5, 1))
    moved = move(narrow, points_at(z, z, z, z[:, 0]), 1.0, 10, np.random.default_rng(1))
    assert moved.diverged.all()
    np.testing.assert_array_equal(moved.points.place, 0)
    np.testing.assert_array_equal(moved.steps, 1)
    np.testing.assert_array_equal(moved.acceptance, 0)


def test_trees_are_no_deeper_than_asked():
    def flat(z):
        return np.zeros(len(z)), np.zeros_like(z)

    z = np.zeros((3, 2))
    moved = move(flat, points_at(z, z, z, z[:, 0]), 0.1, 4, np.random.default_rng(1))
    np.testing.assert_array_equal(moved.depth, 4)
    np.testing.assert_array_equal(moved.steps, 15)
    np.testing.assert_array_equal(moved.acceptance, 1)


def test_a_trajectory_turns_back_where_its_length_stops_growing():
    # Points (1, 0) and (0, 1) with half weight each, and (1, 1) between them: the sum less the halves is (1.5, 1.5).
    first, last = np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([[0.0, 1.0], [-1.0, 0.0]])
    between = np.array([[1.0, 1.0], [0.0, 1.0]])
    np.testing.assert_array_equal(turns_back(first, last, first + last + between), [False, True])


def test_the_step_size_reaches_the_acceptance_asked_for():
    step = StepSize(0.05, 0.7)
    for _ in range(2000):
        step.learn(float(np.exp(-step.now)))
    assert step.mean == pytest.approx(-np.log(0.7), rel=0.02)
    for _ in range(100):
        step.learn(1.0)
    assert step.mean < 1.1


def test_scales_are_pooled_over_chains():
    places = np.random.default_rng(1).normal(size=(50, 4, 2)) * [2.0, 0.1]
    share = 200 / 205
    expected = np.sqrt(share * places.reshape(200, 2).var(axis=0) + (1 - share) * 1e-3)
    np.testing.assert_allclose(pooled_scales(places), expected, rtol=1e-12)


@pytest.mark.parametrize("chains", [4, 16])
def test_moments_and_quantiles_of_coordinates_with_other_scales(chains):
    # Student's t with 9 degrees of freedom, scaled by 5 and 0.2: tuning has to find these scales.
    scales, df = np.array([5.0, 0.2]), 9.0

    def densities(z):
        u = z / scales
        return -(df + 1) / 2 * np.log1p(u**2 / df).sum(axis=1), -(df + 1) * u / (df + u**2) / scales

    rng = np.random.default_rng(2)
    starts = find_starts(densities, 2.0, (chains, 2), rng)
    options = {"tune": 300, "target_accept": 0.8, "max_treedepth": 10, "rng": rng}
    found = sample_together(densities, starts, draws=16_000 // chains, **options)
    assert found.places.shape == (chains, 16_000 // chains, 2)
    flat = found.places.reshape(-1, 2) / scales
    levels = np.array([0.05, 0.25, 0.5, 0.75, 0.95])
    exact = stats.t(df).ppf(levels)
    error = np.sqrt(levels * (1 - levels) / 8000) / stats.t(df).pdf(exact)
    for column in flat.T:
        np.testing.assert_array_less(np.abs(np.quantile(column, levels) - exact), 4 * error)
    assert found.statistics["acceptance_rate"].mean() == pytest.approx(0.85, abs=0.07)
    assert found.statistics["n_steps"].mean() < 6


def test_starts_are_where_the_density_exists():
    starts = find_starts(half_line, 2.0, (200, 1), np.random.default_rng(3))
    assert np.all(starts > 0)
    assert starts.std() > 0.5


def test_by_default_many_chains_of_eight_thousand_draws():
    with pm.Model() as model:
        pm.Normal("y", pm.Flat("mu"), pm.HalfFlat("sigma"), observed=np.arange(30.0))
    tree = ppl_mle.sample(model, method="nuts", random_seed=1, progressbar=False)
    assert dict(tree["posterior"].sizes) == {"chain": 16, "draw": 500}
    assert tree["posterior"].attrs["inference_library"] == "ppl_mle"
    one = ppl_mle.sample(model, method="nuts", chains=2, draws=20, random_seed=1, progressbar=False)
    assert dict(one["posterior"].sizes) == {"chain": 2, "draw": 20}
    # mu is t with 29 degrees of freedom around 14.5, with the variance 29 / 27 times 77.5 / 30.
    assert float(tree["posterior"]["mu"].var()) == pytest.approx(29 / 27 * 77.5 / 30, rel=0.1)


def test_no_chain_starts_where_steps_of_the_others_are_too_long():
    def walled(z):
        return -0.5 * (z**2).sum(axis=1) - 1e6 * (np.abs(z) > 3).any(axis=1), -z

    starts = find_starts(walled, 2.0, (500, 2), np.random.default_rng(5))
    assert np.abs(starts).max() <= 3
    # Of a normal density nothing is refused: two standard deviations, as drawn.
    starts = find_starts(lambda z: (-0.5 * (z**2).sum(axis=1), -z), 2.0, (2000, 2), np.random.default_rng(5))
    assert starts.std() == pytest.approx(2.0, rel=0.05)


def test_a_chain_where_scales_are_small_shortens_the_steps_of_all():
    # Incident: of sixteen chains one never moved, since the step size followed the mean of their acceptance.
    rng = np.random.default_rng(6)
    starts = np.column_stack([np.r_[-9.0, np.full(15, 2.0)], np.r_[0.05, rng.standard_normal(15)]])
    options = {"tune": 200, "target_accept": 0.8, "max_treedepth": 10, "rng": rng}
    found = sample_together(funnel, starts, draws=200, **options)
    assert found.statistics["acceptance_rate"][0].mean() > 0.5
    assert found.places[0, :, 0].max() > 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"target_accept": 1.5}, "target_accept=1.5 must lie between 0 and 1"),
        ({"target_accept": float("nan")}, "target_accept=nan must lie"),
        ({"target_accept": None}, "target_accept=None must lie"),
        ({"max_treedepth": 0}, "max_treedepth=0 must be a positive whole number"),
        ({"max_treedepth": 2.5}, "max_treedepth=2.5 must be"),
        ({"random_seed": -1}, "random_seed=-1 is no seed"),
    ],
)
def test_options_that_no_sampler_can_follow(options, said):
    with pm.Model() as model:
        pm.Normal("y", pm.Flat("mu"), 1.0, observed=np.arange(5.0))
    with pytest.raises(ppl_mle.RequestError, match=said):
        ppl_mle.sample(model, method="nuts", progressbar=False, **options)


def test_together_where_it_is_asked_for_by_name(monkeypatch):
    monkeypatch.setattr(guided, "_COMPILING", 0.0)
    monkeypatch.setattr(guided, "_COMPILING_IN_PYTHON", 0.0)
    with pm.Model() as model:
        pm.Normal("y", pm.Flat("mu"), 1.0, observed=np.arange(5.0))
    tree = ppl_mle.sample(model, method="nuts", nuts_sampler="ppl_mle", random_seed=1, progressbar=False)
    assert tree["posterior"].attrs["inference_library"] == "ppl_mle"
    # With a flat prior mu is normal around 2 with the variance 1 / 5.
    assert float(tree["posterior"]["mu"].std()) == pytest.approx(np.sqrt(0.2), rel=0.05)
