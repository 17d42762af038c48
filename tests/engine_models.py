"""The models that every engine is held to: one constructor and one line each."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pymc.distributions.transforms import ordered

from ppl_mle import find_MAP, find_MLE

N = 48
RNG = np.random.default_rng(3)
X = RNG.normal(size=(N, 2))
ETA = 0.3 + X @ [0.7, -0.4]
Y = ETA + 0.8 * RNG.normal(size=N)
SDS = RNG.uniform(0.5, 1.5, size=N)
HITS = (Y > 0.2).astype(int)
TRIALS = RNG.integers(3, 9, size=N)
SUCCESSES = RNG.binomial(TRIALS, 1 / (1 + np.exp(-ETA)))
COUNTS = RNG.poisson(np.exp(ETA) * RNG.gamma(2, 0.5, size=N))
WAITS = np.exp(ETA) * RNG.gamma(2, 0.5, size=N)
DOSE = np.linspace(0.1, 4, N)
RATES = 3 * DOSE / (0.8 + DOSE) + 0.1 * RNG.normal(size=N)
GRADES = np.digitize(Y, [-0.5, 0.3, 1.2])
KINDS = np.digitize(ETA + RNG.logistic(size=N), [-0.3, 0.8])
GROUPS = np.arange(N) % 6
GROUPED = Y + np.array([-1.0, -0.4, 0.1, 0.3, 0.9, 1.4])[GROUPS]
LUMPS = np.r_[RNG.normal(-2, 0.7, N // 3), RNG.normal(1.5, 0.7, N - N // 3)]
DISTANCES = np.abs(np.subtract.outer(DOSE[:20], DOSE[:20]))


def affine():
    return pm.Flat("a") + X @ pm.Flat("b", shape=2)


def spread():
    return pm.HalfFlat("sigma")


def linear():
    pm.Normal("y", affine(), spread(), observed=Y)


def known_sds():
    pm.Normal("y", affine(), SDS, observed=Y)


def michaelis_menten():
    pm.Normal("y", pm.HalfFlat("top") * DOSE / (pm.HalfFlat("half") + DOSE), spread(), observed=RATES)


def growth():
    pm.Normal("y", pm.Flat("top") * (1 - pm.math.exp(-pm.HalfFlat("rate") * DOSE)), spread(), observed=RATES)


def location_scale():
    pm.Normal("y", affine(), pm.math.exp(pm.Flat("c") + pm.Flat("d") * X[:, 0]), observed=Y)


def logistic():
    pm.Bernoulli("y", logit_p=affine(), observed=HITS)


def probit():
    pm.Bernoulli("y", pm.math.invprobit(affine()), observed=HITS)


def cloglog():
    pm.Bernoulli("y", 1 - pm.math.exp(-pm.math.exp(affine())), observed=HITS)


def binomial():
    pm.Binomial("y", TRIALS, logit_p=affine(), observed=SUCCESSES)


def poisson_with_offset():
    pm.Poisson("y", pm.math.exp(affine() + np.log(TRIALS)), observed=COUNTS)


def negative_binomial():
    pm.NegativeBinomial("y", mu=pm.math.exp(affine()), alpha=pm.HalfFlat("alpha"), observed=COUNTS)


def zero_inflated():
    pm.ZeroInflatedPoisson("y", psi=pm.Uniform("psi"), mu=pm.math.exp(affine()), observed=COUNTS)


def gamma():
    alpha = pm.HalfFlat("alpha")
    pm.Gamma("y", alpha=alpha, beta=alpha / pm.math.exp(affine()), observed=WAITS)


def weibull():
    pm.Weibull("y", pm.HalfFlat("alpha"), pm.math.exp(affine()), observed=WAITS)


def beta():
    pm.Beta("y", mu=pm.math.invlogit(affine()), nu=pm.HalfFlat("nu"), observed=1 / (1 + np.exp(-Y)))


def ordered_logistic():
    cuts = pm.Flat("cuts", shape=3, default_transform=ordered, initval=[-1.0, 0.0, 1.0])
    pm.OrderedLogistic("y", eta=X @ pm.Flat("b", shape=2), cutpoints=cuts, compute_p=False, observed=GRADES)


def multinomial_logit():
    scores = pt.concatenate([np.zeros((N, 1)), pm.Flat("a", shape=2) + X @ pm.Flat("b", shape=(2, 2))], axis=1)
    pm.Categorical("y", p=pm.math.softmax(scores, axis=-1), observed=KINDS)


def mixture():
    means = pm.Flat("m", shape=2, initval=[-2.0, 2.0])
    pm.NormalMixture("y", w=[0.3, 0.7], mu=means, sigma=spread(), observed=LUMPS)


def censored():
    pm.Censored("y", pm.Normal.dist(affine(), spread()), lower=None, upper=1.0, observed=np.minimum(Y, 1.0))


def truncated():
    pm.TruncatedNormal("y", mu=affine(), sigma=spread(), lower=-2.0, observed=np.maximum(Y, -1.9))


def student_t():
    pm.StudentT("y", nu=pm.HalfFlat("nu", initval=5), mu=affine(), sigma=spread(), observed=Y)


def hierarchical():
    u = pm.Normal("u", pm.Normal("m", 0, 2), pm.InverseGamma("tau", 3, 2), shape=6)
    pm.Normal("y", u[GROUPS] + X @ pm.Normal("b", 0, 1, shape=2), pm.HalfNormal("sigma", 2), observed=GROUPED)


def latent():
    u = pm.Normal("u", pm.Flat("m"), 0.5, shape=6)
    pm.Poisson("y", pm.math.exp(u[GROUPS] + pm.Flat("b") * X[:, 0]), observed=COUNTS)


def non_centered():
    u = pm.HalfNormal("tau", 1) * pm.Normal("z", 0, 1, shape=6)
    pm.Poisson("y", pm.math.exp(pm.Normal("m", 0, 2) + u[GROUPS]), observed=COUNTS)


def potentials():
    pm.Potential("fit", -pt.sqrt(1 + (Y - affine()) ** 2).sum())
    pm.Potential("held", -0.5 * (pm.Flat("c") - 1) ** 2)


def coin():
    pm.Bernoulli("y", pm.Uniform("p"), observed=HITS)


def rate():
    pm.Poisson("y", pm.HalfFlat("rate"), observed=COUNTS)


def waits():
    pm.Exponential("y", scale=pm.math.exp(pm.Flat("a")), observed=WAITS)


def multivariate():
    cov = pm.HalfFlat("s") ** 2 * np.exp(-DISTANCES)
    pm.MvNormal("y", pm.Flat("m") + X[:20] @ pm.Flat("b", shape=2), cov, observed=Y[:20])


def several_terms():
    a, b = pm.Flat("a"), pm.Flat("b", shape=2)
    pm.Poisson("counts", pm.math.exp(a + X @ b), observed=COUNTS)
    pm.Normal("y", a + X[:, 0] * pm.Flat("c"), 1.0, observed=Y)
    pm.MvNormal("pairs", pt.stack([a, b[0]]), np.eye(2) + 0.5, observed=np.column_stack([Y, GROUPED])[:9])


@dataclass(frozen=True)
class Case:
    declare: Callable[[], None]
    engine: str = "predictor Newton"
    find: Callable = find_MLE
    latents: tuple = ()

    @property
    def estimator(self):
        return "MAP" if self.find is find_MAP else "MLE"


CASES = (
    Case(linear, "least squares"),
    Case(known_sds, "least squares"),
    Case(michaelis_menten, "Gauss-Newton"),
    Case(growth, "Gauss-Newton"),
    *map(Case, (location_scale, logistic, probit, cloglog, binomial, poisson_with_offset, negative_binomial)),
    *map(Case, (zero_inflated, gamma, weibull, beta, ordered_logistic, multinomial_logit, mixture)),
    *map(Case, (censored, truncated, student_t, potentials, several_terms)),
    Case(hierarchical, find=find_MAP),
    Case(non_centered, find=find_MAP),
    Case(latent, latents=("u",)),
    Case(coin, "closed form"),
    Case(rate, "closed form"),
    Case(waits, "closed form"),
    Case(multivariate, "Newton"),
)
CATALOGUE = {case.declare.__name__: case for case in CASES}
