"""The sections of a report that every fit has: verdict, model, data, method, estimates, statistics."""

from ppl_mle.report.blocks import Block, Bullets, Formulas, Heading, Pairs, Section, Table, Text, Verdict, table_of
from ppl_mle.report.facts import (
    INTERVALS,
    covariance_note,
    health,
    is_clean,
    method_note,
    notes,
    show_count,
    statistics,
)
from ppl_mle.report.material import Material
from ppl_mle.report.prose import shown_ratios
from ppl_mle.report.rounding import show_number
from ppl_mle.report.tables import show_reference


def verdict_section(material: Material) -> Section:
    """How the fit ended, what that rests on, and what was found on the way."""
    results = material.results
    level = "good" if is_clean(results) else "edge" if results.converged else "bad"
    blocks: list[Block] = [Verdict(results.status.name, results.sentence, level)]  # type: ignore[arg-type]
    blocks += [Heading("Health of the fit"), Pairs(health(results))]
    findings = notes(results)
    if findings:
        blocks += [Heading("Findings"), Bullets(findings)]
    return Section("verdict", "Verdict", tuple(blocks))


def model_section(material: Material) -> Section | None:
    """The model in words and in mathematics."""
    blocks: list[Block] = []
    if material.model_text:
        blocks.append(Text(material.model_text))
    if material.statements:
        blocks.append(Formulas(material.statements))
        arrays = ", ".join(f"{s.name} over {', '.join(s.dims)}" for s in material.statements if s.dims)
        along = f" Dimensions: {arrays}." if arrays else ""
        priors = (
            " Priors of parameters enter a maximum-likelihood fit only by their support."
            if material.results.estimator == "MLE"
            else ""
        )
        blocks.append(Text(f"As declared; operations on arrays are element by element.{along}{priors}", "note"))
    return Section("model", "Model", tuple(blocks)) if blocks else None


def data_section(material: Material) -> Section:
    """How many observations there are, and what each array holds."""
    results = material.results
    blocks: list[Block] = [Text(material.data_text)] if material.data_text else []
    left_out = "".join(
        f" Rows of {name} left out because the response is missing: {count}."
        for name, count in results.missing.items()
        if count
    )
    blocks.append(Text(f"Observations: {show_count(results.nobs)}.{left_out}"))
    if material.data is not None and len(material.data):
        blocks.append(table_of("Arrays of the model", material.data, corner="array"))
    return Section("data", "Data", tuple(blocks))


def method_section(material: Material) -> Section:
    """Estimator, covariance and intervals by name."""
    results = material.results
    estimator = {"MLE": "maximum likelihood", "MAP": "maximum a posteriori: likelihood times priors"}
    penalty = {"": "", "jeffreys": ", with Jeffreys' penalty (Firth 1993)"}
    rows = [
        ("Estimator", estimator[results.estimator] + penalty.get(results.penalty, f", with {results.penalty}")),
        ("Covariance", covariance_note(results)),
        ("Intervals", f"{show_number(100 * material.ci_prob)} %, {INTERVALS[material.interval_method]}"),
        ("p-values", "Wald, the element is zero; none where zero is not inside the support"),
    ]
    return Section("method", "Method", (Pairs(tuple(rows)),))


def estimates_section(material: Material) -> Section:
    """The table of estimates, and of exponentials where the link makes them ratios."""
    percent = show_number(100 * material.ci_prob)
    blocks: list[Block] = []
    if not material.results.converged:
        blocks.append(Text("The fit did not converge: see the verdict before using these numbers.", "strong"))
    blocks.append(table_of(f"Estimates with {percent} % intervals", material.table.shown()))
    blocks.append(Text(method_note(material.results, material.ci_prob, material.interval_method), "note"))
    for ratios in material.ratios:
        shown = shown_ratios(material, ratios)
        blocks.append(table_of(f"Exponentials of the coefficients ({ratios.link} link: {ratios.name})", shown))
        blocks.append(
            Text("se: delta method; the bounds are the exponentials of those above. A level is no ratio.", "note")
        )
    return Section("estimates", "Estimates", tuple(blocks))


def reference_section(material: Material) -> Section | None:
    """Answers of other programs beside ours."""
    if material.reference is None or material.reference.empty:
        return None
    shown = show_reference(material.results.estimates, material.reference)
    table: Table = table_of("Reference answers beside ours", shown)
    said = "Relative difference: (estimate - reference) / |reference|; the difference itself where the reference is 0."
    return Section("reference", "Reference answers", (table, Text(said, "note")))


def statistics_section(material: Material) -> Section:
    """Log-likelihood and information criteria."""
    blocks: tuple[Block, ...] = (Pairs(statistics(material.results)), *(Text(note) for note in material.notes))
    return Section("statistics", "Fit statistics", blocks)
