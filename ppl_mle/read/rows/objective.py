"""A log-density whose terms are sums over rows: value, gradient and exact Hessian in one pass over the data."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from ppl_mle.read.rows.stacked import add_stacked, suits
from ppl_mle.read.rows.sums import add_curvature, add_products, add_term, has_convex_rows
from ppl_mle.read.rows.term import RowTerm

_MOST_DENSE = 3000
_VISIBLE = 1e-10
_REMEMBERED = 1_000_000
_RECENT = 64

Found = tuple[float, np.ndarray, np.ndarray]


class General(Protocol):
    """The rest of the log-density, the terms that have no such form."""

    def value_and_gradient(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """Value and gradient."""
        ...

    def hessian_product(self, theta: np.ndarray, directions: np.ndarray) -> np.ndarray:
        """Hessian times rows of directions."""
        ...

    def term_values(self, theta: np.ndarray) -> list[float]:
        """Value of each term."""
        ...

    @property
    def exact(self) -> bool:
        """Whether second derivatives are exact."""
        ...

    @property
    def compiled(self) -> bool:
        """Whether a compiler was used."""
        ...


class RowObjective:
    """Sum of row terms and of a general rest.

    Parameters
    ----------
    size : int
        Length p of the unconstrained vector.
    names : sequence of str
        Names of the model's terms, in order.
    terms : sequence of RowTerm
        With those names; several may share one.
    rest : General or None
    rest_names : sequence of str
        Terms that `rest` sums, in its order.
    inside : callable or None
        0 at points inside the support of the parameters and minus infinity outside, where `rest` does not tell.
    """

    def __init__(
        self,
        size: int,
        names: Sequence[str],
        terms: Sequence[RowTerm],
        rest: Any = None,
        rest_names: Sequence[str] = (),
        inside: Callable[[np.ndarray], Any] | None = None,
    ) -> None:
        self._inside = inside
        self.size = size
        self.terms = tuple(terms)
        self.rest = rest
        self._names, self._rest_names = list(names), list(rest_names)
        self._slopes: OrderedDict[bytes, tuple[float, np.ndarray]] = OrderedDict()
        self._last: OrderedDict[bytes, Found] = OrderedDict()

    @property
    def compiled(self) -> bool:
        """Whether some part was slow enough to be compiled."""
        return self.rest is not None and self.rest.compiled

    @property
    def exact(self) -> bool:
        """Whether all second derivatives are exact."""
        return self.rest is None or self.rest.exact

    @property
    def is_dense(self) -> bool:
        """Whether the Hessian is formed."""
        return self.size <= _MOST_DENSE

    @property
    def rows(self) -> int:
        """Rows of the largest term."""
        return max((term.count for term in self.terms), default=0)

    def value_and_gradient(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """Log-density and gradient at `theta`; minus infinity and NaN where the density does not exist."""
        remembered = self._remembered(theta)
        if remembered is not None:
            return remembered[0], remembered[1]
        key = np.asarray(theta, float).tobytes()
        if key not in self._slopes:
            value, gradient, _ = self._evaluate(theta, 1)
            self._slopes[key] = (value, gradient)
            if len(self._slopes) * self.size > _REMEMBERED or len(self._slopes) > _RECENT:
                self._slopes.popitem(last=False)
        return self._slopes[key]

    def value(self, theta: np.ndarray) -> float:
        """Log-density alone at `theta`."""
        if self.rest is not None:
            return self.value_and_gradient(theta)[0]
        return self._evaluate(theta, 0)[0]

    def foresee(self, points: np.ndarray) -> None:
        """Evaluate values and gradients at the columns of `points`, shape (p, m), which will be asked for one by one.

        Where that saves nothing, nothing is done.
        """
        terms = [term for term in self.terms if term.groups]
        if self.rest is not None or self._inside is not None or not all(suits(t, points.shape[1]) for t in terms):
            return
        constant = sum(term.scale * term.base for term in self.terms if not term.groups)
        values = np.full(points.shape[1], float(constant))
        gradients = np.zeros(points.shape)
        with np.errstate(all="ignore"):
            found = all(add_stacked(term, points, values, gradients) for term in terms)
        if found and np.isfinite(values).all():
            for point, value, gradient in zip(points.T, values.tolist(), gradients.T, strict=True):
                self._slopes[point.tobytes()] = (value, gradient)

    def second_order(self, theta: np.ndarray) -> Found:
        """Log-density, gradient (p,) and Hessian (p, p) at `theta`, from one pass; the last points are remembered."""
        remembered = self._remembered(theta)
        if remembered is not None:
            return remembered
        value, gradient, hessian = self._evaluate(theta, 2)
        assert hessian is not None
        return self._remember(theta, (value, gradient, hessian))

    def lend_curvature(self, theta: np.ndarray, beside: np.ndarray) -> None:
        """Take the Hessian at `theta` for the one at a point beside it, less than a millionth standard error away."""
        self._remember(beside, (*self.value_and_gradient(beside), self.second_order(theta)[2]))

    def forget(self) -> None:
        """Drop the remembered points, so that a fit costs what it costs, whatever was fitted before."""
        self._slopes.clear()
        self._last.clear()

    def hessian_product(self, theta: np.ndarray, directions: np.ndarray) -> np.ndarray:
        """Products of the Hessian at `theta` with rows of `directions`, shape (k, p)."""
        if self.size <= _MOST_DENSE:
            return directions @ self.second_order(theta)[2]
        with np.errstate(all="ignore"):
            products = np.sum([add_products(term, theta, directions) for term in self.terms if term.groups], axis=0)
        return products if self.rest is None else products + self.rest.hessian_product(theta, directions)

    def curvature(self, theta: np.ndarray, basis: np.ndarray) -> np.ndarray:
        """T' H T for the columns of a basis, shape (p, k).

        Where rounding in H would show, the sum over rows is taken of A T instead.
        """
        if self.size > _MOST_DENSE:
            return self.hessian_product(theta, basis.T) @ basis
        hessian = self.second_order(theta)[2]
        size = np.abs(basis)
        rounding = np.finfo(float).eps * np.max(size.T @ (np.abs(hessian) @ size), initial=0.0)
        if not rounding > _VISIBLE or np.count_nonzero(basis) == basis.shape[1]:
            return basis.T @ hessian @ basis
        with np.errstate(all="ignore"):
            total = np.sum([add_curvature(term, theta, basis) for term in self.terms if term.groups], axis=0)
        return total if self.rest is None else total + self.rest.hessian_product(theta, basis.T) @ basis

    def has_convex_rows(self, theta: np.ndarray, on_line: np.ndarray) -> bool:
        """Whether some row's log-density is convex in a predictor, so that there may be several maxima.

        `on_line` is True for coordinates that are free on the real line, shape (p,).
        """
        with np.errstate(all="ignore"):
            return any(has_convex_rows(term, theta, on_line) for term in self.terms if term.groups)

    @property
    def is_thinned(self) -> bool:
        """Whether some rows stand for others."""
        return any(term.step > 1 for term in self.terms)

    def thinned(self, step: int) -> "RowObjective":
        """The log-density with every `step`-th row of its largest terms standing for all."""
        return self.with_terms([term.thinned(step) if term.count == self.rows else term for term in self.terms])

    def with_terms(self, terms: Sequence[RowTerm]) -> "RowObjective":
        """The log-density with other terms of the same names in the place of its own."""
        return RowObjective(self.size, self._names, terms, self.rest, self._rest_names, self._inside)

    @property
    def has_support(self) -> bool:
        """Whether the parameters have a support that no term of its own tells."""
        return self._inside is not None

    def is_inside(self, theta: np.ndarray) -> bool:
        """Whether `theta` is inside that support."""
        return self._inside is None or float(self._inside(np.asarray(theta, float))) == 0.0

    def term_values(self, theta: np.ndarray) -> list[float]:
        """Value of every term at `theta`; minus infinity where a condition of it fails."""
        known = dict(zip(self._rest_names, self.rest.term_values(theta), strict=True)) if self.rest else {}
        values = []
        with np.errstate(all="ignore"):
            for name in self._names:
                own = [add_term(term, theta, 0, np.zeros(0), None) for term in self.terms if term.name == name]
                values.append(float(sum(own)) if own else known.get(name, 0.0))
        return values

    def _remembered(self, theta: np.ndarray) -> Found | None:
        return self._last.get(np.asarray(theta, float).tobytes())

    def _remember(self, theta: np.ndarray, found: Found) -> Found:
        self._last[np.asarray(theta, float).tobytes()] = found
        if len(self._last) > max(2, _REMEMBERED // self.size**2):
            self._last.popitem(last=False)
        return found

    def _evaluate(self, theta: np.ndarray, order: int) -> tuple[float, np.ndarray, np.ndarray | None]:
        if not self.is_inside(theta):
            return self._nowhere(order)
        gradient = np.zeros(self.size if order else 0)
        hessian = np.zeros((self.size, self.size)) if order > 1 else None
        value = 0.0
        with np.errstate(all="ignore"):
            for term in self.terms:
                value += add_term(term, theta, order, gradient, hessian)
                if not np.isfinite(value):
                    return self._nowhere(order)
        if self.rest is not None:
            more, slope = self.rest.value_and_gradient(theta)
            value, gradient = value + more, gradient + slope
            if not np.isfinite(value):
                return self._nowhere(order)
            if hessian is not None:
                hessian += self.rest.hessian_product(theta, np.eye(self.size))
        return value, gradient, None if hessian is None else (hessian + hessian.T) / 2

    def _nowhere(self, order: int) -> tuple[float, np.ndarray, np.ndarray | None]:
        hessian = np.full((self.size, self.size), np.nan) if order > 1 else None
        return -np.inf, np.full(self.size, np.nan), hessian
