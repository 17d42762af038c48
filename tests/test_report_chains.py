"""Rank plots of chains, against ranks by SciPy."""

import numpy as np
import pymc as pm
import pytest
from arviz_base import from_dict
from matplotlib import pyplot
from scipy.stats import rankdata

from ppl_mle import find_MLE
from ppl_mle.report.chain_figures import RANKS
from ppl_mle.report.scene import Scene

CHAINS, DRAWS = 3, 200


@pytest.fixture(scope="module")
def fit():
    with pm.Model() as model:
        pm.Normal("y", pm.Flat("mu"), pm.HalfFlat("sigma"), observed=[1.0, 2.0, 4.0, 5.0, 7.0])
    return find_MLE(model, progressbar=False)


def scene_of(fit, chains=CHAINS, **attributes):
    rng = np.random.default_rng(0)
    draws = {"mu": rng.normal(3, 1, (chains, DRAWS)), "sigma": np.exp(rng.normal(size=(chains, DRAWS)))}
    draws["mu"][0] += 0.5
    tree = from_dict({"posterior": draws})
    tree["posterior"].attrs.update(attributes)
    return Scene(fit.results, idata=tree)


def test_lines_are_differences_from_the_uniform_distribution_of_ranks(fit):
    scene = scene_of(fit)
    assert RANKS.suits(scene)
    figure = RANKS.draw(scene)
    panels = {panel.get_title(): panel for panel in figure.axes if panel.get_title()}
    assert list(panels) == ["mu", "sigma"]
    for name, panel in panels.items():
        draws = scene.idata["posterior"][name].to_numpy()
        ranks = rankdata(draws).reshape(draws.shape) / draws.size
        lines = [line for line in panel.get_lines() if len(line.get_xdata()) > DRAWS / 2]
        assert len(lines) == CHAINS
        for own, line in zip(ranks, lines, strict=True):
            x, y = line.get_data()
            expected = np.mean(own[:, None] <= x, axis=0) - x
            np.testing.assert_allclose(y, expected, atol=1.5 / DRAWS)


def test_names_that_are_cut_have_their_own_panels():
    long = "a" * 50
    with pm.Model() as model:
        pm.Normal(
            "y", pm.Flat(f"{long}1") + pm.Flat(f"{long}2") * np.arange(5), 1.0, observed=[1.0, 2.0, 4.0, 5.0, 7.0]
        )
    draws = np.random.default_rng(1).normal(size=(2, 2, DRAWS))
    tree = from_dict({"posterior": {f"{long}1": draws[0], f"{long}2": draws[1]}})
    figure = RANKS.draw(Scene(find_MLE(model, progressbar=False).results, idata=tree))
    assert [panel.get_title() for panel in figure.axes] == ["a" * 37 + "..."] * 2


def test_resampled_draws_and_single_chains_have_no_ranks(fit):
    assert not RANKS.suits(scene_of(fit, method="psis"))
    assert not RANKS.suits(scene_of(fit, chains=1))
    assert not RANKS.suits(Scene(fit.results))


def test_open_figures_and_settings_stay_as_they_were(fit):
    own = pyplot.figure()
    before = pyplot.rcParams.copy()
    RANKS.draw(scene_of(fit))
    assert pyplot.get_fignums() == [own.number]
    assert pyplot.rcParams == before
    pyplot.close(own)
