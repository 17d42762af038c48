"""Levenberg-Marquardt for a normal likelihood whose mean is a smooth nonlinear function, finished by exact Newton."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakSet

import numpy as np

from ppl_mle.maximize.gaussian import Gaussian, Mean, as_gaussian
from ppl_mle.maximize.predictor_newton import PredictorNewton
from ppl_mle.maximize.problem import Problem
from ppl_mle.maximize.search import Search
from ppl_mle.plan import Verdict
from ppl_mle.read import Likelihood

_RANK = 1e-12
_DRAWS = 2000
_FEWEST_DRAWS = 50
_ELEMENTS = 2_000_000
_BLOCK = 500_000
_TRIED = 24
_FEW_EVALUATIONS = 12
_FOLLOWED = 4
_SAME = 1e-6
_LOOKED_AT = 20
_DETERMINED = 1e-10
_DECADES = (-1.5, 1.5)
_POSITIVE = 0.75
_CROSSED = 0.75
_BESIDE = 0.1
_BEGUN: WeakSet[Problem] = WeakSet()


@dataclass(frozen=True)
class GaussNewton:
    """Levenberg-Marquardt (More 1978; MINPACK through scipy) on the residuals, then Newton with the exact Hessian.

    Where no start was declared, PyMC's says nothing about the data. Then points are drawn in the units of the data, the
    coordinates in which the mean is affine are put where they are best (Golub and Pereyra 1973), and of the best ones
    the search goes on from the one that ends lowest.

    Parameters
    ----------
    most : int
        Largest number of elements of the Jacobian.
    finish : PredictorNewton
    evaluations : int
        Limit of the first phase.
    """

    most: int = 4_000_000
    finish: PredictorNewton = field(default_factory=PredictorNewton)
    evaluations: int = 400
    name: str = "Gauss-Newton"

    def judge(self, likelihood: Likelihood, dimensions: int) -> Verdict:
        """Suit one normal term with a nonlinear mean and a standard deviation that is known or one parameter."""
        found = as_gaussian(likelihood)
        if isinstance(found, str):
            return Verdict(self.name, False, found)
        if found.linear:
            return Verdict(self.name, False, "the mean is affine: least squares needs no iteration")
        if found.term.count * dimensions > self.most:
            return Verdict(self.name, False, f"the Jacobian has more than {self.most} elements")
        if found.term.count < dimensions:
            return Verdict(self.name, False, "there are fewer rows than parameters")
        return Verdict(self.name, True, "normal likelihood with a smooth nonlinear mean: residuals and their Jacobian")

    def search(self, problem: Problem, x: np.ndarray, tick: Callable[[int, float], None]) -> Search:
        """Search from `x`, a point with finite value and gradient; `tick` is told of the last phase.

        Where the residuals do not tell all parameters apart, Newton's method begins at `x`.
        """
        found = as_gaussian(problem.likelihood)
        near = x if isinstance(found, str) else self._descend(found, problem, x)
        if not problem.value_and_gradient(near)[0] <= problem.value_and_gradient(x)[0]:
            near = x
        return self.finish.search(problem, near, tick)

    def _descend(self, found: Gaussian, problem: Problem, x: np.ndarray) -> np.ndarray:
        columns = found.columns(problem)
        if not len(columns):
            return x
        misfit = _Misfit(found, problem.expand(x), columns)
        starts = [problem.expand(x)[columns]]
        if _is_undeclared(problem, x, columns):
            starts = self._draw_starts(misfit, found, problem, starts[0])
        ends = [misfit.descend(start, self.evaluations) for start in starts]
        determined = [end for end in ends if misfit.has_full_rank(end)]
        if not determined:
            return x
        best = min(determined, key=misfit.size)
        theta = problem.expand(x)
        theta[columns] = best
        if found.deviation is not None and found.deviation in problem.free:
            scale = found.scale(misfit.residuals(best))
            theta[found.deviation] = scale if np.isfinite(scale) else theta[found.deviation]
        return theta[problem.free]

    def _draw_starts(self, misfit: "_Misfit", found: Gaussian, problem: Problem, own: np.ndarray) -> list[np.ndarray]:
        """Draw points in the units of the data, try the best of them, and keep the few that come lowest."""
        mean = misfit.mean
        transformed = problem.is_transformed[np.searchsorted(problem.free, found.columns(problem))]
        count = int(np.clip(_ELEMENTS // (mean.count * (mean.size + 2)), _FEWEST_DRAWS, _DRAWS))
        points = np.vstack([_draw(mean, found, transformed, count - 1), own])
        affine = _affine_coordinates(mean, points[:_LOOKED_AT])
        block = max(1, _BLOCK // (mean.count * (mean.size + 1)))
        sizes = np.concatenate([misfit.settle(points[i : i + block], affine) for i in range(0, count, block)])
        tried = [misfit.descend(points[i], _FEW_EVALUATIONS, affine) for i in _lowest(sizes, _TRIED)]
        sizes = np.array([misfit.size(point) for point in tried])
        return [misfit.descend(tried[i], self.evaluations, affine) for i in _lowest(sizes, _FOLLOWED)]


class _Misfit:
    """The weighted residuals as a function of the coordinates that the mean depends on."""

    def __init__(self, found: Gaussian, theta: np.ndarray, columns: np.ndarray) -> None:
        self.mean = Mean(found, theta, columns)
        self.response = found.response
        self.roots = np.broadcast_to(found.root_weights(), self.response.shape)
        self.worst = 1e10 * max(1.0, float(np.max(np.abs(self.response))))

    def residuals(self, point: np.ndarray) -> np.ndarray:
        left = (self.mean.values(point[None])[0] - self.response) * self.roots
        return np.where(np.isfinite(left), left, self.worst)

    def jacobian(self, point: np.ndarray) -> np.ndarray:
        slopes = self.mean.slopes(point[None])[1][0] * self.roots[:, None]
        return np.where(np.isfinite(slopes), slopes, 0.0)

    def size(self, point: np.ndarray) -> float:
        return float(np.linalg.norm(self.residuals(point)))

    def descend(self, start: np.ndarray, evaluations: int, affine: np.ndarray | None = None) -> np.ndarray:
        """Levenberg-Marquardt over all coordinates, or over those that are not affine with these put where best.

        The Jacobian is then the part of the slopes that the affine coordinates cannot make good (Kaufman 1975).
        """
        from scipy.optimize import least_squares

        affine = np.zeros(0, int) if affine is None else affine
        others = np.setdiff1d(np.arange(len(start)), affine)
        if not len(others):
            return start
        point, seen = start.copy(), dict[str, Any]()

        def residuals(part: np.ndarray) -> np.ndarray:
            point[others] = part
            left, seen["basis"] = self._project(point, affine)
            seen["part"] = part.copy()
            return left

        def jacobian(part: np.ndarray) -> np.ndarray:
            if not np.array_equal(part, seen["part"]):
                residuals(part)
            slopes = self.jacobian(point)[:, others]
            return slopes - seen["basis"] @ (seen["basis"].T @ slopes)

        result = least_squares(
            residuals,
            start[others],
            jacobian,
            method="lm",
            x_scale="jac",
            xtol=1e-14,
            ftol=1e-15,
            gtol=1e-15,
            max_nfev=evaluations,
        )
        residuals(result.x)
        return point.copy()

    def _project(self, point: np.ndarray, affine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Put affine coordinates, in place, where the residuals are least; these, and a basis of what they can do."""
        if not len(affine):
            return self.residuals(point), np.zeros((len(self.response), 0))
        point[affine] = 0.0
        values, slopes = (part[0] for part in self.mean.slopes(point[None]))
        left, steep = (values - self.response) * self.roots, slopes[:, affine] * self.roots[:, None]
        if not (np.isfinite(left).all() and np.isfinite(steep).all()):
            return np.full(len(left), self.worst), np.zeros((len(left), 0))
        lengths = np.sqrt(np.sum(steep**2, axis=0))
        lengths[lengths == 0] = 1.0
        across, singular, along = np.linalg.svd(steep / lengths, full_matrices=False)
        kept = singular > _DETERMINED * singular[0]
        across, parts = across[:, kept], across[:, kept].T @ left
        point[affine] = -(along[kept].T @ (parts / singular[kept])) / lengths
        return left - across @ parts, across

    def has_full_rank(self, point: np.ndarray) -> bool:
        """Whether the Jacobian's columns, each scaled to unit length, are independent."""
        jacobian = self.jacobian(point)
        norms = np.linalg.norm(jacobian, axis=0)
        if not np.all(np.isfinite(norms)) or not np.all(norms > 0):
            return False
        singular = np.linalg.svd(jacobian / norms, compute_uv=False)
        return bool(singular[-1] > _RANK * singular[0])

    def settle(self, points: np.ndarray, affine: np.ndarray) -> np.ndarray:
        """Put affine coordinates of many points, in place, about where the residuals are least; these' sizes."""
        points[:, affine] = 0.0
        values, slopes = self.mean.slopes(points)
        left = (self.response - values) * self.roots
        steep = slopes[:, :, affine] * self.roots[:, None]
        usable = np.isfinite(left).all(axis=1) & np.isfinite(steep).all(axis=(1, 2))
        left, steep = np.where(usable[:, None], left, 0.0), np.where(usable[:, None, None], steep, 0.0)
        lengths = np.sqrt(np.einsum("mnk,mnk->mk", steep, steep))
        steep /= np.where(lengths > 0, lengths, 1.0)[:, None, :]
        gram = steep.transpose(0, 2, 1) @ steep + _DETERMINED * np.eye(len(affine))
        best = np.linalg.solve(gram, steep.transpose(0, 2, 1) @ left[:, :, None])
        points[:, affine] = best[:, :, 0] / np.where(lengths > 0, lengths, 1.0)
        return np.where(usable, np.linalg.norm(left - (steep @ best)[:, :, 0], axis=1), np.inf)


