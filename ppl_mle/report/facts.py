"""What a fit says about itself in words: verdict, header, statistics, health, and how its intervals were made."""

import math

from ppl_mle.errors import RequestError
from ppl_mle.inference import OBSERVED, Results
from ppl_mle.maximize import Certificate, Status
from ppl_mle.report.rounding import show_estimate, show_number

_SHOWN = 4

Row = tuple[str, str]


def verdict(results: Results) -> str:
    """Name of the status and its sentence."""
    return f"{results.status.name}: {results.sentence}"


def is_clean(results: Results) -> bool:
    """Whether nothing has to be said before the numbers."""
    return results.status is Status.CONVERGED


def header(results: Results) -> str:
    """One line: estimator, status, number of observations, free dimensions, log-likelihood, AIC of a maximum."""
    parts = [f"{results.estimator}, {results.status.name}", f"n = {show_count(results.nobs)}"]
    parts += [f"df = {results.df_model}", f"llf = {show_density(results.llf)}"]
    if results.likelihood_only and results.converged:
        parts.append(f"AIC = {show_density(results.aic)}")
    return ", ".join(parts)


def statistics(results: Results) -> tuple[Row, ...]:
    """Fit statistics by name; a criterion that is not defined says why."""
    rows = [
        ("Estimator", {"MLE": "maximum likelihood", "MAP": "maximum a posteriori"}[results.estimator]),
        ("Observations (n)", show_count(results.nobs)),
        ("Free dimensions (df)", str(results.df_model)),
        ("Log-likelihood (llf)", show_density(results.llf)),
        ("Maximized log-density (lpf)", show_density(results.lpf)),
    ]
    return tuple(rows) + tuple(_criterion(results, name) for name in ("AIC", "AICc", "BIC"))


def health(results: Results) -> tuple[Row, ...]:
    """Name the figures that the status rests on, in words."""
    proof = results.certificate
    exact = "exact" if proof.hessian == "exact" else "differences of exact gradients"
    rows = [
        ("Distance to the maximum (EDM)", f"{_short(proof.edm)} (rounding explains {_short(proof.edm_rounding)})"),
        (
            "PyMC's own log-density",
            f"differs by {_short(proof.original_value_difference)}; its EDM {_short(proof.original_edm)}"
            + " (a bound from differences: its gradient does not exist)" * (proof.original_gradient == "differences"),
        ),
        (
            "Smallest scaled eigenvalue",
            f"{_short(proof.smallest_eigenvalue)} (condition number {_short(proof.condition)}{_behind(proof)})",
        ),
        ("Second derivatives", f"{exact}, relative error {_short(proof.hessian_error)}"),
    ]
    rows += [
        (f"Edge: {edge.label}", f"{show_number(edge.value)}, score {_short(edge.score)}") for edge in proof.boundary
    ]
    effort = f"{results.engine}: {proof.iterations} iterations from {proof.starts} start{'s' * (proof.starts != 1)}"
    rows.append(("Starts and maxima", _maxima(proof)))
    return (*rows, ("Engine", f"{effort}, {proof.evaluations} evaluations, {results.seconds:.2g} s"))


def health_line(results: Results) -> str:
    """The health figures in one line."""
    proof = results.certificate
    several = f"; {_maxima(proof)}" if proof.starts > 1 else ""
    edges = "".join(f"; {e.label} = {show_number(e.value)}, score {_short(e.score)}" for e in proof.boundary)
    return (
        f"EDM {_short(proof.edm)}; PyMC's own log-density differs by {_short(proof.original_value_difference)}, "
        f"EDM {_short(proof.original_edm)}; smallest scaled eigenvalue {_short(proof.smallest_eigenvalue)}, "
        f"condition number {_short(proof.condition)}{_behind(proof)}{edges}{several}"
    )


def _behind(proof: Certificate) -> str:
    """The parameters that nearly cancel, where the smallest eigenvalue is small."""
    more = f" and {len(proof.weakest) - _SHOWN} more" if len(proof.weakest) > _SHOWN else ""
    return f", behind it {', '.join(proof.weakest[:_SHOWN])}{more}" if proof.weakest else ""


def _maxima(proof: Certificate) -> str:
    starts = f"{proof.starts} start{'s' * (proof.starts != 1)}"
    if not proof.maxima:
        return f"{starts}, no maximum certified"
    heights = ", ".join(show_density(value) for value in proof.maxima[:_SHOWN]) + ", ..." * (len(proof.maxima) > _SHOWN)
    distinct = f"{len(proof.maxima)} distinct maxim{'a' if len(proof.maxima) > 1 else 'um'}"
    return f"{starts}, {proof.agreeing} of which reached this maximum; {distinct} (log-density {heights})"


INTERVALS = {
    "wald": "Wald on the unconstrained scale",
    "profile": "profile likelihood ratio",
    "score": "score test",
    "bootstrap-percentile": "bootstrap percentiles",
    "bootstrap-bca": "bootstrap, bias-corrected and accelerated",
    "bootstrap-t": "bootstrap t",
}


def method_note(results: Results, ci_prob: float, method: str = "wald") -> str:
    """Name the methods behind standard errors, intervals and p-values."""
    return (
        f"SE: {covariance_note(results)}; interval: {show_number(100 * ci_prob)} % {INTERVALS[method]}; "
        "p: Wald, the element is zero"
    )


def covariance_note(results: Results) -> str:
    """Name the kind of covariance, and for the observed information where its second derivatives come from."""
    exact = "exact second derivatives" if results.certificate.hessian == "exact" else "differences of exact gradients"
    own = f" ({exact})" if results.covariance_kind == OBSERVED else ""
    return f"{results.covariance_kind}{own}"


def notes(results: Results) -> tuple[str, ...]:
    """Sentences on what is fixed, latent or missing, and the findings."""
    said = []
    if results.fixed:
        said.append(f"Fixed, not estimated: {', '.join(results.fixed)}.")
    if results.latents:
        said.append(f"Latent, maximized jointly and not integrated out: {', '.join(results.latents)}.")
    said += [
        f"{count} row{'s' * (count != 1)} of {name} left out: the response is missing."
        for name, count in results.missing.items()
        if count
    ]
    return (*said, *results.findings)


def show_count(n: float) -> str:
    """Show a number of observations; weighted ones need not be whole."""
    return "not defined" if math.isnan(n) else show_number(n, 12)


def show_density(value: float) -> str:
    """Show a log-density, or what is made of it, to 3 decimals: differences of 0.1 matter at any size."""
    return show_estimate(value, 0.1) if math.isfinite(value) else show_number(value)


def _criterion(results: Results, name: str) -> Row:
    try:
        value = getattr(results, name.lower())
    except RequestError as exc:
        return name, f"not defined: {exc}"
    if math.isnan(value):
        return name, "not defined: the number of observations is unknown; give nobs"
    return name, show_density(value)


def _short(value: float) -> str:
    return show_number(value, 2)
