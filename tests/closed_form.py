"""Records with closed-form numbers: two group means and a common sigma.

y = 1, 2, 3, 4, 5 in group x and 2, 4, 6, 8, 10 in group y, normal with one sigma. By hand: means 3 and 6, residual sum
of squares 50, n = 10, so sigma^2 = 5; the standard errors are sqrt(5 / 5) = 1 for the means, 1 / sqrt(2 n) for
log sigma and sqrt(5) / sqrt(20) = 0.5 for sigma; the log-likelihood is -5 (log(10 pi) + 1).
"""

from dataclasses import replace

import arviz_base
import numpy as np

from ppl_mle.inference import Estimates, Results
from ppl_mle.maximize import Certificate, Status
from ppl_mle.read import Scale, Variable

ESTIMATES = np.array([3.0, 6.0, np.sqrt(5.0)])
STANDARD_ERRORS = np.array([1.0, 1.0, 0.5])
LLF = -5 * (np.log(10 * np.pi) + 1)
BAD_SENTENCE = "There is no finite maximum: the likelihood keeps rising as m[x] goes to infinity."


def make_results(name="m", groups=("x", "y"), **changes):
    """Return a certified fit, with some fields changed."""
    variables = _variables(name, groups)
    estimates = Estimates(
        tuple(label for var in variables for label in var.labels),
        ESTIMATES,
        np.diag(STANDARD_ERRORS**2),
        tuple(scale for var in variables for scale in var.scales),
    )
    results = Results(
        estimator="MLE",
        estimates=estimates,
        variables=variables,
        coords={"g": np.array(groups)},
        theta=np.array([3.0, 6.0, np.log(5.0) / 2]),
        theta_covariance=np.diag([1.0, 1.0, 1 / 20]),
        free_labels=tuple(label for var in variables for label in var.free_labels),
        gradient=np.array([1e-12, 0.0, -1e-12]),
        status=Status.CONVERGED,
        sentence=Status.CONVERGED.sentence(),
        findings=("A finding about <m>.",),
        certificate=Certificate(1e-24, 1e-30, 2e-15, 3e-24, 0.75, 1.5, "exact", 1e-9, iterations=7, evaluations=9),
        llf=LLF,
        lpf=LLF,
        nobs=10.0,
        df_model=3,
        likelihood_only=True,
        latents=(),
        fixed=(),
        missing={"y": 2},
        engine="newton",
        plan="newton: takes it",
        model_hash="m1",
        data_hash="d1",
        seconds=0.012,
    )
    return replace(results, **changes)


def make_bad_results(**changes):
    """Return a fit whose first mean runs to infinity."""
    covariance = np.diag(STANDARD_ERRORS**2)
    covariance[0, :] = covariance[:, 0] = np.nan
    estimates = replace(make_results().estimates, values=np.array([np.inf, 6.0, np.sqrt(5.0)]), covariance=covariance)
    return make_results(estimates=estimates, status=Status.INFINITE, sentence=BAD_SENTENCE, **changes)


def make_posterior(mean=ESTIMATES, sd=STANDARD_ERRORS, chains=4, draws=500, groups=("x", "y"), name="m", diverged=0):
    """Return independent normal draws, standardized so that their moments are exactly those asked for."""
    z = np.random.default_rng(1).standard_normal((chains * draws, 3))
    if len(z) > 3:
        z = (z - z.mean(axis=0)) / z.std(axis=0, ddof=1)
    values = (np.asarray(mean) + z * np.asarray(sd)).reshape(chains, draws, 3)
    diverging = np.zeros((chains, draws), bool)
    diverging[0, :diverged] = True
    return arviz_base.from_dict(
        {
            "posterior": {name: values[..., :2], "sigma": values[..., 2]},
            "sample_stats": {"diverging": diverging},
        },
        coords={"g": list(groups)},
        dims={name: ["g"]},
    )


def _variables(name, groups):
    labels = tuple(f"{name}[{g}]" for g in groups)
    size = len(groups)
    whole, last = slice(0, size), slice(size, size + 1)
    means = Variable(
        name, "parameter", (size,), ("g",), labels, labels, (Scale(),) * size, whole, whole, None, elementwise=True
    )
    half_line = (Scale("log", 0.0, np.inf),)
    sigma = Variable(
        "sigma", "parameter", (), (), ("sigma",), ("sigma_log__",), half_line, last, last, "log", elementwise=True
    )
    return means, sigma