def _is_undeclared(problem: Problem, x: np.ndarray, columns: np.ndarray) -> bool:
    """Whether a problem's first search begins at PyMC's own initial point, or at one beside it that replaces it.

    It is replaced, every coordinate by a little, where the density does not exist there. Later searches of a problem
    are to begin elsewhere.
    """
    if problem in _BEGUN:
        return False
    _BEGUN.add(problem)
    start = problem.likelihood.mapping.start
    if start.is_set:
        return not np.any(problem.expand(x)[columns])
    own = start(None)[problem.free]
    moved = np.abs(x - own)
    beside = bool(np.all(moved > 0) and moved.max() <= _BESIDE)
    return np.array_equal(own, x) or (beside and not np.isfinite(problem.value_and_gradient(own)[0]))


def _lowest(sizes: np.ndarray, most: int) -> list[int]:
    """Positions of the lowest finite numbers that differ."""
    kept: list[int] = []
    for i in np.argsort(sizes, kind="stable"):
        if np.isfinite(sizes[i]) and (not kept or sizes[i] > (1 + _SAME) * sizes[kept[-1]]):
            kept.append(int(i))
    return kept[:most]


def _affine_coordinates(mean: Mean, points: np.ndarray) -> np.ndarray:
    """A set of coordinates in which the mean is affine with the others held."""
    bends = np.any([mean.bends(point) for point in points], axis=0)
    kept: list[int] = []
    for i in range(mean.size):
        if not np.any(bends[i, [*kept, i]]):
            kept.append(i)
    return np.array(kept, int)


