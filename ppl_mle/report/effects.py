"""The fitted mean against each predictor with the others at their means, with its confidence band."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ppl_mle.errors import RequestError
from ppl_mle.inference import Results
from ppl_mle.inference.predictions.prediction import predict_frame, predicted_mean
from ppl_mle.maximize import Maximum
from ppl_mle.read.responding import Response
from ppl_mle.report.derived_columns import Rule, followers, move
from ppl_mle.report.effect_design import Design, Movable, find_movable, names_of, read_design
from ppl_mle.report.some_rows import spread_rows

MOST_PANELS = 12
_GRID = 100
_RUG = 200
_LEVELS = 30
_IDENTITY = 1e-9


@dataclass(frozen=True, eq=False)
class EffectPanel:
    """The fitted mean against one predictor.

    Parameters
    ----------
    name : str
        Of the predictor, or of the variable that has a value for each level of a factor.
    place, mean, lower, upper : array, shape (m,)
        Values of the predictor, or positions of levels, and the mean there with the bounds of its band.
    levels : tuple of str
        Of a factor or an indicator; empty where the predictor is numeric.
    x, partial : array, shape (s,)
        Partial residuals of the rows shown; `partial` is empty where there are none, and `x` then a rug.
    follows : tuple of str
        Columns that are functions of the predictor and move with it.
    """

    name: str
    place: np.ndarray
    mean: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    levels: tuple[str, ...]
    x: np.ndarray
    partial: np.ndarray
    follows: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Effects:
    """The panels of one response.

    Parameters
    ----------
    name : str
        Of the response.
    panels : tuple of EffectPanel
    rows, shown : int
        Rows of the response, and those whose partial residuals are shown.
    left_out : tuple of str
        Sentences on columns without a panel.
    """

    name: str
    panels: tuple[EffectPanel, ...]
    rows: int
    shown: int
    left_out: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Plan:
    """One panel before it is evaluated: what moves to which values."""

    name: str
    place: np.ndarray
    levels: tuple[str, ...]
    moved: Mapping[int, np.ndarray]
    positions: tuple[int, ...]
    follows: tuple[str, ...] = ()


def find_effects(
    results: Results, maximum: Maximum, response: Response, containers: Mapping[str, Any], ci_prob: float
) -> Effects | str:
    """The effect of each predictor of a response.

    The mean is that of `get_prediction` at rows of the design in which one column takes the values of a grid and the
    others are at their means; the band is pointwise and by the delta method on the scale of the linear predictor. In a
    normal model whose mean is affine the data are partial residuals: the curve at the row's value plus its residual
    (component plus residual: Fox 2016, section 12.3).

    Parameters
    ----------
    results : Results
        Of a fit that converged.
    maximum : Maximum
    response : Response
        At the fitted data.
    containers : dict of str to array
        Data vectors of the model, which give columns their names.
    ci_prob : float

    Returns
    -------
    Effects, or str
        Why there are none; empty where no predictor moves the mean.
    """
    design = read_design(maximum, response)
    if isinstance(design, str):
        return design
    if not design.moving:
        return ""
    names = names_of(design, containers)
    movable = find_movable(design, names)
    plans = _plans(design, movable, names)
    said = [*movable.left_out, *_too_many(plans, design, movable)]
    plans = plans[:MOST_PANELS]
    if not plans:
        return " ".join(["no column of its design can be moved alone.", *said]).removesuffix(".")
    try:
        panels = _panels(results, maximum, response, design, plans, movable.rules, ci_prob)
    except RequestError as exc:
        return str(exc).removesuffix(".")
    shown = len(panels[0].x) if len(panels[0].partial) else 0
    return Effects(response.name, panels, len(design.matrix), shown, tuple(said))


def _panels(
    results: Results,
    maximum: Maximum,
    response: Response,
    design: Design,
    plans: Sequence[_Plan],
    rules: Mapping[int, Rule],
    ci_prob: float,
) -> tuple[EffectPanel, ...]:
    """Every panel with its band and data."""
    means = design.matrix.mean(axis=0)
    bounds = _evaluate(results, maximum, design, plans, means, rules, ci_prob)
    rows = _residual_rows(maximum, response, design)
    panels = []
    for plan, (mean, lower, upper) in zip(plans, bounds, strict=True):
        x, partial = _data(maximum, response, design, plan, means, rules, rows)
        panels.append(EffectPanel(plan.name, plan.place, mean, lower, upper, plan.levels, x, partial, plan.follows))
    return tuple(panels)


def _plans(design: Design, movable: Movable, names: Mapping[int, str]) -> list[_Plan]:
    """Panels in the order of the columns."""
    plans = []
    for place in movable.singles:
        column = design.matrix[:, place]
        follows = tuple(names[other] for other in followers(place, movable.rules))
        ends = np.array([column.min(), column.max()])
        if np.isin(column, (0, 1)).all():
            plans.append(_Plan(names[place], ends, ("0", "1"), {place: ends}, (place,), follows))
        else:
            grid = np.linspace(ends[0], ends[1], _GRID)
            plans.append(_Plan(names[place], grid, (), {place: grid}, (place,), follows))
    for own in movable.factors:
        if len(own) <= _LEVELS:
            labels = [design.labels[place] for place in own]
            levels = tuple(label[label.index("[") + 1 : -1] for label in labels)
            moved = dict(zip(own, np.eye(len(own)), strict=True))
            plans.append(_Plan(labels[0].split("[", 1)[0], np.arange(len(own)), levels, moved, own))
    return sorted(plans, key=lambda plan: plan.positions)


def _too_many(plans: Sequence[_Plan], design: Design, movable: Movable) -> Iterator[str]:
    for own in movable.factors:
        if len(own) > _LEVELS:
            variable = design.labels[own[0]].split("[", 1)[0]
            yield f"{variable} has no panel: its {len(own)} levels are too many for one."
    if len(plans) > MOST_PANELS:
        yield f"The first {MOST_PANELS} of {len(plans)} predictors are shown."


def _evaluate(
    results: Results,
    maximum: Maximum,
    design: Design,
    plans: Sequence[_Plan],
    means: np.ndarray,
    rules: Mapping[int, Rule],
    ci_prob: float,
) -> list[np.ndarray]:
    """Mean, lower and upper bound of every panel, shape (3, m) each."""
    rows = np.vstack([move(means, plan.moved, rules) for plan in plans])
    frame = predict_frame(results, maximum, design.at(rows), ci_prob=ci_prob, interval=False).frame
    values = frame[["mean", "mean_ci_lower", "mean_ci_upper"]].to_numpy(float).T
    return np.split(values, np.cumsum([len(plan.place) for plan in plans])[:-1], axis=1)


def _residual_rows(maximum: Maximum, response: Response, design: Design) -> np.ndarray | None:
    """Rows whose partial residuals are shown, where they have any: at random, and the ten farthest to either side."""
    if response.law.kind != "plain" or response.law.name != "Normal":
        return None
    mean, residual = _mean_and_residual(maximum, response)
    predictor = design.function.predictor(design.position)
    eta = predictor.offset + design.matrix @ maximum.theta[design.columns]
    if not np.abs(mean - eta).max() <= _IDENTITY * (1 + np.abs(mean).max()):
        return None
    return spread_rows(residual)


def _mean_and_residual(maximum: Maximum, response: Response) -> tuple[np.ndarray, np.ndarray]:
    mean = predicted_mean(maximum, response)
    return mean, np.ravel(np.asarray(response.values, float)) - mean


def _data(
    maximum: Maximum,
    response: Response,
    design: Design,
    plan: _Plan,
    means: np.ndarray,
    rules: Mapping[int, Rule],
    rows: np.ndarray | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Places of the rows, and their partial residuals; without these a rug of the predictor's quantiles."""
    own = design.matrix[:, list(plan.positions)]
    if rows is None:
        kept = np.unique(np.linspace(0, len(own) - 1, min(_RUG, len(own))).astype(int))
        return (np.empty(0) if plan.levels else np.sort(own[:, 0])[kept]), np.empty(0)
    shown = own[rows]
    moved = {place: shown[:, k] for k, place in enumerate(plan.positions)}
    level = design.offset + move(means, moved, rules) @ maximum.theta[design.columns]
    _, residual = _mean_and_residual(maximum, response)
    return (shown.argmax(axis=1) if len(plan.positions) > 1 else shown[:, 0]), level + residual[rows]
