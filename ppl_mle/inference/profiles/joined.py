"""Whether a point of a region is joined to the maximum, so that a function does not jump on the way."""

import numpy as np

from ppl_mle.inference.profiles.extreme import FARTHEST, TOUCHING, Region
from ppl_mle.inference.profiles.image import is_pole

_LOOKS = 65


def is_joined(region: Region, y: np.ndarray) -> bool:
    """Whether a path inside the region leads to the maximum, on which the function does not jump."""
    return any(_is_open(region, path) for path in (_straight(y), _natural(region, y)))


def _straight(y: np.ndarray) -> list[np.ndarray]:
    return [share * y for share in np.linspace(0, 1, _LOOKS)]


def _natural(region: Region, y: np.ndarray) -> list[np.ndarray]:
    """As a straight path would be if what left an edge were not on the scale of its logarithm."""
    path = []
    for share in np.linspace(0, 1, _LOOKS)[1:]:
        moved = share * y
        outer = np.abs(y[region.inner :])
        moved[region.inner :] = np.sign(y[region.inner :]) * np.clip(outer + np.log(share), 0, None)
        path.append(moved)
    return [np.zeros(len(y)), *path]


def _is_open(region: Region, path: list[np.ndarray]) -> bool:
    if not all(region.slack(y) > -TOUCHING for y in path):
        return False
    values = np.array([region.value(y) for y in path])
    within = len(path) - (abs(region.scaled(path[-1])) > FARTHEST)
    turns = [i for i in range(1, within) if np.sign(values[i - 1]) * np.sign(values[i]) < 0]
    return not any(_has_pole(region, path[i - 1], path[i]) for i in turns)


def _has_pole(region: Region, one: np.ndarray, other: np.ndarray) -> bool:
    return is_pole(lambda share: region.value((1 - share) * one + share * other), 0.0, 1.0)
