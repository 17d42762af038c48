"""The registry of figures, in the order in which a report shows them."""

from collections.abc import Iterator

from ppl_mle.report.binary_figures import BINNED, CALIBRATION, ROC, SEPARATION
from ppl_mle.report.blocks import Picture
from ppl_mle.report.chain_figures import RANKS
from ppl_mle.report.count_figures import DISPERSION, ROOTOGRAM
from ppl_mle.report.fit_figures import CURVE, DENSITIES, FOREST, PAIRS, PROFILES
from ppl_mle.report.normal_figures import LEVERAGE, QUANTILES, RESIDUALS, SCALE_LOCATION
from ppl_mle.report.predictive_figures import CHECK
from ppl_mle.report.scene import FigureOfFit, FigureOfRows, Scene
from ppl_mle.report.survival_figures import SURVIVAL

FIGURES: tuple[FigureOfFit | FigureOfRows, ...] = (
    CURVE,
    FOREST,
    DENSITIES,
    RANKS,
    PROFILES,
    PAIRS,
    RESIDUALS,
    QUANTILES,
    SCALE_LOCATION,
    LEVERAGE,
    BINNED,
    ROC,
    CALIBRATION,
    SEPARATION,
    ROOTOGRAM,
    DISPERSION,
    SURVIVAL,
    CHECK,
)


def draw_pictures(scene: Scene) -> tuple[Picture, ...]:
    """Draw every figure for which there is something to show."""
    return tuple(picture for kind in FIGURES for picture in _pictures(kind, scene))


def _pictures(kind: FigureOfFit | FigureOfRows, scene: Scene) -> Iterator[Picture]:
    if isinstance(kind, FigureOfFit):
        if kind.suits(scene):
            yield Picture(kind.key, kind.title(scene), kind.describe(scene), kind.draw(scene))
        return
    several = len(scene.observed) > 1
    for position, one in enumerate(scene.observed):
        if kind.suits(one):
            key = f"{kind.key}_{position + 1}" if several else kind.key
            yield Picture(key, kind.title(one), kind.describe(one), kind.draw(one))
