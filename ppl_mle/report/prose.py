"""A paragraph for a paper, and how to cite: every number is that of the tables."""

import pandas as pd

from ppl_mle.report.exponentiated import Ratios, exponentiate
from ppl_mle.report.facts import INTERVALS, covariance_note, show_count, show_density, verdict
from ppl_mle.report.material import Material
from ppl_mle.report.rounding import show_estimate, show_number, show_se

_MOST = 12
_ESTIMATORS = {"MLE": "maximum likelihood", "MAP": "posterior mode (MAP)"}


def write_paragraph(material: Material) -> str:
    """What was done and found, in sentences."""
    results = material.results
    how = _ESTIMATORS[results.estimator]
    if not results.converged:
        return f"The model was fitted by {how}, without success, so no estimates are reported. {verdict(results)}"
    return " ".join([*_opening(material, how), *_found(material), *_ratios(material), *_posterior(material)])


def citation(material: Material) -> str:
    """What to cite."""
    own = f"ppl_mle {material.versions.get('ppl_mle', '')}".strip()
    pymc = f"PyMC {material.versions.get('pymc', '')}".strip()
    return (
        f"{own}: maximum likelihood, MAP and the posterior from one declared PyMC model. {pymc}: Abril-Pla et al. "
        "(2023), PyMC: a modern and comprehensive probabilistic programming framework in Python, PeerJ Computer "
        "Science 9, e1516."
    )


def shown_ratios(material: Material, ratios: Ratios) -> pd.DataFrame:
    """The table of exponentials as text, each to the precision of its standard error."""
    frame = exponentiate(ratios, material.table)
    columns: dict[str, list[str]] = {}
    for name in frame.columns:
        pairs = zip(frame[name], frame["se"], strict=True)
        columns[str(name)] = [_shown(str(name), value, se) for value, se in pairs]
    if "p" in material.table.columns:
        columns["p"] = material.table.shown()["p"].loc[frame.index].tolist()
    shown = pd.DataFrame(columns, index=frame.index, dtype=object)
    return shown.assign(reads_as=["level" if label in ratios.baselines else ratios.name for label in shown.index])


def _shown(column: str, value: float, se: float) -> str:
    return show_se(value) if column == "se" else show_estimate(value, se)


def _opening(material: Material, how: str) -> list[str]:
    results = material.results
    responses = ", ".join(one.name for one in material.observed)
    of = f" of {responses}" if responses else ""
    criteria = f", AIC {show_density(results.aic)}" if results.likelihood_only else ""
    edge = "" if results.status.name == "CONVERGED" else f" {results.sentence}"
    intervals = f"{show_number(100 * material.ci_prob)} % intervals"
    return [
        f"The model was fitted by {how} to {show_count(results.nobs)} observations{of}; the search ended in a "
        f"certified maximum ({results.status.name}).{edge} The log-likelihood is {show_density(results.llf)} with "
        f"{results.df_model} free dimensions{criteria}.",
        f"Standard errors (SE) are from the {covariance_note(results)}; {intervals} (CI) are "
        f"{INTERVALS[material.interval_method]}.",
    ]


def _found(material: Material) -> list[str]:
    shown = material.table.shown()
    bounds = [column for column in shown.columns if str(column).endswith(("_lb", "_ub"))]
    parts = []
    for label, row in shown.iloc[:_MOST].iterrows():
        if row["se"] == "fixed":
            parts.append(f"{label} was held at {row['estimate']}")
            continue
        tested = "" if row["p"] == "NaN" else f", z {row['z']}, p {row['p']}"
        inside = f"SE {row['se']}, CI {row[bounds[0]]} to {row[bounds[1]]}{tested}"
        parts.append(f"{label} = {row['estimate']} ({inside})")
    more = f"; the other {len(shown) - _MOST} are in the table" if len(shown) > _MOST else ""
    return [f"Estimates: {'; '.join(parts)}{more}."]


def _ratios(material: Material) -> list[str]:
    said = []
    for ratios in material.ratios:
        shown = shown_ratios(material, ratios)
        bounds = [column for column in shown.columns if str(column).endswith(("_lb", "_ub"))]
        rows = shown[shown["reads_as"] != "level"].iloc[:_MOST].iterrows()
        parts = [f"{label} {row['exp(estimate)']} (CI {row[bounds[0]]} to {row[bounds[1]]})" for label, row in rows]
        if parts:
            said.append(f"Exponentials ({ratios.name}): {'; '.join(parts)}.")
    return said


def _posterior(material: Material) -> list[str]:
    return [] if material.agreement is None else [material.agreement.conclusion]
