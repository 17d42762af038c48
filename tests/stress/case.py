"""One hard model with the answer that is known without us."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pymc as pm


@dataclass(frozen=True)
class Truth:
    """What is right about a model, on the declared scale.

    Parameters
    ----------
    values : dict of str to float
        Estimates by label or Deterministic; infinite for what runs away to a limit, NaN where there is none.
    errors : dict of str to float
        Standard errors, NaN where none exists.
    llf : float or None
        The maximized log-density or its supremum.
    """

    values: Mapping[str, float] = field(default_factory=dict)
    errors: Mapping[str, float] = field(default_factory=dict)
    llf: float | None = None


def one_truth(**values: float) -> tuple[Truth, ...]:
    """Return the truth that these estimates are, and nothing more."""
    return (Truth(values),)


@dataclass(frozen=True)
class Ending:
    """How a fit ended, in plain numbers and words.

    Parameters
    ----------
    status, message : str
    findings : sequence of str
    value : callable
        Estimate and standard error of a label or Deterministic.
    lpf : float
        The maximized log-density.
    """

    status: str
    message: str
    findings: Sequence[str]
    value: Callable[[str], tuple[float, float]]
    lpf: float


@dataclass(frozen=True)
class Case:
    """One entry of the catalogue.

    Parameters
    ----------
    name : str
    declare : callable
        Declares the model in the context it is called in.
    status : str
        The right statuses, the best first, with `|` between them.
    source : str
        Where the truth comes from, in one sentence.
    truths : callable
        Returns the right answers: one, or one of each maximum that may be found.
    estimator : {"MLE", "MAP"}
    named : tuple of str
        Labels that the verdict must name.
    beside : {"", "several", "unbounded"}
        What a finding beside a certified maximum must say: other maxima, a corner without bound; else none may.
    tol : float
        Largest error of an estimate over max(|estimate|, standard error).
    slow : bool
        The fit takes more than five seconds today: the benchmark has it, the tests leave it out.
    defect : str
        Why ppl_mle fails it today.
    """

    name: str
    declare: Callable[[], None]
    status: str
    source: str
    truths: Callable[[], tuple[Truth, ...]] = tuple
    estimator: Literal["MLE", "MAP"] = "MLE"
    named: tuple[str, ...] = ()
    beside: Literal["", "several", "unbounded"] = ""
    tol: float = 1e-7
    slow: bool = False
    defect: str = ""

    def build(self) -> pm.Model:
        """Return the model, a new object in each call."""
        with pm.Model() as model:
            self.declare()
        return model

    @property
    def statuses(self) -> tuple[str, ...]:
        """The right statuses, the best first."""
        return tuple(self.status.split("|"))

    def faults(self, fit: Ending) -> list[str]:
        """Say what is wrong with a fit, in words; nothing when it is right."""
        faults = [] if fit.status in self.statuses else [f"{fit.status} instead of {self.status}"]
        faults += [f"{label} is not named" for label in self.named if label not in fit.message]
        if fit.status == "CONVERGED":
            faults += self._false_findings(fit.findings)
        if fit.status == "NOT_CONVERGED":
            return faults
        apart = [_apart(truth, fit, self.tol) for truth in self.truths()]
        return faults + min(apart, key=len, default=[])

    def _false_findings(self, findings: Sequence[str]) -> list[str]:
        text = " ".join(findings)
        words = {"several": "several maxima", "unbounded": "without bound"}
        missing = [f"no finding says: {words[self.beside]}"] if self.beside and words[self.beside] not in text else []
        alarm = ["false alarm: density without bound"] if "without bound" in text and self.beside != "unbounded" else []
        return missing + alarm


def _apart(truth: Truth, fit: Ending, tol: float) -> list[str]:
    """Say what differs from one right answer."""
    faults = []
    for label, wanted in truth.values.items():
        got, error = fit.value(label)
        scale = max(abs(wanted), truth.errors.get(label, 0.0), error if np.isfinite(error) else 0.0)
        if not same(got, wanted, tol * scale):
            faults.append(f"{label} = {got:.10g} instead of {wanted:.10g}")
    for label, wanted in truth.errors.items():
        error = fit.value(label)[1]
        if not same(error, wanted, max(1e-6, 100 * tol) * abs(wanted)):
            faults.append(f"standard error of {label} = {error:.9g} instead of {wanted:.9g}")
    if truth.llf is not None and not same(fit.lpf, truth.llf, max(1e-7, tol) * max(1.0, abs(truth.llf))):
        faults.append(f"log-density {fit.lpf:.12g} instead of {truth.llf:.12g}")
    return faults


def same(got: float, wanted: float, apart: float) -> bool:
    """Whether two numbers agree; NaN and infinities agree with themselves only."""
    if not np.isfinite(wanted):
        return bool(got == wanted or (np.isnan(got) and np.isnan(wanted)))
    return bool(abs(got - wanted) <= max(apart, 1e-300))
