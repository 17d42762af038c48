"""Every engine on every model that it says it can do: the answer is a maximum of PyMC's own log-density, to rounding.

The oracle is `OriginalDensity`: the model's log-density as PyMC declares it, differentiated by PyTensor, independent
of the predictor form. To add an engine put it in `ENGINES`; to add a model write its constructor and its line below.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest
from pymc.distributions.transforms import ordered

from ppl_mle import explain, find_MAP, find_MLE
from ppl_mle.maximize import ENGINES, Newton
from ppl_mle.plan import Verdict
from tests.original_density import OriginalDensity

pytestmark = pytest.mark.filterwarnings("error::ppl_mle.errors.FitWarning")

RNG = np.random.default_rng(3)
N = 48
X = RNG.normal(size=(N, 2))
ETA = 0.3 + X @ [0.7, -0.4]
Y = ETA + 0.8 * RNG.normal(size=N)
SDS = RNG.uniform(0.5, 1.5, size=N)
HITS = (Y > 0.2).astype(int)
TRIALS = RNG.integers(3, 9, size=N)
SUCCESSES = RNG.binomial(TRIALS, 1 / (1 + np.exp(-ETA)))
COUNTS = RNG.poisson(np.exp(ETA) * RNG.gamma(2, 0.5, size=N))
WAITS = np.exp(ETA) * RNG.gamma(2.0, 0.5, size=N)
DOSE = np.linspace(0.1, 4, N)
RATES = 3 * DOSE / (0.8 + DOSE) + 0.1 * RNG.normal(size=N)
GRADES = np.digitize(Y, [-0.5, 0.3, 1.2])
KINDS = np.digitize(ETA + RNG.logistic(size=N), [-0.3, 0.8])
SHARES = 1 / (1 + np.exp(-Y))
GROUPS = np.arange(N) % 6
GROUPED = Y + np.array([-1.0, -0.4, 0.1, 0.3, 0.9, 1.4])[GROUPS]
LUMPS = np.r_[RNG.normal(-2, 0.7, N // 3), RNG.normal(1.5, 0.7, N - N // 3)]
PAIRS = RNG.normal(size=(N, 2)) @ [[1.0, 0.5], [0.0, 0.8]]


def affine():
    return pm.Flat("a") + X @ pm.Flat("b", shape=2)


def location_scale():
    pm.Normal("y", affine(), pm.math.exp(pm.Flat("c") + pm.Flat("d") * X[:, 0]), observed=Y)


def ordered_logistic():
    cuts = pm.Flat("cuts", shape=3, default_transform=ordered, initval=[-1.0, 0.0, 1.0])
    pm.OrderedLogistic("y", eta=X @ pm.Flat("b", shape=2), cutpoints=cuts, compute_p=False, observed=GRADES)


def multinomial_logit():
    scores = pt.concatenate([np.zeros((N, 1)), pm.Flat("a", shape=2) + X @ pm.Flat("b", shape=(2, 2))], axis=1)
    pm.Categorical("y", p=pm.math.softmax(scores, axis=-1), observed=KINDS)


def censored():
    normal = pm.Normal.dist(affine(), pm.HalfFlat("sigma"))
    pm.Censored("y", normal, lower=None, upper=1.0, observed=np.minimum(Y, 1.0))


def truncated():
    pm.TruncatedNormal("y", mu=affine(), sigma=pm.HalfFlat("sigma"), lower=-2.0, observed=np.maximum(Y, -1.9))


def beta_regression():
    pm.Beta("y", mu=pm.math.invlogit(affine()), nu=pm.HalfFlat("nu"), observed=SHARES)


def mixture():
    means = pm.Flat("m", shape=2, initval=[-2.0, 2.0])
    pm.NormalMixture("y", w=[0.3, 0.7], mu=means, sigma=pm.HalfFlat("sigma"), observed=LUMPS)


def hierarchical():
    u = pm.Normal("u", pm.Normal("m", 0, 2), pm.InverseGamma("tau", 3, 2), shape=6)
    pm.Normal("y", u[GROUPS] + X @ pm.Normal("b", 0, 1, shape=2), pm.HalfNormal("sigma", 2), observed=GROUPED)


def non_centered():
    u = pm.HalfNormal("tau", 1) * pm.Normal("z", 0, 1, shape=6)
    pm.Poisson("y", pm.math.exp(pm.Normal("m", 0, 2) + u[GROUPS]), observed=COUNTS)


def potential():
    pm.Potential("y", -pt.sqrt(1 + (Y - affine()) ** 2).sum())
    pm.Potential("ridge", -0.5 * (pm.Flat("c") - 1) ** 2)


def multivariate():
    cov = pm.HalfFlat("s") ** 2 * np.array([[1.0, 0.5], [0.5, 1.0]])
    pm.MvNormal("y", pm.Flat("m", shape=2), cov, observed=PAIRS)


@dataclass(frozen=True)
class Case:
    declare: object
    engine: str
    find: object = find_MLE
    latents: tuple = ()


def case(declare, engine="predictor Newton", **options):
    return Case(declare, engine, **options)


CATALOGUE = {
    "linear": case(lambda: pm.Normal("y", affine(), pm.HalfFlat("s"), observed=Y), "least squares"),
    "known sds": case(lambda: pm.Normal("y", affine(), SDS, observed=Y), "least squares"),
    "Michaelis-Menten": case(
        lambda: pm.Normal("y", pm.HalfFlat("v") * DOSE / (pm.HalfFlat("k") + DOSE), pm.HalfFlat("s"), observed=RATES),
        "Gauss-Newton",
    ),
    "growth": case(
        lambda: pm.Normal(
            "y", pm.Flat("top") * (1 - pm.math.exp(-pm.HalfFlat("r") * DOSE)), pm.HalfFlat("s"), observed=RATES
        ),
        "Gauss-Newton",
    ),
    "location-scale": case(location_scale),
    "logistic": case(lambda: pm.Bernoulli("y", logit_p=affine(), observed=HITS)),
    "probit": case(lambda: pm.Bernoulli("y", pm.math.invprobit(affine()), observed=HITS)),
    "cloglog": case(lambda: pm.Bernoulli("y", 1 - pm.math.exp(-pm.math.exp(affine())), observed=HITS)),
    "binomial": case(lambda: pm.Binomial("y", TRIALS, logit_p=affine(), observed=SUCCESSES)),
    "Poisson with offset": case(
        lambda: pm.Poisson("y", pm.math.exp(affine() + np.log(TRIALS)), observed=COUNTS)
    ),
    "negative binomial": case(
        lambda: pm.NegativeBinomial("y", mu=pm.math.exp(affine()), alpha=pm.HalfFlat("alpha"), observed=COUNTS)
    ),
    "zero-inflated": case(
        lambda: pm.ZeroInflatedPoisson("y", psi=pm.Uniform("psi"), mu=pm.math.exp(affine()), observed=COUNTS)
    ),
    "gamma": case(lambda: gamma()),
    "Weibull": case(lambda: pm.Weibull("y", pm.HalfFlat("alpha"), pm.math.exp(affine()), observed=WAITS)),
    "beta regression": case(beta_regression),
    "ordered logistic": case(ordered_logistic),
    "multinomial logit": case(multinomial_logit),
    "mixture": case(mixture),
    "censored": case(censored),
    "truncated": case(truncated),
    "Student-t": case(
        lambda: pm.StudentT("y", nu=pm.HalfFlat("nu", initval=5), mu=affine(), sigma=pm.HalfFlat("s"), observed=Y)
    ),
    "hierarchical": case(hierarchical, find=find_MAP),
    "non-centered": case(non_centered, find=find_MAP),
    "latent": case(non_centered, latents=("z",)),
    "potential": case(potential),
    "coin": case(lambda: pm.Bernoulli("y", pm.Uniform("p"), observed=HITS), "closed form"),
    "rate": case(lambda: pm.Poisson("y", pm.HalfFlat("rate"), observed=COUNTS), "closed form"),
    "waits": case(lambda: pm.Exponential("y", scale=pm.math.exp(pm.Flat("a")), observed=WAITS), "closed form"),
    "multivariate": case(multivariate, "Newton"),
}


def gamma():
    mean, shape = pm.math.exp(affine()), pm.HalfFlat("alpha")
    pm.Gamma("y", alpha=shape, beta=shape / mean, observed=WAITS)
