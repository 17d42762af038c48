"""Looks beyond the first answer: maxima at edges are found, and what there was no time for is said."""

import numpy as np
import pymc as pm
import pytest

from ppl_mle import Status, find_MAP
from ppl_mle.maximize import patience


def with_a_peak_at_the_edge():
    """Two locations of a Cauchy likelihood beside x, whose density has a low peak inside and a narrow one at 0."""
    with pm.Model() as model:
        x = pm.Uniform("x", 0, 10)
        pm.Potential("peaks", -0.1 * (x - 5) ** 2 + 4 * pm.math.exp(-50 * x))
        middle = pm.Normal("middle", 0, 10)
        pm.Cauchy("y", middle, 1, observed=np.array([-6.0, 6.0, 6.5]))
    return model


class TestPatience:
    def test_a_higher_maximum_at_an_edge_is_found(self):
        fit = find_MAP(with_a_peak_at_the_edge(), progressbar=False)
        assert fit.status is Status.BOUNDARY
        assert float(fit.params["x"]) == 0
        highest, inside, *_ = fit.certificate.maxima
        assert highest - inside == pytest.approx(4 - 0.1 * 5**2, abs=1e-9)
        assert any("several maxima" in finding for finding in fit.findings)

    def test_starts_left_out_are_told(self, monkeypatch):
        monkeypatch.setattr(patience, "_AT_LEAST", 0.0)
        monkeypatch.setattr("ppl_mle.maximize.run._TIMES_FOR_STARTS", 0.0)
        monkeypatch.setattr("ppl_mle.maximize.run._TIMES_FOR_LOOKS", 0.0)
        fit = find_MAP(with_a_peak_at_the_edge(), progressbar=False)
        told = [finding for finding in fit.findings if "were left out" in finding]
        assert len(told) == 1
        assert fit.certificate.starts == 1

    def test_starts_asked_for_are_made(self, monkeypatch):
        monkeypatch.setattr(patience, "_AT_LEAST", 0.0)
        monkeypatch.setattr("ppl_mle.maximize.run._TIMES_FOR_STARTS", 0.0)
        monkeypatch.setattr("ppl_mle.maximize.run._TIMES_FOR_LOOKS", 0.0)
        fit = find_MAP(with_a_peak_at_the_edge(), starts=4, progressbar=False)
        assert fit.certificate.starts == 4
        assert not any("were left out" in finding for finding in fit.findings)
