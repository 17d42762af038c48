"""What intervals and profiles are about: a declared element, a Deterministic, or an expression of the parameters."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ppl_mle.errors import RequestError
from ppl_mle.inference.delta import propagate
from ppl_mle.inference.estimates import Estimates
from ppl_mle.inference.hypotheses.equation import suggestion
from ppl_mle.inference.profiles.edges import edge_coordinates, looks_around
from ppl_mle.inference.profiles.function import FunctionSlice
from ppl_mle.inference.profiles.ray import RaySlice
from ppl_mle.inference.profiles.slice import Slice
from ppl_mle.maximize import Maximum
from ppl_mle.read import LINE, Scale

_LOOKS = 12


@dataclass(frozen=True, eq=False)
class Quantity:
    """One number that the parameters determine.

    Parameters
    ----------
    label : str
    coordinate : int or None
        The unconstrained coordinate that it is a function of, where it is one of a single one.
    scale : Scale
        Between the scale of its slices and the declared scale.
    value, gradient : callable
        From the unconstrained vector to the number on the declared scale, and to its derivatives, shape (p,).
    """

    label: str
    coordinate: int | None
    scale: Scale
    value: Callable[[np.ndarray], float]
    gradient: Callable[[np.ndarray], np.ndarray]

    def slice_of(self, maximum: Maximum) -> Slice:
        """Its slices at a maximum: along its coordinate, or under a constraint."""
        if self.coordinate is not None:
            return RaySlice(maximum, [self.coordinate])
        return FunctionSlice(maximum, self.value, self.gradient)

    def is_cut(self, maximum: Maximum) -> bool:
        """Whether it is a function of several coordinates of which one ran to an edge: no constraint leads past it."""
        if self.coordinate is not None:
            return False
        gone = self.label in maximum.declared
        return gone or bool(np.any(self.gradient(maximum.theta)[edge_coordinates(maximum)] != 0))

    def is_fixed(self, maximum: Maximum) -> bool:
        """Whether nothing that it depends on was estimated."""
        if self.coordinate is not None:
            return self.coordinate in maximum.held
        moved = np.flatnonzero(self.gradient(maximum.theta))
        return bool(np.all(np.isin(moved, list(maximum.held)))) and not self._jumps(maximum)

    def is_step(self, maximum: Maximum) -> bool:
        """Whether it changes with what was estimated, though its derivative is zero: no interval is made of that."""
        return self.coordinate is None and not np.any(self.gradient(maximum.theta)) and self._jumps(maximum)

    def _jumps(self, maximum: Maximum) -> bool:
        """Whether it is another number a few standard errors away, or with what ran to an edge brought back."""
        here, (base, spread) = self.value(maximum.theta), looks_around(maximum)
        signs = np.random.default_rng(0).choice([-3.0, -1.0, 1.0, 3.0], (_LOOKS, len(spread)))
        return any(self.value(base + move) != here for move in signs * spread)


def declared_quantities(maximum: Maximum) -> list[Quantity]:
    """The declared elements of a model, in order."""
    likelihood = maximum.plan.likelihood
    found = []
    for var in likelihood.variables:
        for i in range(var.size):
            position = var.declared.start + i
            alone = var.free.start + i if var.elementwise else None
            scale = var.scales[i] if var.elementwise else LINE
            found.append(Quantity(var.labels[i], alone, scale, *_element(maximum, position)))
    return found


def chosen_quantities(maximum: Maximum, of: Any) -> list[Quantity]:
    """The quantities that a user asks for.

    Parameters
    ----------
    maximum : Maximum
    of : None, str, expression, or sequence of these
        None for all declared elements; the label of an element; the name of a variable or a Deterministic; or a
        PyTensor expression of the model's free variables, which is labelled by its name.

    Raises
    ------
    RequestError
        No such label, or an expression of something else.
    """
    declared = declared_quantities(maximum)
    if of is None:
        return declared
    wanted = of if isinstance(of, list | tuple) else [of]
    if not wanted or not all(isinstance(one, str) or hasattr(one, "owner") for one in wanted):
        raise RequestError(f"of={of!r:.60} names nothing; give labels, names of Deterministics, or expressions")
    return [quantity for one in wanted for quantity in _chosen(maximum, declared, one)]


def estimate_quantities(maximum: Maximum, quantities: Sequence[Quantity]) -> Estimates:
    """Values, and their covariance by the delta method.

    Parameters
    ----------
    maximum : Maximum
    quantities : sequence of Quantity

    Returns
    -------
    Estimates
    """
    values = np.array([q.value(maximum.theta) for q in quantities])
    jacobian = np.array([q.gradient(maximum.theta) for q in quantities])
    labels, scales = tuple(q.label for q in quantities), tuple(q.scale for q in quantities)
    return Estimates(labels, values, propagate(jacobian, maximum), scales)


def _chosen(maximum: Maximum, declared: Sequence[Quantity], one: Any) -> list[Quantity]:
    likelihood = maximum.plan.likelihood
    if not isinstance(one, str):
        return _derived(maximum, one, one.name or "expression")
    own = [var for var in likelihood.variables if var.name == one]
    found = [q for q in declared if q.label == one or (own and q.label in own[0].labels)]
    if found:
        return found
    if one in likelihood.mapping.deterministic_names:
        return _derived(maximum, one, one)
    for name in likelihood.mapping.deterministic_names:
        elements = _derived(maximum, name, name) if one.startswith(f"{name}[") else []
        found += [q for q in elements if q.label == one]
    if not found:
        known = [*likelihood.labels, *likelihood.mapping.deterministic_names]
        raise RequestError(f"{one!r} is nothing that the model declares; {suggestion(one, known)}")
    return found


def _element(maximum: Maximum, position: int) -> tuple[Callable[..., float], Callable[..., np.ndarray]]:
    mapping = maximum.plan.likelihood.mapping
    return (
        lambda theta: float(mapping.declared(theta)[position]),
        lambda theta: np.asarray(mapping.jacobian(theta)[position]),
    )


def _derived(maximum: Maximum, wanted: Any, name: str) -> list[Quantity]:
    likelihood = maximum.plan.likelihood
    derived = likelihood.mapping.derive(wanted)
    shape = derived.value(maximum.theta).shape
    if isinstance(wanted, str):
        labels = likelihood.label(name, shape)
    else:
        labels = tuple(f"{name}[{', '.join(map(str, i))}]" for i in np.ndindex(shape)) if shape else (name,)

    def element(i: int) -> Quantity:
        return Quantity(
            labels[i],
            None,
            LINE,
            lambda theta: float(np.ravel(derived.value(theta))[i]),
            lambda theta: derived.jacobian(theta)[i],
        )

    return [element(i) for i in range(len(labels))]
