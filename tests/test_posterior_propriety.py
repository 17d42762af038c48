"""Posteriors that theory knows to be proper or improper: the improper are refused by name, the proper are not."""

import numpy as np
import pymc as pm
import pytest

import ppl_mle
from ppl_mle.errors import ModelError
from ppl_mle.maximize import ENGINES, maximize
from ppl_mle.plan import make_plan
from ppl_mle.posterior import find_mode, why_improper, why_periodic, why_separated
from ppl_mle.read import read_posterior

X = np.array([-2.0, -1.0, -0.5, 0.5, 1.0, 2.0])
SEPARATED, OVERLAPPING = [0, 0, 0, 1, 1, 1], [0, 1, 0, 1, 0, 1]
COUNTS = np.array([3, 0, 5, 1, 2, 9, 4, 0, 2, 6])
NOISE = np.random.default_rng(5).normal(size=30)


def normal(n):
    """p(sigma | y) behaves as sigma^-(n - 1) far out."""
    mu, sigma = pm.Flat("mu"), pm.HalfFlat("sigma")
    pm.Normal("y", mu, sigma, observed=NOISE[:n])


def normal_of_flat_log_sigma(n):
    """In log sigma the tail is sigma^-(n - 1)."""
    mu, log_sigma = pm.Flat("mu"), pm.Flat("log_sigma")
    pm.Normal("y", mu, pm.math.exp(log_sigma), observed=NOISE[:n])


def regression(n):
    """Three coefficients: sigma^-(n - 3)."""
    design = np.column_stack([np.ones(n), NOISE[10 : 10 + n], NOISE[20 : 20 + n]])
    b, sigma = pm.Flat("b", shape=3), pm.HalfFlat("sigma")
    pm.Normal("y", pm.math.dot(design, b), sigma, observed=NOISE[:n])


def groups(count):
    """Group means with a flat tau: proper from three groups on (Gelman 2006, section 3.2)."""
    mu, tau = pm.Flat("mu"), pm.HalfFlat("tau")
    z = pm.Normal("z", 0, 1, shape=count)
    pm.Normal("y", mu + tau * z, 1.0, observed=3 * NOISE[:count])


def groups_of_flat_log_tau(count):
    """As log tau falls the likelihood goes to a positive limit: never proper (Gelman 2006, section 3.2)."""
    mu, log_tau = pm.Flat("mu"), pm.Flat("log_tau")
    z = pm.Normal("z", 0, 1, shape=count)
    pm.Normal("y", mu + pm.math.exp(log_tau) * z, 1.0, observed=3 * NOISE[:count])


def logistic(y):
    """Proper if and only if the maximum exists and the design has full rank (Chen and Shao 2000)."""
    a, b = pm.Flat("a"), pm.Flat("b")
    pm.Bernoulli("y", logit_p=a + b * X, observed=y)


def probit(y):
    """As the logistic one (Chen and Shao 2000)."""
    a, b = pm.Flat("a"), pm.Flat("b")
    pm.Bernoulli("y", p=pm.math.invprobit(a + b * X), observed=y)


def collinear():
    """One coefficient too many."""
    b = pm.Flat("b", shape=3)
    pm.Bernoulli("y", logit_p=pm.math.dot(np.column_stack([np.ones(6), X, 1 + X]), b), observed=OVERLAPPING)


def ridge():
    """Only the sum is in the likelihood."""
    a, b = pm.Flat("a"), pm.Flat("b")
    pm.Normal("y", a + b, 1.0, observed=NOISE)


def negative_binomial(prior):
    """As alpha grows the likelihood goes to Poisson's, which is positive.

    As it falls the likelihood is alpha^8 mu^-(10 alpha) (8 of the 10 counts are positive), and with a prior of the
    order alpha the integral over alpha is log(mu)^-10, which does not integrate: alpha has to be bounded below too.
    """
    mu = pm.HalfFlat("mu")
    alpha = {
        "flat": lambda: pm.HalfFlat("alpha"),
        "gamma": lambda: pm.Gamma("alpha", 2, 0.1),
        "bounded": lambda: pm.Uniform("alpha", 1, 50),
    }[prior]()
    pm.NegativeBinomial("y", mu=mu, alpha=alpha, observed=COUNTS)


