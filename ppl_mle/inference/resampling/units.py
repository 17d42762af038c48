"""What is drawn again in a bootstrap and left out in a jackknife: rows, or whole clusters of rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from ppl_mle.errors import RequestError
from ppl_mle.maximize import Maximum
from ppl_mle.read import OBSERVED_PART

_ALLOWED = ("CONVERGED", "BOUNDARY")


@dataclass(frozen=True, eq=False)
class Pool:
    """Units that are drawn together.

    Parameters
    ----------
    copies : array, shape (units,)
        How many equal units each stands for.
    codes : dict of int to array or None
        By the position of a row term: the unit of each row; None where row i is unit i.
    factors : dict of int to array
        By the position of a row term: what each row counts within its unit, where that is not one.
    names : tuple of str
        Observed variables whose rows are in the units.
    """

    copies: np.ndarray
    codes: Mapping[int, np.ndarray | None]
    factors: Mapping[int, np.ndarray]
    names: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Number of units that are told apart."""
        return len(self.copies)

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """How often each unit is drawn when as many are drawn as there are, shape (units,)."""
        if np.all(self.copies == 1):
            return np.bincount(rng.integers(0, self.size, self.size), minlength=self.size).astype(float)
        total = int(self.copies.sum())
        return rng.multinomial(total, self.copies / total).astype(float)

    def of_rows(self, position: int, counts: np.ndarray) -> np.ndarray:
        """Weights of the rows of a term for counts of the units, shape (m, units) to (m, rows)."""
        codes, factors = self.codes[position], self.factors.get(position)
        weights = counts if codes is None else counts[:, codes]
        return weights if factors is None else weights * factors


def require_maximum(maximum: Maximum, purpose: str) -> None:
    """Raise a RequestError where there is no maximum to start from, or one of a penalized likelihood."""
    if maximum.plan.likelihood.penalty:
        raise RequestError(f"{purpose} is not available for a fit with Jeffreys' penalty; use its profile intervals")
    if maximum.status.name not in _ALLOWED:
        about = f" in {', '.join(maximum.parameters)}" if maximum.parameters else ""
        raise RequestError(f"{purpose} needs a maximum, and this fit is {maximum.status.name}{about}; see fit.message")


def find_pools(maximum: Maximum, groups: Any = None, purpose: str = "a bootstrap of rows") -> tuple[Pool, ...]:
    """The units of the observed variables of a likelihood.

    Observed variables with as many rows as one another are taken for parts of the same units; others are drawn apart.
    With groups, all rows of a group are one unit, in whatever variables they are.

    Parameters
    ----------
    maximum : Maximum
    groups : array, or dict of str to array, optional
        Group of each row, of every observed variable; by name where these differ in length.
    purpose : str
        For the messages.

    Raises
    ------
    RequestError
        An observed variable has no rows, or groups do not fit.
    """
    require_maximum(maximum, purpose)
    found = _observed(maximum, purpose)
    weights = {i: maximum.plan.likelihood.objective.terms[i].weights for _, _, i in found}
    if groups is not None:
        return (_clustered(found, weights, groups, maximum.plan.likelihood.missing),)
    pools = []
    for count in dict.fromkeys(count for _, count, _ in found):
        mine = [i for _, own, i in found if own == count]
        names = dict.fromkeys(name for name, own, _ in found if own == count)
        pools.append(replace(_alone(count, mine, weights), names=tuple(names)))
    return tuple(pools)


def say_together(pools: Sequence[Pool], groups: Any = None) -> str:
    """Say which observed variables have their rows drawn or left out together; nothing where none have, or by groups.

    Examples
    --------
    >>> say_together([Pool(np.ones(2), {}, {}, ("y", "z"))])
    'rows of y and z together'
    """
    shared = [" and ".join(pool.names) for pool in pools if len(pool.names) > 1 and groups is None]
    return f"rows of {', of '.join(shared)} together" if shared else ""


def _observed(maximum: Maximum, purpose: str) -> list[tuple[str, int, int]]:
    """Name, rows and position of every row term of an observed variable."""
    likelihood = maximum.plan.likelihood
    found, position = [], 0
    for form, term in zip(likelihood.forms, likelihood.terms, strict=True):
        if term.kind == "observed" and form.count:
            why = form.reason if not form.sums else "its rows have one joint log-density"
            if not form.sums or np.isnan(term.rows) or any(part.count != form.count for part in form.sums):
                raise RequestError(
                    f"{purpose} needs independent rows of '{form.name}', which has none: {why}; "
                    "use the parametric bootstrap"
                )
            found += [(form.name, form.count, position + i) for i in range(len(form.sums))]
        position += len(form.sums)
    if not found:
        raise RequestError(
            f"{purpose} needs an observed variable, and this model has Potentials alone; use profile intervals"
        )
    return found


def _alone(count: int, positions: Sequence[int], weights: Mapping[int, np.ndarray | None]) -> Pool:
    """Every row a unit; a whole number as a frequency weight is as many units, any other weighs the row."""
    codes = dict.fromkeys(positions)
    given = [w for i in positions if (w := weights[i]) is not None]
    if not given:
        return Pool(np.ones(count), codes, {})
    same = all(np.array_equal(w, given[0]) for w in given) and len(given) == len(positions)
    if same and np.array_equal(given[0], np.round(given[0])):
        return Pool(given[0], codes, {})
    kept = np.any([w > 0 for w in given], axis=0) if len(given) == len(positions) else np.ones(count, bool)
    return Pool(kept.astype(float), codes, {i: w for i in positions if (w := weights[i]) is not None})


def _clustered(
    found: Sequence[tuple[str, int, int]],
    weights: Mapping[int, np.ndarray | None],
    groups: Any,
    missing: Mapping[str, int],
) -> Pool:
    given = {name: _checked(name, count, groups, missing.get(_plain(name), 0)) for name, count, _ in found}
    codes, labels = pd.factorize(np.concatenate(list(given.values())))
    if len(labels) < 2:
        raise RequestError(f"groups holds {len(labels)} group; give at least 2, or leave groups out")
    stops = np.cumsum([len(values) for values in given.values()])
    parts = dict(zip(given, np.split(codes, stops[:-1]), strict=True))
    factors = {i: w for i, w in weights.items() if w is not None}
    return Pool(np.ones(len(labels)), {i: parts[name] for name, _, i in found}, factors)


def _plain(name: str) -> str:
    """The name the user gave to a response of which rows are missing."""
    return name.removesuffix(OBSERVED_PART)


def _checked(name: str, count: int, groups: Any, left_out: int) -> np.ndarray:
    """Group of every row of one variable; an array as long as the first axis stands for whole rows of a table."""
    if isinstance(groups, Mapping):
        key = _plain(name) if left_out and name not in groups else name
        if key not in groups:
            raise RequestError(f"groups has no entry for '{name}'; give one array of groups per observed variable")
        groups = groups[key]
    values = np.ravel(np.asarray(groups))
    missing = np.flatnonzero(pd.isna(values))
    if missing.size:
        raise RequestError(f"groups of '{name}' is missing at row {missing[0]}; give a group for every row")
    if left_out and len(values) == count + left_out:
        raise RequestError(
            f"groups of '{name}' has {len(values)} values for {count} rows: the {left_out} rows without a response are "
            "left out of the fit; leave their groups out too"
        )
    if not len(values) or count % len(values) or (len(values) < count and np.ndim(groups) != 1):
        raise RequestError(f"groups of '{name}' has {len(values)} values for {count} rows; give one per row")
    return np.repeat(values, count // len(values))
