"""Heteroscedasticity-robust covariances: the sandwich of the inverse observed information around products of scores."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ppl_mle.errors import RequestError
from ppl_mle.inference.covariances.kind import Covariance, CovarianceOptions
from ppl_mle.inference.leverage import leverage
from ppl_mle.inference.rows import Rows, mean_coordinates, rows_of
from ppl_mle.maximize import Maximum

_FULL = 1 - 1e-10


@dataclass(frozen=True)
class White:
    """HC0 to HC3 (White 1980; MacKinnon and White 1985).

    HC0 multiplies nothing, HC1 the whole by n / (n - k), HC2 each row's product of scores by 1 / (1 - h) and HC3 by
    1 / (1 - h)^2, with the leverage h and the number k of mean coefficients.
    """

    name: str
    takes: ClassVar[tuple[str, ...]] = ("bread",)

    def estimate(self, maximum: Maximum, options: CovarianceOptions) -> Covariance:
        """Estimate it at a maximum."""
        rows = rows_of(maximum, self.name)
        if len(rows) > 1 and self.name in ("HC2", "HC3"):
            names = ", ".join(one.name for one in rows)
            raise RequestError(f"{self.name} needs leverages within one observed variable, not {names}; use HC1")
        expected = options.bread == "expected"
        meat = sum(one.products(maximum.theta, self._factors(maximum, one, expected)) for one in rows)
        matrix = maximum.covariance @ meat @ maximum.covariance
        if self.name != "HC1":
            return Covariance(matrix, f"{self.name}{say_units(rows)}")
        n, k = count_rows(rows), count_mean(maximum, rows)
        if n <= k:
            raise RequestError(f"HC1 divides by n - k, and n = {n:g} rows for k = {k} mean coefficients; use HC0")
        return Covariance(matrix * n / (n - k), f"HC1, factor n/(n - k), {say_counts(maximum, rows)}{say_units(rows)}")

    def _factors(self, maximum: Maximum, rows: Rows, expected: bool) -> np.ndarray | None:
        if self.name in ("HC0", "HC1"):
            return None
        hat = leverage(maximum, rows, expected)
        full = np.flatnonzero(hat > _FULL)
        if full.size:
            raise RequestError(
                f"{self.name} divides by 1 - leverage, and row {full[0]} of '{rows.name}' has leverage 1; use HC1, or "
                "leave the row out"
            )
        return (1 - hat) ** (-1.0 if self.name == "HC2" else -2.0)


def say_units(rows: tuple[Rows, ...]) -> str:
    """What is taken for independent, where it does not go without saying."""
    if len(rows) > 1:
        return f", rows of {', '.join(one.name for one in rows)} taken as independent"
    return ", every element taken as independent" if rows and len(rows[0].shape) > 1 else ""


def count_rows(rows: tuple[Rows, ...]) -> float:
    """Observations of all rows, frequency weights counted."""
    return sum(one.nobs for one in rows)


def count_mean(maximum: Maximum, rows: tuple[Rows, ...]) -> int:
    """Mean coefficients that are estimated: less one for every ridge among them, and for each that ran away."""
    mine = np.setdiff1d(mean_coordinates(rows), list(maximum.held))
    lost = maximum.lost[mine] if maximum.lost.size else np.zeros((len(mine), 0))
    size = np.linalg.norm(lost, axis=0)
    return len(mine) - (int(np.linalg.matrix_rank(lost[:, size > 0] / size[size > 0])) if np.any(size > 0) else 0)


def say_counts(maximum: Maximum, rows: tuple[Rows, ...]) -> str:
    """Both counts that small-sample factors may be made of, as text."""
    free = maximum.plan.likelihood.size - len(maximum.held)
    return f"n = {count_rows(rows):g}, k = {count_mean(maximum, rows)} mean coefficients of {free} parameters"