def student(prior):
    """As nu grows the likelihood goes to the normal one (Fonseca, Ferreira and Migon 2008)."""
    mu, sigma = pm.Flat("mu"), pm.HalfFlat("sigma")
    nu = pm.HalfFlat("nu") if prior is None else pm.Gamma("nu", *prior)
    pm.StudentT("y", nu=nu, mu=mu, sigma=sigma, observed=NOISE)


def beta_binomial():
    """Flat in both shapes: the mass along a / b is infinite (Gelman et al. 2013, section 5.3)."""
    a, b = pm.HalfFlat("a"), pm.HalfFlat("b")
    pm.BetaBinomial("y", n=10, alpha=a, beta=b, observed=np.array([3, 5, 2, 8, 4, 6]))


def mixture():
    """A component may be empty, and its flat scale is then free (Diebolt and Robert 1994)."""
    w, mu = pm.Uniform("w", 0, 1), pm.Normal("mu", [-1, 1], 1, shape=2)
    sigma = pm.HalfFlat("sigma", shape=2)
    each = pm.logp(pm.Normal.dist(mu, sigma), np.concatenate([NOISE - 3, NOISE + 3])[:, None])
    pm.Potential("y", pm.math.logaddexp(pm.math.log(w) + each[:, 0], pm.math.log(1 - w) + each[:, 1]).sum())


def exponential_scale(n):
    """s^-n exp(-sum y / s) ds is finite from two observations on."""
    scale = pm.HalfFlat("scale")
    pm.Exponential("y", scale=scale, observed=np.abs(NOISE[:n]))


def no_events(prior):
    """No events: the likelihood of the logit rises to 1 as it falls; that of a uniform p is Beta(1, 21)."""
    p = pm.math.invlogit(pm.Flat("a")) if prior is None else pm.Uniform("p", 0, 1)
    pm.Binomial("y", n=20, p=p, observed=0)


def cauchy(n):
    """Location and scale flat: s^-2 ds of one observation integrated over the location, s^-n in all."""
    mu, scale = pm.Flat("mu"), pm.HalfFlat("scale")
    pm.Cauchy("y", mu, scale, observed=NOISE[:n])


def cauchy_location():
    """A density of one observation is one of the location."""
    pm.Cauchy("y", pm.Flat("mu"), 1.0, observed=[0.3])


def ordered_separated():
    """The categories are in the order of x: the likelihood goes to 1 as slope and cutpoints grow together."""
    cuts = pm.Flat("cuts", shape=2, transform=pm.distributions.transforms.ordered, initval=[-1.0, 1.0])
    pm.OrderedLogistic("y", eta=pm.Flat("b") * X, cutpoints=cuts, observed=[0, 0, 1, 1, 2, 2])


def two_decays():
    """A second decay that is quick enough leaves no trace, whatever its height."""
    heights, rates = pm.HalfFlat("a", shape=2), pm.HalfFlat("k", shape=2, initval=[0.5, 0.2])
    x = np.arange(1.0, 9.0)
    pm.Normal("y", (heights * pm.math.exp(-rates * x[:, None])).sum(axis=1), 0.2, observed=5 * np.exp(-0.3 * x))


def constant_response(prior):
    """sigma^-4 near 0, which no prior without a zero there makes integrable."""
    mu, sigma = pm.Flat("mu"), pm.HalfNormal("sigma", 1) if prior == "half-normal" else pm.InverseGamma("sigma", 9, 1)
    pm.Normal("y", mu, sigma, observed=np.ones(5))


def laplace():
    """Between the two middle observations the likelihood is flat, and it falls exponentially beyond."""
    pm.Laplace("y", pm.Flat("m"), 1.0, observed=[-1.0, 0.0, 1.0, 2.5])


