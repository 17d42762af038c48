"""What was read from a model: its variables, its terms, and the functions of the unconstrained vector."""

from collections.abc import Mapping as MappingType
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ppl_mle.errors import RequestError
from ppl_mle.read.evaluation import Form
from ppl_mle.read.labels import element_labels
from ppl_mle.read.mapping import Mapping
from ppl_mle.read.rows.objective import RowObjective
from ppl_mle.read.scale import HALF_LINE, LINE, Scale

Role = Literal["parameter", "latent"]
Estimator = Literal["MLE", "MAP"]
Kind = Literal["observed", "potential", "latent", "prior"]


@dataclass(frozen=True)
class Variable:
    """One free variable of the model.

    Parameters
    ----------
    name : str
    role : {"parameter", "latent"}
    shape : tuple of int
        On the declared scale.
    dims : tuple of str
        One name per axis, as in an ArviZ DataTree.
    labels : tuple of str
        ArviZ's label of every declared element.
    free_labels : tuple of str
        Label of every element of the unconstrained value.
    scales : tuple of Scale
        One per declared element.
    declared, free : slice
        Where the elements lie in the flat declared and in the unconstrained vector.
    transform : str or None
    elementwise : bool
        Each declared element is a function of one unconstrained element.
    """

    name: str
    role: Role
    shape: tuple[int, ...]
    dims: tuple[str, ...]
    labels: tuple[str, ...]
    free_labels: tuple[str, ...]
    scales: tuple[Scale, ...]
    declared: slice
    free: slice
    transform: str | None
    elementwise: bool

    @property
    def size(self) -> int:
        """Number of declared elements."""
        return self.declared.stop - self.declared.start

    @property
    def free_scales(self) -> tuple[Scale, ...]:
        """What each unconstrained element is the image of: a number, or the logarithm of a length; none if neither."""
        if self.elementwise:
            return self.scales
        count = self.free.stop - self.free.start
        if self.transform == "ordered":
            return (LINE, *[HALF_LINE] * (count - 1))
        if self.transform == "cholesky-cov-packed":
            diagonal = np.cumsum(np.arange(1, count + 1)) - 1
            return tuple(HALF_LINE if i in diagonal else LINE for i in range(count))
        return ()


@dataclass(frozen=True)
class Term:
    """One summand of the log-density: an observed variable, a Potential, a latent variable or a prior.

    Parameters
    ----------
    name : str
    kind : {"observed", "potential", "latent", "prior"}
    rows : float
        Observations behind the term, frequency weights counted; NaN where rows have no meaning.
    """

    name: str
    kind: Kind
    rows: float


