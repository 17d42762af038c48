"""Refits by the thousand, from the estimate: many at once, and by the engines where that does not lead to a maximum."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ppl_mle.errors import PplMleError
from ppl_mle.inference.delta import estimate_declared
from ppl_mle.inference.resampling.climb import Ends, Found, climb_together
from ppl_mle.inference.resampling.edge_refits import drifting, settle_at_edge
from ppl_mle.inference.resampling.neighborhood import Neighborhood
from ppl_mle.inference.resampling.sample import Sample
from ppl_mle.maximize import ENGINES, Maximum, Status, maximize
from ppl_mle.read import Likelihood, one_thread_each
from ppl_mle.read.rows.threads import on_every_core

_ELEMENTS = 1 << 15
_MOST_TOGETHER = 256
_NOTHING = 1e-5

Tick = Callable[[int], None]


@dataclass(frozen=True, eq=False)
class Refits:
    """Estimates from many data sets.

    Parameters
    ----------
    theta : array, shape (B, p)
        Unconstrained values; NaN rows without a maximum.
    values, errors : array, shape (B, q)
        Estimates and standard errors, by the observed information, on the declared scale.
    heights : array, shape (B,)
        The log-density reached, whatever the status; NaN where it was not asked for.
    statuses : tuple of Status
    together : int
        How many were settled together; the rest one by one.
    """

    theta: np.ndarray
    values: np.ndarray
    errors: np.ndarray
    heights: np.ndarray
    statuses: tuple[Status, ...]
    together: int


def refit_all(maximum: Maximum, sample: Sample, tick: Tick = lambda done: None) -> Refits:
    """Fit a likelihood to every data set of a sample, each from the estimate.

    Newton steps are taken for many data sets at once. Those whose steps do not contract to a point with the curvature
    of a maximum are maximized and diagnosed one by one, as any fit is.

    Parameters
    ----------
    maximum : Maximum
    sample : Sample
    tick : callable
        Told how many are done.

    Returns
    -------
    Refits
    """
    table = _Table(maximum, sample.count)
    with np.errstate(all="ignore"), one_thread_each():
        near = Neighborhood.of(maximum)
        if near is not None:
            everyone = np.arange(sample.count)
            ends = _climb(near, sample, everyone, tick)
            table.enter(near, ends, everyone, np.flatnonzero(ends.settled), Status.CONVERGED)
            _settle_at_edges(table, sample, near.theta(ends.u))
    left = np.flatnonzero(~table.done)
    together = sample.count - len(left)
    for position, member in enumerate(left.tolist(), together + 1):
        table.enter_one(member, refit_one(maximum, sample.likelihood(member)))
        tick(position)
    return Refits(table.theta, table.values, table.errors, table.heights, tuple(table.statuses), together)


class _Table:
    """What is entered of the data sets, as it is found."""

    def __init__(self, maximum: Maximum, count: int) -> None:
        self.maximum, self.likelihood = maximum, maximum.plan.likelihood
        self.theta = np.full((count, self.likelihood.size), np.nan)
        self.values = np.full((count, len(self.likelihood.labels)), np.nan)
        self.errors, self.heights = self.values.copy(), np.full(count, np.nan)
        self.done, self.statuses = np.zeros(count, bool), [Status.NOT_CONVERGED] * count

    def enter(self, near: Neighborhood, ends: Ends, members: np.ndarray, place: np.ndarray, status: Status) -> None:
        """Enter maxima that were settled together: those at some places, of the members there."""
        theta = near.theta(ends.u[place])
        inside = _inside(self.likelihood, theta)
        mine, place, theta = members[place][inside], place[inside], theta[inside]
        self.done[mine], self.theta[mine] = True, theta
        self.values[mine] = self.likelihood.mapping.declared(theta)
        spread = near.basis @ np.linalg.inv(ends.curvature[place]) @ near.basis.T
        self.errors[mine] = declared_errors(self.likelihood, theta, self.values[mine], spread)
        for member in mine.tolist():
            self.statuses[member] = status

    def enter_one(self, member: int, found: Maximum | None) -> None:
        """Enter what an engine found."""
        self.done[member] = True
        if found is None:
            return
        self.statuses[member], self.heights[member] = found.status, found.value
        if found.status.converged:
            estimates = estimate_declared(found)
            self.theta[member], self.values[member], self.errors[member] = found.theta, estimates.values, estimates.bse


def _settle_at_edges(table: _Table, sample: Sample, theta: np.ndarray) -> None:
    """Enter the maxima at the lower bound of an element, where the other searches ran to."""
    left = np.flatnonzero(~table.done)
    for coordinate, mine in drifting(table.maximum, theta[left]).items():
        found = settle_at_edge(
            table.maximum,
            coordinate,
            left[mine],
            lambda near, members: _climb(near, sample, members, lambda done: None),
            sample.likelihood,
        )
        if found is not None and len(found.members):
            table.enter(found.near, found.ends, left[mine], found.place, Status.BOUNDARY)
            mine_done = found.members[table.done[found.members]]
            table.values[mine_done, found.position] = table.likelihood.scales[found.position].lower
            table.errors[mine_done, found.position] = np.nan
            table.heights[found.members] = found.heights


def highest(maximum: Maximum, sample: Sample) -> np.ndarray:
    """The supremum of the log-density of every data set of a sample near the estimate, shape (B,); NaN where unknown.

    It may be reached inside, at an edge, or towards infinity: what is asked of a point is that no more than 1e-5
    is to be gained from it.
    """
    count, likelihood = sample.count, maximum.plan.likelihood
    heights, done, theta = np.full(count, np.nan), np.zeros(count, bool), np.zeros((0, 0))
    if len(maximum.held) == likelihood.size:
        done, theta = np.ones(count, bool), np.broadcast_to(maximum.theta, (count, likelihood.size))
    else:
        with np.errstate(all="ignore"), one_thread_each():
            near = Neighborhood.of(maximum)
            if near is not None:
                ends = _climb(near, sample, np.arange(count), lambda done: None)
                done, theta = ends.gain <= _NOTHING, near.theta(ends.u)
    for member in range(count):
        objective = sample.likelihood(member).objective
        if done[member]:
            heights[member] = objective.value_and_gradient(theta[member])[0]
        else:
            found = refit_one(maximum, sample.likelihood(member))
            heights[member] = np.nan if found is None else found.value
    return heights


def refit_one(maximum: Maximum, likelihood: Likelihood) -> Maximum | None:
    """Maximize a likelihood of other data from the estimate, with every check; None where it has no value there."""
    start = None
    if maximum.status is Status.CONVERGED:
        values = maximum.plan.likelihood.mapping.declared(maximum.theta)
        start = {var.name: values[var.declared].reshape(var.shape) for var in likelihood.variables}
    known = any(engine.name == maximum.plan.engine for engine in ENGINES)
    engine = maximum.plan.engine if known else ENGINES[-1].name
    plan = replace(maximum.plan, likelihood=likelihood, held=maximum.held, engine=engine)
    try:
        return maximize(plan, initvals=start, starts=1 if start else None)
    except PplMleError:
        return None


def is_plain(likelihood: Likelihood) -> bool:
    """Whether each declared element is a known function of an unconstrained element of its own."""
    return all(
        var.transform is None or (var.elementwise and all(scale.kind != "identity" for scale in var.scales))
        for var in likelihood.variables
    )


def declared_errors(likelihood: Likelihood, theta: np.ndarray, values: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Standard errors of declared values by the delta method.

    Parameters
    ----------
    likelihood : Likelihood
    theta : array, shape (B, p)
    values : array, shape (B, q)
        Declared values there.
    spread : array, shape (B, p, p)
        Covariances on the unconstrained scale.

    Returns
    -------
    array, shape (B, q)
    """
    if is_plain(likelihood):
        free = np.sqrt(np.diagonal(spread, axis1=1, axis2=2))
        pairs = zip(likelihood.scales, values.T, strict=True)
        return free * np.abs(np.transpose([np.broadcast_to(scale.slope(x), x.shape) for scale, x in pairs]))
    errors = np.empty(values.shape)
    for i, (point, covariance) in enumerate(zip(theta, spread, strict=True)):
        jacobian = likelihood.mapping.jacobian(point)
        errors[i] = np.sqrt(np.einsum("ij,jk,ik->i", jacobian, covariance, jacobian))
    return errors