IMPROPER = {
    "normal, n = 2": (normal, 2, "sigma"),
    "normal, flat log sigma, n = 1": (normal_of_flat_log_sigma, 1, "log_sigma"),
    "regression, n = p": (regression, 3, "b[0]"),
    "regression, n = p + 1": (regression, 4, "b[0]"),
    "flat tau, 2 groups": (groups, 2, "tau"),
    "flat log tau": (groups_of_flat_log_tau, 8, "log_tau"),
    "separated logit": (logistic, SEPARATED, "b"),
    "separated probit": (probit, SEPARATED, "a"),
    "collinear": (collinear, None, "b"),
    "ridge": (ridge, None, "a"),
    "negative binomial": (negative_binomial, "flat", "alpha"),
    "negative binomial, gamma prior": (negative_binomial, "gamma", "mu"),
    "student": (student, None, "nu"),
    "beta-binomial": (beta_binomial, None, "a"),
    "mixture": (mixture, None, "sigma"),
    "exponential scale, n = 1": (exponential_scale, 1, "scale"),
    "no events": (no_events, None, "a"),
    "cauchy, n = 2": (cauchy, 2, "scale"),
    "ordered, separated": (ordered_separated, None, "b"),
    "two decays": (two_decays, None, "k"),
    "constant response": (constant_response, "half-normal", "sigma"),
}
PROPER = {
    "normal, n = 3": (normal, 3),
    "normal, flat log sigma, n = 2": (normal_of_flat_log_sigma, 2),
    "regression, n = p + 2": (regression, 5),
    "flat tau, 3 groups": (groups, 3),
    "flat tau, 8 groups": (groups, 8),
    "overlapping logit": (logistic, OVERLAPPING),
    "overlapping probit": (probit, OVERLAPPING),
    "negative binomial, bounded alpha": (negative_binomial, "bounded"),
    "student, gamma prior": (student, (2, 0.1)),
    "exponential scale, n = 2": (exponential_scale, 2),
    "no events, uniform p": (no_events, 1),
    "cauchy, n = 3": (cauchy, 3),
    "cauchy location, n = 1": (cauchy_location, None),
    "constant response, sigma away from 0": (constant_response, "inverse gamma"),
    "laplace, flat between the medians": (laplace, None),
}


def build(declare, argument):
    with pm.Model() as model:
        declare(*([] if argument is None and declare.__code__.co_argcount == 0 else [argument]))
    return model


@pytest.mark.parametrize("case", IMPROPER)
def test_improper_posteriors_are_refused_by_name(case):
    declare, argument, named = IMPROPER[case]
    with pytest.raises(ModelError, match="the posterior is improper") as caught:
        ppl_mle.sample(build(declare, argument), random_seed=1, progressbar=False)
    assert named in str(caught.value)


@pytest.mark.parametrize("case", PROPER)
def test_proper_posteriors_are_not_refused(case):
    model = build(*PROPER[case])
    assert why_improper(model, find_mode(model)) == ""


def ordered(observed, slope=pm.Flat):
    cuts = pm.Flat("cuts", shape=2, transform=pm.distributions.transforms.ordered, initval=[-1.0, 1.0])
    pm.OrderedLogistic("y", eta=slope("b") * X, cutpoints=cuts, observed=observed)


def test_separation_of_ordered_categories_is_proved():
    # The categories are in the order of x, so with the slope the lower cutpoint goes down or stays and the gap grows.
    told = why_separated(build(ordered_separated, None))
    assert "falls nowhere" in told
    assert "b -> +inf" in told
    assert "b -> -inf" in why_separated(build(ordered, [2, 2, 1, 1, 0, 0]))