@dataclass(frozen=True, eq=False)
class Likelihood:
    """A log-density to maximize over an unconstrained vector, and what its numbers are called.

    Parameters
    ----------
    estimator : {"MLE", "MAP"}
        Which terms are summed: the likelihood (with latent densities), or the likelihood and the priors.
    variables : tuple of Variable
    terms : tuple of Term
        The terms that are summed.
    forms : tuple of Form
        How each term was read: as sums over rows, or why not.
    objective : RowObjective or Objective
        The sum with its gradient and Hessian products.
    original : Original, or that with a penalty
        The same sum as PyMC declares it, built independently.
    mapping : Mapping
        Declared values, Deterministics and starts.
    dims : dict of str to tuple of str
        Dimension names of the free variables and the Deterministics.
    coords : dict of str to array
        Coordinate values of those dimensions that have them.
    nobs : float
        Number of observations; NaN when the model has Potentials and no number was given.
    missing : dict of str to int
        Rows left out because their response is missing.
    weighted : bool
    flat_priors : bool
        No prior term changes with the parameters.
    findings : tuple of str
    penalty : str
        What is added to the likelihood beside priors: nothing, or `jeffreys`.
    """

    estimator: Estimator
    variables: tuple[Variable, ...]
    terms: tuple[Term, ...]
    forms: tuple[Form, ...]
    objective: Any
    original: Any
    mapping: Mapping
    dims: MappingType[str, tuple[str, ...]]
    coords: MappingType[str, np.ndarray]
    nobs: float
    missing: MappingType[str, int]
    weighted: bool
    flat_priors: bool
    findings: tuple[str, ...]
    penalty: str = ""

    @property
    def labels(self) -> list[str]:
        """ArviZ's labels of the declared elements, in order."""
        return [label for var in self.variables for label in var.labels]

    @property
    def free_labels(self) -> list[str]:
        """Labels of the unconstrained elements, in order."""
        return [label for var in self.variables for label in var.free_labels]

    @property
    def scale_labels(self) -> list[str]:
        """What each unconstrained element is in terms of declared ones, e.g. `log(sigma)`, in order."""
        return [
            label if not var.elementwise else declared if scale.kind == "identity" else f"{scale.kind}({declared})"
            for var in self.variables
            for label, declared, scale in (
                zip(var.free_labels, var.labels, var.scales, strict=True)
                if var.elementwise
                else ((label, label, LINE) for label in var.free_labels)
            )
        ]

    @property
    def scales(self) -> list[Scale]:
        """Scale of every declared element."""
        return [scale for var in self.variables for scale in var.scales]

    @property
    def size(self) -> int:
        """Number of unconstrained dimensions."""
        return self.variables[-1].free.stop

    @property
    def latents(self) -> tuple[str, ...]:
        """Names of the latent variables."""
        return tuple(var.name for var in self.variables if var.role == "latent")

    def label(self, name: str, shape: tuple[int, ...]) -> tuple[str, ...]:
        """ArviZ's labels of the elements of a variable or Deterministic of the given shape."""
        coordinates = [self.coords.get(dim, np.arange(n)) for dim, n in zip(self.dims[name], shape, strict=True)]
        return element_labels(name, coordinates)

    def forget(self) -> None:
        """Drop evaluations that an earlier fit left behind."""
        self.original.forget()
        if isinstance(self.objective, RowObjective):
            self.objective.forget()

    def log_likelihood(self, theta: np.ndarray) -> float:
        """Sum of the observed terms and Potentials at `theta` (unconstrained, shape (size,))."""
        values = self.objective.term_values(theta)
        pairs = zip(values, self.terms, strict=True)
        return float(sum(value for value, term in pairs if term.kind in ("observed", "potential")))

    def place(self, fixed: MappingType[str, Any]) -> dict[int, float]:
        """Translate fixed declared values into unconstrained coordinates.

        Parameters
        ----------
        fixed : dict
            From a variable's name or the label of one element to its value on the declared scale.

        Returns
        -------
        dict of int to float
            Value of each unconstrained coordinate that is held.

        Raises
        ------
        RequestError
            Unknown name, a value outside the support, or one element of a jointly transformed variable.
        """
        wanted: dict[str, np.ndarray] = {}
        asked = np.zeros(len(self.labels), bool)
        for key, value in fixed.items():
            self._ask(key, np.asarray(value, float), wanted, asked)
        if not wanted:
            return {}
        theta = self.mapping.start(wanted)
        held = [i for var in self.variables for i in self._coordinates(var, asked)]
        self._check_held(theta, held, asked, wanted)
        return {i: float(theta[i]) for i in held}

    def _ask(self, key: str, values: np.ndarray, wanted: dict[str, np.ndarray], asked: np.ndarray) -> None:
        """Enter one request in `wanted`, whole declared arrays by variable, and mark its elements in `asked`."""
        default = self.mapping.declared(self.mapping.start(None))
        for var in self.variables:
            if key != var.name and key not in var.labels:
                continue
            flat = np.ravel(wanted.get(var.name, default[var.declared])).copy()
            position = slice(None) if key == var.name else var.labels.index(key)
            if key != var.name and not var.elementwise:
                raise RequestError(
                    f"fixed={key!r} is one element of {var.name!r}, whose elements are tied by the transform "
                    f"{var.transform!r}; fix the whole variable"
                )
            try:
                flat[position] = np.broadcast_to(values, var.shape).ravel() if key == var.name else values
            except ValueError:
                takes = f"a value of shape {var.shape}" if key == var.name else "one number"
                raise RequestError(f"fixed={key!r} takes {takes}, got one of shape {values.shape}") from None
            wanted[var.name] = flat.reshape(var.shape)
            asked[var.declared][position] = True
            return
        raise RequestError(f"fixed={key!r} is no parameter of the model; its parameters are {', '.join(self.labels)}")

    def _coordinates(self, var: Variable, asked: np.ndarray) -> list[int]:
        if not var.elementwise:
            return list(range(var.free.start, var.free.stop)) if asked[var.declared].any() else []
        return [var.free.start + int(i) for i in np.flatnonzero(asked[var.declared])]

    def _check_held(
        self, theta: np.ndarray, held: list[int], asked: np.ndarray, wanted: MappingType[str, np.ndarray]
    ) -> None:
        """Refuse values outside the support, and ones that would move with a variable that is not fixed."""
        got, names = self.mapping.declared(theta), np.array(self.labels)
        expected = got.copy()
        for var in self.variables:
            if var.name in wanted:
                expected[var.declared] = np.ravel(wanted[var.name])
        away = asked & ~np.isclose(got, expected, rtol=1e-9, atol=1e-12)
        if np.any(away) or not np.all(np.isfinite(theta[held])):
            bad = np.flatnonzero(away) if np.any(away) else np.flatnonzero(asked)
            raise RequestError(
                f"fixed={str(names[bad[0]])!r} to {expected[bad[0]]:g} is not a value inside the open support of the "
                "variable; fix it inside"
            )
        others = np.setdiff1d(np.arange(self.size), held)
        moved = asked & np.any(self.mapping.jacobian(theta)[:, others] != 0, axis=1)
        if np.any(moved):
            raise RequestError(
                f"fixed={str(names[moved][0])!r} has bounds that depend on another free variable, so it cannot be held "
                "alone; fix that variable too"
            )
