"""A plan: the verdict of every engine on a likelihood, in the order of preference."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ppl_mle.errors import ModelError
from ppl_mle.read import WORTH_COMPILING, Likelihood


@dataclass(frozen=True)
class Verdict:
    """Whether an engine can maximize a likelihood, and the reason."""

    engine: str
    suits: bool
    reason: str


class Candidate(Protocol):
    """What planning asks of an engine."""

    @property
    def name(self) -> str:
        """Name shown to the user."""
        ...

    def judge(self, likelihood: Likelihood, dimensions: int) -> Verdict:
        """Say whether the engine suits a likelihood with so many free dimensions, and why."""
        ...


@dataclass(frozen=True)
class Plan:
    """What runs on a likelihood.

    Parameters
    ----------
    likelihood : Likelihood
    engine : str
        The first engine, in the order of preference, whose verdict is positive.
    verdicts : tuple of Verdict
    held : dict of int to float
        Unconstrained coordinates that are not moved.
    """

    likelihood: Likelihood = field(repr=False)
    engine: str
    verdicts: tuple[Verdict, ...]
    held: Mapping[int, float] = field(default_factory=dict)

    @property
    def dimensions(self) -> int:
        """Number of free dimensions."""
        return self.likelihood.size - len(self.held)

    def __str__(self) -> str:
        read = self.likelihood
        lines = [f"{read.estimator} of {self.dimensions} free dimensions"]
        lines += [
            f"  {var.role} {var.name}: shape {var.shape}, transform {var.transform or 'none'}" for var in read.variables
        ]
        lines += [f"  term {term.name}: {term.kind}, {term.rows:g} rows" for term in read.terms]
        lines += [f"  left out: {count} rows of {name} without a response" for name, count in read.missing.items()]
        lines += [
            f"  engine {v.engine}: {'runs' if v.engine == self.engine else 'suits' if v.suits else 'no'}, {v.reason}"
            for v in self.verdicts
        ]
        lines += [f"  functions: {self._functions()}; second derivatives {self._second_derivatives()}"]
        return "\n".join(lines + [f"  note: {finding}" for finding in read.findings])

    def _functions(self) -> str:
        if self.likelihood.objective.compiled:
            return "compiled by Numba, because interpreting them is slow"
        return f"interpreted, no compiler unless the calls of one add up to more than {WORTH_COMPILING:g} s"

    def _second_derivatives(self) -> str:
        if self.likelihood.objective.exact:
            return "exact, by PyTensor"
        return "by extrapolated differences of exact gradients (PyTensor has none for this density)"


def make_plan(likelihood: Likelihood, engines: Sequence[Candidate], held: Mapping[int, float] | None = None) -> Plan:
    """Ask every engine for its verdict and choose the first that suits.

    Parameters
    ----------
    likelihood : Likelihood
    engines : sequence of engines
        In the order of preference.
    held : dict of int to float, optional
        Unconstrained coordinates that are not moved.

    Returns
    -------
    Plan

    Raises
    ------
    ModelError
        No engine suits; the message holds every reason.
    """
    held = dict(held or {})
    verdicts = tuple(engine.judge(likelihood, likelihood.size - len(held)) for engine in engines)
    chosen = next((verdict.engine for verdict in verdicts if verdict.suits), None)
    if chosen is None:
        raise ModelError("no engine suits: " + "; ".join(f"{v.engine}: {v.reason}" for v in verdicts))
    return Plan(likelihood, chosen, verdicts, held)
