"""Point and posterior: matched by label, compared by known moments, and no claim that the draws cannot carry."""

import arviz_base
import arviz_stats
import numpy as np
import pytest
import xarray as xr
from scipy.stats import norm

from ppl_mle.errors import RequestError
from ppl_mle.posterior import check_draws, compare_with_draws
from tests.closed_form import ESTIMATES, STANDARD_ERRORS, make_bad_results, make_posterior, make_results

LABELS = ["m[x]", "m[y]", "sigma"]


def test_agreement_is_stated():
    agreement = compare_with_draws(make_results(), make_posterior())
    assert agreement.conclusion.startswith("The posterior agrees with the fit")
    assert agreement.check.reliable
    table = agreement.table
    assert list(table.index) == LABELS
    np.testing.assert_allclose(table["mean"], ESTIMATES, rtol=1e-12)
    np.testing.assert_allclose(table["sd"], STANDARD_ERRORS, rtol=1e-12)
    np.testing.assert_allclose(table["shift_sd"], 0, atol=1e-12)
    np.testing.assert_allclose(table["sd_ratio"], 1, rtol=1e-12)


def test_intervals_have_one_content():
    posterior = make_posterior(draws=5000)
    table = compare_with_draws(make_results(), posterior, ci_prob=0.8).table
    half = norm.ppf(0.9) * 1.0
    np.testing.assert_allclose(table.loc["m[x]", ["ci_lower", "ci_upper"]].tolist(), [3 - half, 3 + half], rtol=1e-9)
    log_half = norm.ppf(0.9) / np.sqrt(20)
    np.testing.assert_allclose(table.loc["sigma", "ci_upper"], np.sqrt(5) * np.exp(log_half), rtol=1e-9)
    oracle = arviz_stats.summary(posterior, ci_prob=0.8, ci_kind="eti", round_to="none")
    for ours, theirs in {
        "mean": "mean",
        "sd": "sd",
        "eti_lower": "eti80_lb",
        "eti_upper": "eti80_ub",
        "rhat": "r_hat",
        "ess_bulk": "ess_bulk",
        "ess_tail": "ess_tail",
    }.items():
        np.testing.assert_allclose(table[ours], oracle.loc[LABELS, theirs], rtol=1e-9, err_msg=ours)
    np.testing.assert_allclose(
        compare_with_draws(make_results(), make_posterior(mean=ESTIMATES + 1)).table["shift_mcse"],
        1 / check_draws(make_posterior()).table.loc[LABELS, "mcse_mean"],
        rtol=1e-6,
    )


def test_differences_are_named():
    shifted = compare_with_draws(make_results(), make_posterior(mean=ESTIMATES + np.array([0, 0, 0.15]))).conclusion
    assert shifted.startswith("The posterior differs from the fit: sigma (mean 0.30 sd above the estimate)")
    assert "2 of 3 agree" in shifted
    wider = compare_with_draws(make_results(), make_posterior(sd=STANDARD_ERRORS * np.array([1.3, 1, 1]))).conclusion
    assert "m[x] (sd 1.30 times the standard error)" in wider


def test_elements_are_matched_by_label_not_by_position():
    reversed_coords = make_posterior(mean=[6.0, 3.0, np.sqrt(5)], groups=("y", "x"))
    agreement = compare_with_draws(make_results(), reversed_coords)
    np.testing.assert_allclose(agreement.table["mean"], ESTIMATES, rtol=1e-12)
    assert agreement.conclusion.startswith("The posterior agrees")


@pytest.mark.parametrize(
    ("posterior", "reason"),
    [
        (make_posterior(chains=1, draws=2000), "One chain: R-hat is not available"),
        (make_posterior(draws=20), "effective sample size is below 400"),
        (make_posterior(draws=3), "need at least 4"),
    ],
)
def test_no_claim_on_draws_that_cannot_carry_it(posterior, reason):
    conclusion = compare_with_draws(make_results(), posterior).conclusion
    assert conclusion.startswith("No conclusion")
    assert reason in conclusion
    assert "agrees" not in conclusion


def test_chains_that_disagree_are_no_basis():
    posterior = make_posterior()
    posterior["posterior"]["sigma"][0] += 2.0
    agreement = compare_with_draws(make_results(), posterior)
    assert agreement.conclusion.startswith("No conclusion")
    assert "R-hat is above 1.01 for sigma" in agreement.conclusion


def test_no_claim_on_a_fit_that_did_not_converge():
    conclusion = compare_with_draws(make_bad_results(), make_posterior()).conclusion
    assert conclusion == "No conclusion: the fit ended in INFINITE, so there is no estimate to compare."


def test_divergences_are_told_with_the_conclusion():
    agreement = compare_with_draws(make_results(), make_posterior(diverged=7))
    assert agreement.check.divergences == 7
    assert not agreement.check.reliable
    assert "7 of 2000 draws diverged" in agreement.conclusion


def test_one_draw_is_a_point():
    point = arviz_base.from_dict({"posterior": {"m": np.array([[[3.0, 6.5]]]), "sigma": np.array([[np.sqrt(5)]])}})
    point["posterior"] = xr.DataTree(point["posterior"].to_dataset().rename(m_dim_0="g").assign_coords(g=["x", "y"]))
    agreement = compare_with_draws(make_results(), point)
    assert agreement.conclusion.startswith("One draw: a point, not a posterior")
    assert "0.5 standard errors (m[y])" in agreement.conclusion
    assert agreement.table[["rhat", "ess_bulk", "sd"]].isna().all(axis=None)


def test_an_estimator_is_no_posterior():
    draws = make_posterior()
    draws["posterior"].attrs["kind"] = "estimator"
    assert "not a posterior" in compare_with_draws(make_results(), draws).conclusion


def test_fixed_elements_are_left_out():
    estimates = make_results().estimates
    covariance = np.diag([0.0, 1.0, 0.25])
    fixed = make_results(estimates=type(estimates)(estimates.labels, ESTIMATES, covariance, estimates.scales))
    conclusion = compare_with_draws(fixed, make_posterior()).conclusion
    assert conclusion.startswith("The posterior agrees")
    assert "m[x]" in conclusion.split("Not compared")[1]


def test_refusals_name_the_thing():
    results = make_results()
    with pytest.raises(RequestError, match="no group 'posterior'"):
        compare_with_draws(results, xr.DataTree())
    with pytest.raises(RequestError, match=r"no variable 'm'; its variables are other, sigma"):
        compare_with_draws(results, make_posterior(name="other"))
    with pytest.raises(RequestError, match=r"m\[0\], m\[1\].*m\[x\], m\[y\]"):
        compare_with_draws(results, make_posterior(groups=(0, 1)))
    with pytest.raises(RequestError, match="ci_prob"):
        compare_with_draws(results, make_posterior(), ci_prob=95)


def test_a_constant_is_no_problem():
    posterior = make_posterior()
    posterior["posterior"]["m"][..., 0] = 3.0
    check = check_draws(posterior)
    assert check.reliable
    assert np.isnan(check.table.loc["m[x]", "rhat"])


def test_broken_draws_are_a_problem():
    posterior = make_posterior()
    posterior["posterior"]["sigma"][0, 0] = np.nan
    check = check_draws(posterior)
    assert "Draws of sigma are not finite" in check.problems[0]
    assert not check.mixed
