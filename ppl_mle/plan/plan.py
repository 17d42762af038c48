"""A plan: what was read of each term, the verdict of every engine, the compile decision, the cost."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Protocol

from ppl_mle.errors import ModelError
from ppl_mle.plan.cost import Cost, describe_derivatives, describe_functions, estimate_cost
from ppl_mle.plan.design import Design, describe_design
from ppl_mle.read import Likelihood


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
class Reading:
    """What was read of one term.

    Parameters
    ----------
    name, kind : str
    rows : float
        Observations behind it; NaN where rows have no meaning.
    form : str
        The closed-form row density, `rows of the graph`, `constant`, or `general`.
    reason : str
        Why a general term has no predictor form.
    predictors : tuple of Design
    """

    name: str
    kind: str
    rows: float
    form: str
    reason: str
    predictors: tuple[Design, ...]

    def __str__(self) -> str:
        how = f"general ({self.reason})" if self.form == "general" else self.form
        lines = [f"  term {self.name}: {self.kind}, {self.rows:g} rows, {how}"]
        return "\n".join([*lines, *(f"    predictor {i}: {p}" for i, p in enumerate(self.predictors, 1))])


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

    @cached_property
    def terms(self) -> tuple[Reading, ...]:
        """What was read of each term, with the rank and the condition of every design."""
        read, labels = self.likelihood, self.likelihood.free_labels
        found = []
        for term, form in zip(read.terms, read.forms, strict=True):
            kinds = list(dict.fromkeys(_named(part.form) for part in form.sums)) or ["general"]
            designs = tuple(describe_design(s, p, labels) for s in form.sums for p in s.predictors)
            found.append(Reading(term.name, term.kind, term.rows, " and ".join(kinds), form.reason, designs))
        return tuple(found)

    @cached_property
    def cost(self) -> Cost:
        """One evaluation, measured, and what a fit of this kind takes."""
        return estimate_cost(self.likelihood)

    @property
    def brief(self) -> str:
        """The engine that runs, with its reason, in one line."""
        reason = next(verdict.reason for verdict in self.verdicts if verdict.engine == self.engine)
        return f"{self.engine}: {reason}"

    def record(self) -> dict[str, Any]:
        """The plan as plain data: numbers, strings, lists and dicts."""
        read = self.likelihood
        return {
            "estimator": read.estimator,
            "dimensions": self.dimensions,
            "engine": self.engine,
            "verdicts": [asdict(verdict) for verdict in self.verdicts],
            "variables": [
                {"name": var.name, "role": var.role, "shape": list(var.shape), "transform": var.transform}
                for var in read.variables
            ],
            "terms": [asdict(term) for term in self.terms],
            "functions": describe_functions(read),
            "second_derivatives": describe_derivatives(read),
            "cost": asdict(self.cost),
            "missing": dict(read.missing),
            "findings": list(read.findings),
        }

    def __str__(self) -> str:
        read = self.likelihood
        lines = [f"{read.estimator} of {self.dimensions} free dimensions"]
        lines += [
            f"  {var.role} {var.name}: shape {var.shape}, transform {var.transform or 'none'}" for var in read.variables
        ]
        lines += [str(term) for term in self.terms]
        lines += [f"  left out: {count} rows of {name} without a response" for name, count in read.missing.items()]
        lines += [
            f"  engine {v.engine}: {'runs' if v.engine == self.engine else 'suits' if v.suits else 'no'}, {v.reason}"
            for v in self.verdicts
        ]
        lines += [
            f"  functions: {describe_functions(read)}; second derivatives {describe_derivatives(read)}",
            f"  cost: {self.cost}",
        ]
        return "\n".join(lines + [f"  note: {finding}" for finding in read.findings])


def _named(form: str) -> str:
    return "rows of the graph" if form == "graph" else form.replace("_", " ")


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
