"""What the checks cost a fit that is fine: the same fits with the looks beyond the answer left out.

Left out are the looks for what could be wrong with a fit that ended well: rows and chords along which the log-density
is convex (and the further starts they ask for), corners of mixtures, scales held far away. Diagnoses (linear program,
kinks, supports, ridges) run only where a fit did not end well. The last column leaves out the certificate too: PyMC's
own log-density, rounding, and the differences that the curvature is held against.

Every fit is warm (the model was fitted before), the two take turns, medians.

    python benchmarks/checks.py [--runs 30]
"""

import argparse
import contextlib
from collections.abc import Callable, Iterator
from functools import partial
from unittest.mock import patch

import numpy as np
import pymc as pm
from side_by_side import Answer, Tool, take_turns, verdict

import ppl_mle
from ppl_mle.maximize.evidence import Evidence

BAR = 1.3
RNG = np.random.default_rng(0)


def linear() -> pm.Model:
    """Tutorial's linear regression."""
    x = np.linspace(-10, 30, 100)
    y = 10 + 4 * x + RNG.normal(10, 5, 100)
    with pm.Model() as model:
        pm.Normal("y", pm.Flat("a") + pm.Flat("b") * x, pm.HalfFlat("sigma"), observed=y)
    return model


def regression(density: Callable[[object, np.ndarray], None], rows: int, columns: int) -> pm.Model:
    """A density of an affine predictor."""
    X = RNG.normal(size=(rows, columns))
    with pm.Model() as model:
        density(pm.Flat("a") + X @ pm.Flat("b", shape=columns), 0.3 * X.sum(axis=1) / np.sqrt(columns))
    return model


def bernoulli(eta: object, truth: np.ndarray) -> None:
    pm.Bernoulli("y", logit_p=eta, observed=RNG.binomial(1, 1 / (1 + np.exp(-truth))))


def poisson(eta: object, truth: np.ndarray) -> None:
    pm.Poisson("y", pm.math.exp(eta), observed=RNG.poisson(np.exp(truth)))


def negative_binomial(eta: object, truth: np.ndarray) -> None:
    y = RNG.negative_binomial(2.0, 2.0 / (2.0 + np.exp(truth)))
    pm.NegativeBinomial("y", mu=pm.math.exp(eta), alpha=pm.HalfFlat("alpha"), observed=y)


def censored_weibull(eta: object, truth: np.ndarray) -> None:
    t = np.exp(truth) * RNG.weibull(1.5, truth.size)
    waits = pm.Weibull.dist(pm.HalfFlat("shape"), pm.math.exp(eta))
    pm.Censored("y", waits, lower=None, upper=1.5, observed=np.minimum(t, 1.5))


MODELS: dict[str, Callable[[], pm.Model]] = {
    "linear 100 x 2": linear,
    "logistic 1000 x 10": lambda: regression(bernoulli, 1000, 10),
    "logistic 1e5 x 10": lambda: regression(bernoulli, 100_000, 10),
    "Poisson 1000 x 10": lambda: regression(poisson, 1000, 10),
    "negative binomial 1000 x 10": lambda: regression(negative_binomial, 1000, 10),
    "censored Weibull 1000 x 5": lambda: regression(censored_weibull, 1000, 5),
}


@contextlib.contextmanager
def without_looks() -> Iterator[None]:
    """One start, and nothing looked for beyond its answer."""
    room = "ppl_mle.maximize.run"
    with (
        patch(f"{room}.is_seen_convex", lambda *given: False),
        patch(f"{room}.propose_corners", lambda *given, **more: []),
        patch(f"{room}.propose_probes", lambda *given, **more: []),
    ):
        yield


@contextlib.contextmanager
def without_certificate() -> Iterator[None]:
    """The same, and every point is believed."""

    def believe(problem: object, local: object, search: object) -> Evidence:
        return Evidence(0.0, 0.0, 0.0, 0.0, search.value, 0.0, 0.0, 0.0, True, np.zeros(len(local.x)))

    with without_looks(), patch("ppl_mle.maximize.verdict.gather_evidence", believe):
        yield


def fit_in(context: Callable[[], contextlib.AbstractContextManager[None]], model: pm.Model) -> Answer:
    with context():
        fit = ppl_mle.find_MLE(model, progressbar=False)
    assert fit.converged, fit.message
    return Answer(fit.params.to_numpy(), fit.bse.to_numpy())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=30)
    asked = parser.parse_args()
    print("| model | all checks, ms | without the looks, ms | ratio | bar 1.3 | nor the certificate, ms | ratio |")
    print("|" + "---|" * 7)
    for name, build in MODELS.items():
        model = build()
        contexts = {"all": contextlib.nullcontext, "looks": without_looks, "bare": without_certificate}
        tools = [Tool(key, partial(fit_in, context), partial(lambda m: m, model)) for key, context in contexts.items()]
        fit_in(contextlib.nullcontext, model)
        timed = take_turns(tools, asked.runs)
        whole, looks, bare = (1e3 * timed[key].median for key in contexts)
        cells = [f"{whole:.2f}", f"{looks:.2f}", f"{whole / looks:.2f}", verdict(whole <= BAR * looks)]
        print(f"| {name} | " + " | ".join([*cells, f"{bare:.2f}", f"{whole / bare:.2f}"]) + " |", flush=True)


if __name__ == "__main__":
    main()