def _draw(mean: Mean, found: Gaussian, transformed: np.ndarray, count: int) -> np.ndarray:
    """Points in the units of the data, shape (count, k).

    A coordinate that multiplies a column is drawn against that column's size; any other one has the size of the data,
    or is of the order of one; if it is positive, as a rate is, it may be one over that size. Mostly, a constant is then
    put where its predictor cancels what it is compared with.
    """
    rng = np.random.default_rng(0)
    points = np.empty((count, mean.size))
    spreads = np.array([1.0, *(np.std(part) for part in found.arrays)])
    for i, is_transformed in enumerate(transformed):
        columns = [design[:, i] for design in mean.designs.values() if np.ptp(design[:, i]) > 0]
        sizes = np.array([1 / np.sqrt(np.mean(column**2)) for column in columns]) if columns else spreads
        if is_transformed and not columns:
            sizes = np.concatenate([spreads, 1 / spreads[spreads > 0]])
        drawn = 10.0 ** rng.uniform(*_DECADES, count) * rng.choice(sizes, count)
        signs = np.where(rng.random(count) < (0.5 if columns else _POSITIVE), 1.0, -1.0)
        points[:, i] = np.log(drawn) if is_transformed else signs * drawn
    for k, design in mean.designs.items():
        constants = np.flatnonzero((np.ptp(design, axis=0) == 0) & (design[0] != 0) & ~transformed)
        target = found.meetings.get(k, np.zeros(1)) - mean.offsets[k]
        if len(constants) and (np.ptp(target) > 0 or np.ptp(design, axis=0).any()):
            row = rng.integers(mean.count, size=count)
            missing = np.broadcast_to(target, (mean.count,))[row] - np.sum(points * design[row % len(design)], axis=1)
            crossed = rng.random(count) < _CROSSED
            points[crossed, constants[0]] += missing[crossed] / design[0, constants[0]]
    return points
