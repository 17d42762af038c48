"""A log-density with a smooth function of the unconstrained vector added to it."""

from typing import Any, Protocol

import numpy as np

from ppl_mle.read.rows.objective import RowObjective


class Extra(Protocol):
    """What is added."""

    def value_and_gradient(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """Value and gradient (p,) at `theta`, shape (p,)."""
        ...

    def hessian(self, theta: np.ndarray) -> np.ndarray:
        """Second derivatives at `theta`, shape (p, p)."""
        ...


class Added:
    """An objective with something added.

    Parameters
    ----------
    inner : RowObjective or Objective
    extra : Extra
    exact : bool
        Whether the second derivatives of `extra` are.
    """

    def __init__(self, inner: Any, extra: Any, exact: bool) -> None:
        self.inner, self.extra = inner, extra
        self.exact = exact and bool(inner.exact)
        self._last: tuple[bytes, np.ndarray] | None = None

    @property
    def compiled(self) -> bool:
        """Whether a compiler was used."""
        return bool(self.inner.compiled)

    def value_and_gradient(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """Log-density and gradient at `theta`."""
        value, gradient = self.inner.value_and_gradient(theta)
        more, slope = self.extra.value_and_gradient(np.asarray(theta, float))
        return value + more, gradient + slope

    def hessian_product(self, theta: np.ndarray, directions: np.ndarray) -> np.ndarray:
        """Products of the Hessian with rows of directions, shape (k, p), each about one standard error long."""
        return self.inner.hessian_product(theta, directions) + directions @ self._extra_hessian(theta)

    def curvature(self, theta: np.ndarray, basis: np.ndarray) -> np.ndarray:
        """T' H T for the columns of a basis, shape (p, k)."""
        return self.inner.curvature(theta, basis) + basis.T @ self._extra_hessian(theta) @ basis

    def term_values(self, theta: np.ndarray) -> list[float]:
        """Value of every term of the inner log-density at `theta`."""
        return self.inner.term_values(theta)

    def forget(self) -> None:
        """Drop remembered points."""
        if isinstance(self.inner, RowObjective):
            self.inner.forget()

    def _extra_hessian(self, theta: np.ndarray) -> np.ndarray:
        key = np.asarray(theta, float).tobytes()
        if self._last is None or self._last[0] != key:
            self._last = key, self.extra.hessian(np.asarray(theta, float))
        return self._last[1]


class AddedOriginal:
    """PyMC's own log-density with the same added.

    Parameters
    ----------
    inner : Original
    extra : Extra
    """

    def __init__(self, inner: Any, extra: Any) -> None:
        self._inner, self._extra = inner, extra

    def value_and_gradient(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """Value and gradient at `theta`."""
        value, gradient = self._inner.value_and_gradient(theta)
        more, slope = self._extra.value_and_gradient(np.asarray(theta, float))
        return value + more, gradient + slope

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)