def _climb(near: Neighborhood, sample: Sample, members: np.ndarray, tick: Tick) -> Ends:
    """Search for some data sets, in blocks whose arrays stay in a core's cache, on every core."""
    length = int(np.clip(_ELEMENTS // max(1, near.rows), 1, _MOST_TOGETHER))
    blocks = [slice(i, min(i + length, len(members))) for i in range(0, len(members), length)]

    def work(run: Sequence[slice]) -> list[Ends]:
        found = []
        for block in run:
            found.append(_climb_block(near, sample, members[block]))
            tick(block.stop)
        return found

    ends = [end for part in on_every_core(work, blocks) for end in part]
    names = ("settled", "gain", "u", "curvature")
    return Ends(*(np.concatenate([getattr(end, name) for end in ends]) for name in names))


def _climb_block(near: Neighborhood, sample: Sample, members: np.ndarray) -> Ends:
    """Search for some data sets; those not asked for are dropped when they are half of what is evaluated."""
    weights = sample.weights(members)
    loaded, densities = np.arange(len(members)), sample.densities(members)

    def evaluate(mine: np.ndarray, u: np.ndarray | None) -> Found:
        nonlocal loaded, densities
        if 2 * len(mine) <= len(loaded) or not np.all(np.isin(mine, loaded)):
            loaded, densities = mine, sample.densities(members[mine])
        own = {i: w[loaded] for i, w in weights.items()}
        if len(mine) == len(loaded):
            return near.evaluate(densities, own, u, len(mine))
        place = np.searchsorted(loaded, mine)
        points = np.zeros((len(loaded), near.basis.shape[1]))
        points[place] = 0.0 if u is None else u
        value, gradient, hessian = near.evaluate(densities, own, points, len(loaded))
        return value[place], gradient[place], hessian[place]

    return climb_together(evaluate, len(members), near.basis.shape[1])


def _inside(likelihood: Likelihood, theta: np.ndarray) -> np.ndarray:
    """Whether points lie in the support of the parameters, as far as no transform keeps them inside."""
    support = likelihood.objective.with_terms(())
    return np.array([bool(np.isfinite(support.value(point))) for point in theta], bool)
