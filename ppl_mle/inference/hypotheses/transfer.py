"""From the unconstrained vector of a smaller model to that of a larger one, by the labels of their elements."""

from dataclasses import dataclass

import numpy as np

from ppl_mle.errors import RequestError
from ppl_mle.maximize import Maximum
from ppl_mle.read import Scale, Variable


@dataclass(frozen=True)
class Extra:
    """A dimension that is free in the larger fit and not in the smaller.

    Parameters
    ----------
    coordinate : int
        In the larger one's unconstrained vector.
    label : str
    scale : Scale
    absent : bool
        The smaller model does not have it; else it is held there.
    texts : tuple of str
        Where it is held; those of a variable with a joint transform are at its first dimension.
    """

    coordinate: int
    label: str
    scale: Scale
    absent: bool
    texts: tuple[str, ...] = ()

    @property
    def direction(self) -> float:
        """1 where the declared value rises with the unconstrained one, and -1 where it falls."""
        return -1.0 if self.scale.kind == "log" and np.isinf(self.scale.lower) else 1.0


def transfer(full: Maximum, restricted: Maximum, theta: np.ndarray | None = None) -> tuple[np.ndarray, list[Extra]]:
    """Place the smaller one's values in the larger one's vector.

    Parameters
    ----------
    full, restricted : Maximum
    theta : array, shape (p0,), optional
        Unconstrained values of the smaller one; its estimates when left out.

    Returns
    -------
    theta : array, shape (p,)
        NaN for absent dimensions.
    extras : list of Extra

    Raises
    ------
    RequestError
        The smaller one has an element that the larger lacks or holds, or what it lacks is part of a joint transform.
    """
    theta = restricted.theta if theta is None else theta
    _refuse_strangers(full, restricted)
    small = restricted.plan.likelihood
    declared = dict(zip(small.labels, small.mapping.declared(theta), strict=True))
    known = {var.name: var for var in small.variables}
    found = np.full(full.plan.likelihood.size, np.nan)
    extras: list[Extra] = []
    for var in full.plan.likelihood.variables:
        other = known.get(var.name)
        if other is not None and _is_alike(var, other):
            found[var.free] = theta[other.free]
            pairs = zip(range(var.free.start, var.free.stop), range(other.free.start, other.free.stop), strict=True)
            held = {i: j for i, j in pairs if j in restricted.held and i not in full.held}
            extras += [_held_extra(var, i, declared) for i in held]
        elif var.elementwise:
            extras += _place_elements(full, var, declared, restricted, found)
        else:
            raise _not_shown(f"{var.name}, whose elements are tied by a transform, is not the same variable in both")
    found[list(full.held)] = list(full.held.values())
    if not extras:
        raise _not_shown("both have the same free parameters")
    return found, extras


def _place_elements(
    full: Maximum, var: Variable, declared: dict[str, float], restricted: Maximum, found: np.ndarray
) -> list[Extra]:
    extras = []
    fixed = _held_labels(restricted)
    for label, scale, i in zip(var.labels, var.scales, range(var.free.start, var.free.stop), strict=True):
        if label in declared:
            with np.errstate(all="ignore"):
                found[i] = scale.to_free(declared[label])
            if label in fixed and i not in full.held:
                extras.append(Extra(i, label, scale, absent=False, texts=(_equation(label, declared),)))
        elif i not in full.held:
            extras.append(Extra(i, label, scale, absent=True))
    return extras


def _held_extra(var: Variable, coordinate: int, declared: dict[str, float]) -> Extra:
    position = coordinate - var.free.start
    if not var.elementwise:
        texts = () if position else tuple(_equation(label, declared) for label in var.labels)
        return Extra(coordinate, var.free_labels[position], Scale(), absent=False, texts=texts)
    label = var.labels[position]
    return Extra(coordinate, label, var.scales[position], absent=False, texts=(_equation(label, declared),))


def _equation(label: str, declared: dict[str, float]) -> str:
    return f"{label} = {declared[label]:.6g}"


def _is_alike(var: Variable, other: Variable) -> bool:
    same = var.labels == other.labels and var.scales == other.scales and var.transform == other.transform
    return same and var.free_labels == other.free_labels


def _held_labels(maximum: Maximum) -> set[str]:
    labels = set()
    for var in maximum.plan.likelihood.variables:
        held = [i - var.free.start for i in maximum.held if var.free.start <= i < var.free.stop]
        labels |= {var.labels[i] for i in held} if var.elementwise else set(var.labels if held else ())
    return labels


def _refuse_strangers(full: Maximum, restricted: Maximum) -> None:
    large, small = full.plan.likelihood.labels, restricted.plan.likelihood.labels
    strangers = [label for label in small if label not in large]
    if strangers and set(large) < set(small):
        raise _not_shown(
            f"the larger fit lacks {', '.join(strangers)}; call lr_test of the larger fit with the smaller"
        )
    if strangers:
        raise _not_shown(f"the smaller has {', '.join(strangers)}, which the larger lacks")
    fixed = _held_labels(full) & set(small) - _held_labels(restricted)
    if fixed:
        raise _not_shown(f"the larger holds {', '.join(sorted(fixed))} fixed, which is free in the smaller")


def _not_shown(reason: str) -> RequestError:
    return RequestError(f"the fits are not shown to be nested: {reason}")
