"""The sections of a report that depend on what was asked for: posterior, several models, figures, prose, software."""

from typing import Any

import pandas as pd

from ppl_mle.posterior import Agreement
from ppl_mle.report.blocks import Block, Code, Pairs, Section, Text, table_of
from ppl_mle.report.facts import show_count, show_density
from ppl_mle.report.figure_kinds import draw_pictures
from ppl_mle.report.material import Material
from ppl_mle.report.prose import citation, write_paragraph
from ppl_mle.report.rounding import show_estimate, show_fixed, show_number, show_se
from ppl_mle.report.scene import Scene
from ppl_mle.report.side_by_side import set_side_by_side
from ppl_mle.report.tables import show_agreement

_OF_THE_FIT = ("estimate", "se", "ci_lower", "ci_upper")
_METHODS = {
    "nuts": "No-U-Turn sampler",
    "psis": "resampled from an approximation by Pareto-smoothed importance weights",
    "laplace": "normal approximation at the mode",
}
_SAID = (
    "shift_sd: (mean - estimate) / sd; sd_ratio: sd / se; shift_mcse: (mean - estimate) / Monte Carlo error of the "
    "mean; overlap: what both intervals share of what they cover; wasserstein: distance of the draws from the normal "
    "approximation of the estimator, in standard errors, and skewness, both on the unconstrained scale."
)
_WITHOUT_COMMAND = (
    "Made from Python, and no command of ppl-mle makes it again: fit the same model to the same data, and hold the "
    "hashes below to those of that fit."
)
_OF_THE_DRAWS = ("mean", "median", "mode", "sd", "eti_lower", "eti_upper")


def posterior_section(material: Material) -> Section | None:
    """The conclusion first, then both distributions, then how they differ and what the draws are worth."""
    agreement = material.agreement
    if agreement is None:
        return None
    shown = show_agreement(agreement)
    percent = show_number(100 * agreement.ci_prob)
    both = [column for column in (*_OF_THE_FIT, *_OF_THE_DRAWS) if column in shown.columns]
    rest = [column for column in shown.columns if column not in both]
    caption = f"The fit (estimate, se, {percent} % Wald interval) and the posterior (the others; {percent} % eti)"
    blocks: list[Block] = [Text(agreement.conclusion, "strong"), table_of(caption, shown[both])]
    if rest:
        blocks.append(table_of("Differences, and the quality of the draws", shown[rest]))
    blocks.append(Text(_SAID, "note"))
    blocks.append(Pairs(_how_made(agreement, material.idata)))
    return Section("posterior", "Posterior", tuple(blocks))


def _how_made(agreement: Agreement, idata: Any) -> tuple[tuple[str, str], ...]:
    """How the draws were made, and what speaks for them."""
    check, attrs = agreement.check, dict(getattr(idata, "attrs", {}))
    rows = [("Draws", f"{check.chains} chains of {check.draws}")]
    if "method" in attrs:
        rows.append(("Method", _METHODS.get(str(attrs["method"]), str(attrs["method"]))))
    if check.k_hat is not None:
        rows.append(("Pareto k-hat of the weights", show_number(check.k_hat, 3)))
    if check.divergences is not None:
        rows.append(("Divergences", str(check.divergences)))
    if check.bfmi is not None:
        rows.append(("E-BFMI of each chain", ", ".join(show_number(value, 3) for value in check.bfmi)))
    if agreement.loo.result is not None:
        elpd, se = float(agreement.loo.result.elpd), float(agreement.loo.result.se)
        rows.append(("Leave-one-out log predictive density", f"{show_estimate(elpd, se)} (SE {show_se(se)})"))
    if agreement.loo.reason:
        rows.append(("Leave-one-out", agreement.loo.reason))
    return tuple(rows)


def models_section(material: Material) -> Section | None:
    """Several fits side by side: coefficients, one column each, and the ranking or why there is none."""
    models = material.models
    if models is None:
        return None
    side = set_side_by_side(models.results)
    blocks: list[Block] = [table_of("Coefficients of several models", side.frame)]
    blocks += [Text(note, "strong" if position else "note") for position, note in enumerate(side.notes)]
    if models.ranking is None:
        blocks.append(Text(f"No ranking by an information criterion: {models.reason}"))
    else:
        blocks.append(table_of("Ranking by information criterion", _shown_ranking(models.ranking), corner="model"))
    return Section("models", "Several models", tuple(blocks))


def _shown_ranking(ranking: pd.DataFrame) -> pd.DataFrame:
    counts = ("df_model", "nobs")
    rules = {"weight": lambda x: show_fixed(x, 3), "evidence_ratio": lambda x: show_number(x, 4)}
    columns = {}
    for name in map(str, ranking.columns):
        rule = rules.get(name, show_count if name in counts else show_density)
        columns[name] = [rule(float(value)) for value in ranking[name]]
    return pd.DataFrame(columns, index=ranking.index, dtype=object)


def figures_section(material: Material) -> Section:
    """Every figure for which there is something to show."""
    scene = Scene(
        material.results,
        material.ci_prob,
        material.idata,
        material.curve,
        material.observed,
        material.profiles,
        material.contours,
        material.replicates,
        material.replicated_from,
    )
    return Section("figures", "Figures", draw_pictures(scene))


def prose_section(material: Material) -> Section:
    """The paragraph for a paper."""
    return Section("prose", "In words", (Text(write_paragraph(material)),))


def software_section(material: Material) -> Section:
    """Versions, seed, citation, and how to make the report again."""
    recipe = material.recipe
    blocks: list[Block] = [Code(recipe.command) if recipe.command else Text(_WITHOUT_COMMAND)]
    if recipe.seed is not None:
        blocks.append(Text(f"Random seed: {recipe.seed}."))
    blocks.append(Pairs(tuple(material.versions.items())))
    blocks.append(Text(f"To cite: {citation(material)}"))
    blocks.append(Text(f"Model {material.results.model_hash}, data {material.results.data_hash}.", "note"))
    return Section("software", "Software and how to reproduce", tuple(blocks))
