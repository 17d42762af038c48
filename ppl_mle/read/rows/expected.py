"""The expected (Fisher) information of row densities with a closed form."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy import stats
from scipy.special import zeta

from ppl_mle.read.rows.blocks import add_cross, cross
from ppl_mle.read.rows.jet import Jet
from ppl_mle.read.rows.kernels import KERNELS
from ppl_mle.read.rows.program import Program
from ppl_mle.read.rows.term import RowTerm

Pairs = Mapping[tuple[int, int], Any]

_KERNELS = {kernel.name: kernel for kernel in KERNELS}
_EULER = float(np.euler_gamma)
_MOST_COUNTS = 200_000
_TAIL = 1e-17
_LARGE_SHAPE = 1e4
_SUMS = ("negative_binomial",)


def expected_information(term: RowTerm, theta: np.ndarray) -> np.ndarray | None:
    """Expected information of a term at `theta`, its weights and scale included.

    Parameters
    ----------
    term : RowTerm
    theta : array, shape (p,)

    Returns
    -------
    array, shape (p, p), or None
        None where the density has no closed form.
    """
    rows = slice(0, term.count, 1)
    with np.errstate(all="ignore"):
        pairs = expected_by_row(term, term.etas(theta, rows))
    return None if pairs is None else add_up(term, pairs, len(theta))


def expected_weights(term: RowTerm, position: int, theta: np.ndarray) -> Any:
    """Expected information of each row in one predictor; None where it is not known."""
    with np.errstate(all="ignore"):
        pairs = expected_by_row(term, term.etas(theta, slice(0, term.count, 1)))
    return None if pairs is None else pairs.get((position, position), 0.0)


def add_up(term: RowTerm, pairs: Pairs, size: int) -> np.ndarray:
    """Sum over rows of A_k' diag(w_kl) A_l for weights of pairs of predictors, shape (size, size), scale included."""
    total = np.zeros((size, size))
    blocks, rows = term.sharing.blocks, slice(0, term.count, 1)
    for (i, j), weight in term.sharing.of_hessian(pairs).items():
        full = np.broadcast_to(weight, (term.count,))
        add_cross(total, blocks[i], blocks[j], cross(blocks[i], blocks[j], full, rows, term.count))
    return term.scale * total


def expected_by_row(term: RowTerm, etas: list[Any], sums: bool = True) -> Pairs | None:
    """Expected information of each row in pairs of predictors, at given ones; None where it is not known.

    With `sums` also where it is a sum over the support.
    """
    if term.form not in _INFORMATION or len(term.groups) != 1 or (term.form in _SUMS and not sums):
        return None
    program, rows = term.groups[0].program, slice(0, term.count, 1)
    arguments = [_argument(program, k, rows, etas) for k in range(len(program.expression.args))]
    inner = _INFORMATION[term.form](tuple(a.value for a in arguments), program.data[1])
    if inner is None:
        return None
    weights = 1.0 if term.weights is None else term.weights
    found: dict[tuple[int, int], Any] = {}
    for (k, m), information in inner.items():
        for (left, right), factor in _products(arguments[k], arguments[m], same=k == m).items():
            found[left, right] = found.get((left, right), 0.0) + information * factor * weights
    return found


def _argument(program: Program, position: int, rows: slice, etas: list[Any]) -> Jet:
    found = program.argument(position)(rows, etas, 1)
    assert found is not None
    return found


def _products(one: Jet, other: Jet, same: bool) -> dict[tuple[int, int], Any]:
    """Coefficients of a symmetric form in the predictors; both orders where the arguments differ."""
    total: dict[tuple[int, int], Any] = {}
    for k, dk in one.first.items():
        for m, dm in other.first.items():
            if same and m < k:
                continue
            pair = (k, m) if k <= m else (m, k)
            twice = 2.0 if not same and k == m else 1.0
            total[pair] = total.get(pair, 0.0) + twice * dk * dm
    return total


def _binary(name: str) -> Callable[[tuple[Any, ...], tuple[Any, ...]], Pairs]:
    """Sum over the two outcomes of probability times squared score; times n for n trials."""
    evaluate = _KERNELS[f"bernoulli_{name}"].evaluate

    def information(etas: tuple[Any, ...], data: tuple[Any, ...]) -> Pairs:
        eta = np.atleast_1d(np.asarray(etas[0], float))
        total = np.zeros(eta.shape)
        for outcome in (0, 1):
            f, (slope,), _ = evaluate(np.full(eta.shape, outcome), (), (eta,), 1)
            chance = np.exp(f)
            total += np.where(chance > 0, chance * slope**2, 0.0)
        return {(0, 0): total * (data[0] if data else 1.0)}

    return information


def _negative_binomial(etas: tuple[Any, ...], data: tuple[Any, ...]) -> Pairs | None:
    """mu alpha / (mu + alpha) for the log of the mean, a sum over counts for the log of alpha (Lawless 1987)."""
    mean, alpha = np.broadcast_arrays(np.atleast_1d(np.exp(etas[0])), np.exp(etas[1]))
    most = np.max(stats.nbinom.isf(_TAIL, alpha, alpha / (alpha + mean)))
    if not most <= _MOST_COUNTS:
        return None
    kernel, total = _KERNELS["negative_binomial"], np.zeros(mean.shape)
    for count in range(int(most) + 1):
        y = np.full(mean.shape, count)
        f, (_, slope), _ = kernel.evaluate(y, (), (np.log(mean), np.log(alpha)), 1)
        total += np.exp(f + kernel.base(y, ())) * slope**2
    return {(0, 0): mean * alpha / (mean + alpha), (1, 1): total}


def _gamma(etas: tuple[Any, ...], data: tuple[Any, ...]) -> Pairs:
    """alpha for the log of the mean, alpha^2 (trigamma(alpha) - 1 / alpha) for the log of alpha."""
    alpha = np.asarray(np.exp(etas[1]), float)
    own = np.where(alpha > _LARGE_SHAPE, 0.5 + 1 / (6 * alpha), alpha**2 * zeta(2, alpha) - alpha)
    return {(0, 0): alpha, (1, 1): own}


def _weibull(etas: tuple[Any, ...], data: tuple[Any, ...]) -> Pairs:
    shape = np.exp(etas[1])
    return {(0, 0): shape**2, (0, 1): -shape * (1 - _EULER), (1, 1): (1 - _EULER) ** 2 + np.pi**2 / 6}


_INFORMATION: Mapping[str, Callable[[tuple[Any, ...], tuple[Any, ...]], Pairs | None]] = {
    **{f"{law}_{link}": _binary(link) for law in ("bernoulli", "binomial") for link in ("logit", "probit", "cloglog")},
    "poisson_log": lambda etas, data: {(0, 0): np.exp(etas[0])},
    "negative_binomial": _negative_binomial,
    "normal": lambda etas, data: {(0, 0): np.exp(-2 * etas[1]), (1, 1): 2.0},
    "normal_known": lambda etas, data: {(0, 0): data[0] ** -2.0},
    "lognormal": lambda etas, data: {(0, 0): np.exp(-2 * etas[1]), (1, 1): 2.0},
    "exponential": lambda etas, data: {(0, 0): 1.0},
    "gamma": _gamma,
    "weibull": _weibull,
}
