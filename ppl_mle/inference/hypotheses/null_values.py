"""The values at which a parameter may drop out of a model: zero, an edge of its support, one."""

from dataclasses import dataclass

import numpy as np

from ppl_mle.read import Scale


@dataclass(frozen=True)
class NullValue:
    """A value of a parameter that makes a model a smaller one.

    Parameters
    ----------
    declared : float
        On the declared scale; infinite where only an infinite value does it.
    free : float
        On the unconstrained scale.
    """

    declared: float
    free: float

    @property
    def edge(self) -> bool:
        """Whether it is on the edge of the support, infinitely far out on the unconstrained scale."""
        return bool(np.isinf(self.free))

    @property
    def sign(self) -> float:
        """On which side of the unconstrained scale an edge lies."""
        return float(np.sign(self.free))

    def text(self, label: str) -> str:
        """The hypothesis as text."""
        return f"{label} {'->' if np.isinf(self.declared) else '='} {self.declared:.6g}"


def null_values(scale: Scale) -> tuple[NullValue, ...]:
    """Values to try, the likeliest first.

    Examples
    --------
    >>> [value.declared for value in null_values(Scale("log", 0.0))]
    [0.0, 1.0, inf]
    >>> [value.declared for value in null_values(Scale("logit", -1.0, 1.0))]
    [0.0, -1.0, 1.0]
    """
    if scale.kind == "identity":
        return (NullValue(0.0, 0.0),)
    inside = [x for x in (0.0, 1.0) if scale.has_inside(x)]
    edges = [scale.lower, scale.upper]
    ordered = [*[x for x in edges if x == 0], *inside, *[x for x in edges if x != 0]]
    return tuple(NullValue(x, float(scale.to_free(x))) for x in ordered)
