"""Trust-region Newton with the exact Hessian, in units set by the curvature: the general engine."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ppl_mle.maximize.local import look_closely
from ppl_mle.maximize.problem import Problem
from ppl_mle.maximize.quadratic import Quadratic
from ppl_mle.maximize.scaling import equilibrate
from ppl_mle.maximize.search import Search, Stop
from ppl_mle.plan import Verdict
from ppl_mle.read import Likelihood

GOAL = 1e-16
_NO_BETTER = 1e-20
_QUADRATIC = 1e-3
_NEARLY = 1e-6
_BESIDE = 1e-18
_EPS = float(np.finfo(float).eps)
_SMALLEST_STEP = 1e-13
_REMEMBERED = 12


@dataclass(frozen=True)
class Newton:
    """Trust-region Newton on the unconstrained scale.

    The radius is measured in the units that give the Hessian a unit diagonal at the current point, so the path does
    not depend on the units of the data. The search ends when the decrement g' H^-1 g / 2 is below 1e-16, or when
    Newton steps no longer reduce it, which is the rounding floor of the gradient.

    Parameters
    ----------
    most : int
        Largest number of dimensions the engine takes.
    iterations : int
        Limit.
    goal : float
        Decrement to stop at.
    """

    most: int = 500
    iterations: int = 300
    goal: float = GOAL
    name: str = "Newton"

    def judge(self, likelihood: Likelihood, dimensions: int) -> Verdict:
        """Suit up to `most` dimensions: an eigendecomposition per step."""
        suits = dimensions <= self.most
        bound = "at most" if suits else "more than"
        return Verdict(self.name, suits, f"{dimensions} dimensions, {bound} {self.most}: exact Hessian at every step")

    def search(self, problem: Problem, x: np.ndarray, tick: Callable[[int, float], None]) -> Search:
        """Search from `x`, a point with finite value and gradient; `tick` is told every iteration."""
        walk = _Walk(problem, x)
        stop: Stop = "limit"
        for iteration in range(self.iterations):
            tick(iteration, -walk.value)
            if not walk.look():
                stop = "stuck"
                break
            if walk.flat:
                walk.settle()
                stop = "flat"
                break
            if walk.definite and walk.edm <= self.goal:
                if GOAL >= walk.edm > _NO_BETTER:
                    walk.polish()
                stop = "edm"
                break
            if walk.definite and walk.indistinct:
                if not walk.polish():
                    stop = "rounding"
                    break
            elif not walk.advance() and not (walk.definite and walk.edm < _NEARLY and walk.polish()):
                stop = "stuck"
                break
        return walk.end(stop, iteration + 1)


class _Walk:
    """The moving point of one search, with the local quadratic around it."""

    quadratic: Quadratic
    before: float = 0.0
    frame: np.ndarray | None = None
    bent: bool = False

    def __init__(self, problem: Problem, x: np.ndarray) -> None:
        self.problem, self.x = problem, np.array(x, float)
        self.value, self.gradient = problem.visit(self.x)
        self.units = np.maximum(1.0, np.abs(self.x)) * 1e-2
        self.radius = np.nan
        self.origin = self.x
        self.path = [(self.x, self.gradient)]

    def look(self) -> bool:
        """Take the curvature at the point; False where it does not exist."""
        matrix = self.problem.hessian(self.x, self.units)
        if not np.all(np.isfinite(matrix)):
            return False
        self.frame = None
        own = matrix.diagonal()
        if own.min(initial=1.0) > 0:
            self._measure(matrix, 1 / np.sqrt(own))
        if not (own.min(initial=1.0) > 0 and self.quadratic.is_clearly_definite):
            units = equilibrate(matrix, self.gradient, self.x)
            if not np.all(np.isfinite(matrix * np.outer(units, units))):
                return False
            self._measure(matrix, units)
        if self.quadratic.has_descent:
            self.bent = True
        elif self.problem.has_rows and not self.quadratic.is_clearly_definite:
            self._whiten()
        if np.isnan(self.radius):
            self.radius = 2 * max(1.0, float(np.linalg.norm(self.quadratic.slope)))
        return True

    def _measure(self, matrix: np.ndarray, units: np.ndarray) -> None:
        self.units = units
        self.quadratic = Quadratic(matrix * units * units[:, None], units * self.gradient)

    def _whiten(self) -> None:
        """Take an ill-conditioned quadratic in a basis that whitens it, where the curvature is summed from A T.

        That loses digits with the condition number of the design and not with its square, as a QR step would.
        """
        local = look_closely(self.problem, self.x, self.gradient, self.units)
        if local.exists and not np.any(local.null) and np.all(local.curvature > 0):
            self.frame = local.axes
            self.quadratic = Quadratic(np.diag(local.curvature), self._pulled(self.gradient))

    def _moved(self, move: np.ndarray) -> np.ndarray:
        """A step of the quadratic as one of the free coordinates."""
        return self.units * move if self.frame is None else self.frame @ move

    def _pulled(self, gradient: np.ndarray) -> np.ndarray:
        """A gradient in the coordinates of the quadratic."""
        return self.units * gradient if self.frame is None else self.frame.T @ gradient

    @property
    def definite(self) -> bool:
        return self.quadratic.definite

    @property
    def flat(self) -> bool:
        """No decrease above rounding ahead, and no direction of negative curvature: a ridge or a plateau."""
        if self.definite or self.quadratic.has_descent:
            return False
        slope = self.quadratic.slope
        return 0.5 * float(slope @ slope) <= GOAL or self.quadratic.solid_decrement(slope) <= self._visible

    @property
    def edm(self) -> float:
        return self.quadratic.edm

    @property
    def indistinct(self) -> bool:
        """The predicted decrease is below the rounding of the value, which then cannot judge a step."""
        return self.edm <= self._visible

    @property
    def _visible(self) -> float:
        """Smallest decrease that rounding of the value does not hide."""
        return 100 * _EPS * max(1.0, abs(self.value))

    def polish(self) -> bool:
        """Take the Newton step if it reduces the decrement, measured with the curvature at hand."""
        x = self.x + self._moved(self.quadratic.newton)
        close = self.frame is None and self.edm <= min(_BESIDE, _QUADRATIC * self.before)
        value, gradient = self.problem.visit_beside(x, self.x) if close else self.problem.visit(x)
        if not np.isfinite(value) or self.quadratic.decrement(self._pulled(gradient)) >= 0.5 * self.edm:
            return False
        self._accept(x, value, gradient)
        return True

    def settle(self) -> None:
        """On a ridge or a plateau, take the Newton step across it if it reduces the decrement there."""
        step = -self._moved(self.quadratic.solid_solve(self.quadratic.slope))
        value, gradient = self.problem.visit(self.x + step)
        before = self.quadratic.solid_decrement(self.quadratic.slope)
        if np.isfinite(value) and self.quadratic.solid_decrement(self._pulled(gradient)) < before:
            self._accept(self.x + step, value, gradient)

    def advance(self) -> bool:
        """Take the first step inside a shrinking ball that decreases the value enough; False when there is none."""
        while True:
            move = self.quadratic.step(self.radius)
            length = float(np.linalg.norm(move))
            predicted = self.quadratic.decrease(move)
            step = self._moved(move)
            worth_trying = length >= _SMALLEST_STEP and predicted > 0  # False also for NaN
            if not worth_trying or np.array_equal(self.x + step, self.x):
                return False
            value, gradient = self.problem.visit(self.x + step)
            ratio = (self.value - value) / predicted if np.isfinite(value) else -np.inf
            if ratio < 0.25:
                self.radius = 0.25 * length if ratio > -np.inf else 0.1 * length
            elif ratio > 0.75 and length > 0.8 * self.radius:
                self.radius *= 3
            if ratio > 1e-4:
                self._accept(self.x + step, value, gradient)
                return True

    def end(self, stop: Stop, iterations: int) -> Search:
        path = tuple(self.path)
        return Search(self.x, self.value, self.gradient, self.units, stop, iterations, path, self.origin, self.bent)

    def _accept(self, x: np.ndarray, value: float, gradient: np.ndarray) -> None:
        self.before = self.edm
        self.x, self.value, self.gradient = x, value, gradient
        self.path = [*self.path[-_REMEMBERED:], (x, gradient)]
