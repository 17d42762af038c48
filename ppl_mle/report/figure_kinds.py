"""The registry of figures, in the order in which a report shows them."""

from collections.abc import Iterator
from dataclasses import replace

from ppl_mle.report.binary_figures import BINNED, CALIBRATION, ROC, SEPARATION
from ppl_mle.report.blocks import Picture, Text
from ppl_mle.report.chain_figures import RANKS
from ppl_mle.report.count_figures import DISPERSION, ROOTOGRAM
from ppl_mle.report.effect_figures import EFFECTS
from ppl_mle.report.fit_figures import CURVE, DENSITIES, FOREST, PAIRS, PROFILES
from ppl_mle.report.normal_figures import LEVERAGE, QUANTILES, RESIDUALS, SCALE_LOCATION
from ppl_mle.report.observed import Observed
from ppl_mle.report.predictive_figures import CHECK
from ppl_mle.report.scene import FigureOfFit, FigureOfRows, Scene
from ppl_mle.report.survival_figures import SURVIVAL
from ppl_mle.report.thinning import of_rows, pooled, thinned, words_of_shown

FIGURES: tuple[FigureOfFit | FigureOfRows, ...] = (
    CURVE,
    EFFECTS,
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
SHOWS_ROWS = (RESIDUALS, SCALE_LOCATION, LEVERAGE, SEPARATION)


def draw_pictures(scene: Scene) -> tuple[Picture | Text, ...]:
    """Draw every figure for which there is something to show; a sentence stands where one is missing for a reason."""
    blocks = [block for kind in FIGURES for block in _blocks(kind, scene)]
    return tuple(blocks if scene.results.converged else [_of_failure(scene), *blocks])


def _blocks(kind: FigureOfFit | FigureOfRows, scene: Scene) -> Iterator[Picture | Text]:
    yield from _of_fit(kind, scene) if isinstance(kind, FigureOfFit) else _of_rows(kind, scene)
    yield from (Text(one.absent[kind.key], "note") for one in scene.observed if kind.key in one.absent)


def _of_fit(kind: FigureOfFit, scene: Scene) -> Iterator[Picture]:
    if not kind.suits(scene):
        return
    shown = replace(scene, observed=tuple(map(_as_checked, scene.observed))) if kind is CHECK else scene
    said = [kind.describe(shown), *(one.remarks[kind.key] for one in scene.observed if kind.key in one.remarks)]
    yield Picture(kind.key, kind.title(shown), " ".join(said), kind.draw(shown))


def _of_rows(kind: FigureOfRows, scene: Scene) -> Iterator[Picture]:
    for position, one in enumerate(scene.observed):
        if not kind.suits(one):
            continue
        key = f"{kind.key}_{position + 1}" if len(scene.observed) > 1 else kind.key
        some = words_of_shown(one) if kind in SHOWS_ROWS else ""
        title = f"{kind.title(one)} ({some})" if some else kind.title(one)
        said = [kind.describe(one), f"{some}." if some else "", one.remarks.get(kind.key, "")]
        yield Picture(key, title, " ".join(filter(None, said)), kind.draw(thinned(one) if some else one))


def _as_checked(one: Observed) -> Observed:
    """The rows of which data sets were drawn."""
    return pooled(one if one.checked is None else of_rows(one, one.checked))


def _of_failure(scene: Scene) -> Text:
    return Text(
        "No fitted curves, effects, profiles, figures of rows or predictive checks: these show a fit that converged, "
        f"and this one is {scene.results.status.name}.",
        "note",
    )
