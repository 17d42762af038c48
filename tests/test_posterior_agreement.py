"""Point and posterior: matched by label, compared by known moments, and no claim that the draws cannot carry."""

import arviz_base
import arviz_stats
import numpy as np
import pytest
import xarray as xr
from scipy.stats import norm

from ppl_mle.errors import RequestError
from ppl_mle.inference import Estimates
from ppl_mle.posterior import check_draws, compare_with_draws
from ppl_mle.read import Scale
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


def test_intervals_that_are_one_overlap_wholly():
    table = compare_with_draws(make_results(), make_posterior(mean=ESTIMATES + np.array([0, 10, 0]))).table
    assert table.loc["m[x]", "overlap"] > 0.9
    assert table.loc["m[y]", "overlap"] == 0


def test_distance_from_the_normal_approximation():
    # The first Wasserstein distance between normals with one spread is the distance of their means.
    posterior = make_posterior(draws=5000, mean=ESTIMATES + np.array([0, 2, 0]))
    table = compare_with_draws(make_results(), posterior).table
    assert table.loc["m[x]", "wasserstein"] < 0.03
    np.testing.assert_allclose(table.loc["m[y]", "wasserstein"], 2, rtol=1e-3)
    assert abs(table.loc["m[x]", "skewness"]) < 0.1


def test_skewness_is_measured_where_the_element_is_free_and_named():
    # Of a normal m the skewness is 0; log sigma of a gamma variable with shape 1 has Gumbel's skewness, -1.14.
    posterior = make_posterior(draws=20000)
    shape = posterior["posterior"]["sigma"].shape
    posterior["posterior"]["sigma"][:] = np.random.default_rng(1).exponential(np.sqrt(5.0), size=shape)
    agreement = compare_with_draws(make_results(), posterior)
    np.testing.assert_allclose(agreement.table.loc["sigma", "skewness"], -1.1395, atol=0.05)
    assert "Not yet normal on the scale where intervals are made: sigma (skewness -1.1" in agreement.conclusion


def test_the_mode_of_a_marginal():
    posterior = make_posterior(draws=20000)
    shape = posterior["posterior"]["sigma"].shape
    posterior["posterior"]["sigma"][:] = np.random.default_rng(1).gamma(5.0, size=shape)
    table = compare_with_draws(make_results(), posterior).table
    np.testing.assert_allclose(table.loc["sigma", "mode"], 4.0, atol=0.2)  # (shape - 1) * scale
    np.testing.assert_allclose(table.loc["m[x]", "mode"], 3.0, atol=0.2)


def test_deterministics_are_compared_too():
    posterior = make_posterior()
    draws = posterior["posterior"]["m"]
    posterior["posterior"]["gap"] = draws.sel(g="y", drop=True) - draws.sel(g="x", drop=True)
    gap = Estimates(("gap",), np.array([3.0]), np.array([[2.0]]), (Scale(),))
    table = compare_with_draws(make_results(), posterior, derived={"gap": gap}).table
    assert list(table.index) == [*LABELS, "gap"]
    np.testing.assert_allclose(table.loc["gap", ["estimate", "se", "mean"]].tolist(), [3, np.sqrt(2), 3], rtol=1e-9)


def test_many_divergences_are_no_basis():
    assert compare_with_draws(make_results(), make_posterior(diverged=21)).conclusion.startswith("No conclusion")


def with_stats(posterior, **arrays):
    stats = posterior["sample_stats"].to_dataset().assign({n: (("chain", "draw"), a) for n, a in arrays.items()})
    posterior["sample_stats"] = xr.DataTree(stats)
    return posterior


def test_energies_that_hardly_move():
    steps = np.random.default_rng(1).standard_normal((4, 500))
    posterior = with_stats(make_posterior(), energy=steps)
    check = check_draws(posterior)
    oracle = arviz_stats.bfmi(posterior)["energy"].to_numpy()
    np.testing.assert_allclose(check.bfmi, oracle, rtol=0.01)
    assert check.reliable
    walk = with_stats(make_posterior(), energy=np.cumsum(steps, axis=1))
    assert "E-BFMI is 0.0" in check_draws(walk).problems[0]


def resampled(k_hat, ess, proposals=4000):
    posterior = make_posterior()
    posterior["posterior"].attrs |= {"method": "psis", "k_hat": k_hat, "ess": ess, "proposals": proposals}
    return posterior


def test_resampled_draws_count_for_what_they_are():
    # 2000 of 4000 points of one weight: a mean of 2000 independent draws.
    check = check_draws(resampled(k_hat=0.1, ess=4000.0))
    np.testing.assert_allclose(check.table["ess_bulk"], 2000)
    np.testing.assert_allclose(check.table["mcse_mean"], STANDARD_ERRORS / np.sqrt(2000), rtol=1e-9)
    assert "rhat" not in check.table
    assert check.reliable


@pytest.mark.parametrize(("k_hat", "ess", "why"), [(0.8, 3000.0, "k-hat"), (0.3, 150.0, "effective sample size")])
def test_weights_of_no_use_are_no_basis(k_hat, ess, why):
    conclusion = compare_with_draws(make_results(), resampled(k_hat, ess)).conclusion
    assert conclusion.startswith("No conclusion")
    assert why in conclusion


def test_a_posterior_of_several_modes_is_told():
    posterior = make_posterior()
    posterior["posterior"].attrs["modes"] = 2
    assert "at least 2 modes" in compare_with_draws(make_results(), posterior).conclusion


def test_leave_one_out_only_where_right():
    posterior = make_posterior()
    assert "no group log_likelihood" in compare_with_draws(make_results(), posterior).loo.reason
    shape = posterior["posterior"]["sigma"].shape
    rows = norm.logpdf(np.zeros(10), loc=0.1 * np.random.default_rng(1).standard_normal((*shape, 10)))
    posterior["log_likelihood"] = xr.DataTree(xr.Dataset({"y": (("chain", "draw", "i"), rows)}))
    found = compare_with_draws(make_results(), posterior).loo
    oracle = arviz_stats.loo(posterior)
    np.testing.assert_allclose([found.result.elpd, found.result.se], [oracle.elpd, oracle.se], rtol=1e-12)
    posterior["posterior"].attrs["kind"] = "approximation"
    assert "log_p and log_q" in compare_with_draws(make_results(), posterior).loo.reason
    posterior = with_stats(posterior, log_p=np.zeros(shape), log_q=np.zeros(shape))
    approximate = compare_with_draws(make_results(), posterior).loo.result
    np.testing.assert_allclose(approximate.elpd, oracle.elpd, rtol=1e-3)