@pytest.mark.parametrize("slope", [pm.Flat, lambda name: pm.Normal(name, 0, 5)], ids=["flat", "normal"])
def test_nothing_is_proved_where_the_likelihood_falls_or_a_prior_does(slope):
    overlapping, apart = [0, 1, 0, 2, 1, 2], [0, 0, 1, 1, 2, 2]
    assert why_separated(build(lambda y: ordered(y, slope), overlapping)) == ""
    if slope is not pm.Flat:
        assert why_separated(build(lambda y: ordered(y, slope), apart)) == ""


def test_a_probability_on_its_edge_is_no_direction_of_infinite_mass():
    # No success in 6 with a flat prior on p: the likelihood rises to p = 0, and Beta(1, 7) is proper.
    assert why_separated(build(no_events, 1)) == ""


def shifted_exponential():
    """Rises with the shift up to the smallest observation, where it ends; with n = 4 it is proper."""
    rate, shift = pm.HalfFlat("rate"), pm.Flat("shift")
    y = np.array([1.3, 2.0, 2.2, 4.1])
    pm.Potential("y", pm.math.sum(pm.math.switch(y > shift, pm.math.log(rate) - rate * (y - shift), -np.inf)))


def test_a_rise_that_ends_at_the_support_proves_nothing():
    assert why_separated(build(shifted_exponential, None)) == ""


ANGLES = np.array([0.1, 0.3, -0.2, 0.15, 0.05])
TIMES = np.arange(1.0, 13.0)


def direction(prior):
    mu = pm.Flat("mu") if prior == "flat" else pm.Uniform("mu", -np.pi, np.pi)
    pm.VonMises("y", mu=mu, kappa=pm.Gamma("kappa", 2, 0.1), observed=ANGLES)


def phase(prior):
    shift = pm.Flat("phase") if prior == "flat" else pm.Normal("phase", 0, 10)
    mean = pm.HalfNormal("amplitude", 5) * pm.math.sin(0.9 * TIMES + shift)
    pm.Normal("y", mean, pm.HalfNormal("sigma", 1), observed=np.round(2 * np.sin(0.9 * TIMES + 0.4), 1))


def frequency(prior):
    w = pm.Flat("w") if prior == "flat" else pm.HalfNormal("w", 3)
    mean = pm.Normal("a", 0, 5) * pm.math.sin(w * TIMES) + pm.Normal("b", 0, 5) * pm.math.cos(w * TIMES)
    pm.Normal("y", mean, pm.HalfNormal("sigma", 1), observed=np.round(2 * np.sin(1.7 * TIMES), 1))


def wave_with_a_drift(prior):
    """The phase is a slope as well, so nothing repeats itself."""
    shift = pm.Flat("phase")
    pm.Normal("y", pm.math.sin(TIMES + shift) + 0.1 * shift, 1.0, observed=np.sin(TIMES))


@pytest.mark.parametrize(("declare", "label"), [(direction, "mu"), (phase, "phase"), (frequency, "w")])
def test_what_repeats_itself_under_a_flat_prior_is_refused(declare, label):
    with pytest.raises(ModelError, match=f"repeats itself without end along {label}, where the prior is flat"):
        ppl_mle.sample(build(declare, "flat"), random_seed=1, progressbar=False)
    assert why_periodic(build(declare, "bounded")) == ""


def test_what_repeats_itself_in_part_only_is_not_refused_as_such():
    assert why_periodic(build(wave_with_a_drift, "flat")) == ""


def test_a_covariance_without_rank_is_refused():
    # Columns that add up to 1: with the standard deviation s of their sum the density goes as s^-n.
    share = np.random.default_rng(4).normal(size=8)
    with pm.Model() as model:
        chol, _, _ = pm.LKJCholeskyCov("chol", n=2, eta=1, sd_dist=pm.HalfFlat.dist(), compute_corr=True)
        pm.MvNormal("y", pm.Flat("mu", shape=2), chol=chol, observed=np.column_stack([share, 1 - share]))
    mode = maximize(make_plan(read_posterior(model), ENGINES, {}), starts=1)
    assert "chol[2] -> 0" in why_improper(model, mode)
