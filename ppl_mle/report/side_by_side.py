"""Several fits in one table: coefficients, one column per fit, and statistics below."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import pandas as pd

from ppl_mle.inference import Results
from ppl_mle.report.facts import show_count, show_density, statistics
from ppl_mle.report.great import great_table
from ppl_mle.report.rounding import show_estimate, show_se


@dataclass(frozen=True, eq=False)
class SideBySide:
    """Several fits as a table of text, rounded by the one rule.

    Parameters
    ----------
    frame : DataFrame
        One column per fit; a row per element, `estimate (standard error)`, then `status`, `n`, `df`, `log-likelihood`,
        `AIC` and `BIC`. What a fit does not have is an empty cell.
    notes : tuple of str
        How to read it, and which fits did not converge.
    """

    frame: pd.DataFrame
    notes: tuple[str, ...]

    def to_gt(self) -> Any:
        """The table as a `great_tables.GT`.

        Returns
        -------
        GT

        Raises
        ------
        RequestError
            great_tables is not installed.
        """
        return great_table(self.frame, "Coefficients of several models", notes=self.notes)

    def __repr__(self) -> str:
        return "\n".join([self.frame.to_string(), *self.notes])

    def _repr_html_(self) -> str:
        notes = "<br>".join(map(escape, self.notes))
        return f"<div>{self.frame.to_html(escape=True)}<p><small>{notes}</small></p></div>"


def set_side_by_side(results: Mapping[str, Results]) -> SideBySide:
    """Set fits side by side.

    Parameters
    ----------
    results : dict of str to Results

    Returns
    -------
    SideBySide
    """
    labels = list(dict.fromkeys(label for one in results.values() for label in one.estimates.labels))
    columns = {name: _column(one, labels) for name, one in results.items()}
    frame = pd.DataFrame(columns, index=labels, dtype=object)
    below = pd.DataFrame({name: _below(one) for name, one in results.items()}, dtype=object)
    bad = tuple(
        f"{name} did not converge ({one.status.name}): {one.sentence}"
        for name, one in results.items()
        if not one.converged
    )
    return SideBySide(pd.concat([frame, below]), ("Estimates with standard errors in parentheses.", *bad))


def _column(results: Results, labels: list[str]) -> list[str]:
    params, errors = results.estimates.params, results.estimates.bse
    cells = []
    for label in labels:
        if label not in params.index:
            cells.append("")
            continue
        value, se = float(params[label]), float(errors[label])
        inside = "fixed" if label in results.fixed else show_se(se)
        cells.append(f"{show_estimate(value, se)} ({inside})")
    return cells


def _below(results: Results) -> Mapping[str, str]:
    named = dict(statistics(results))
    defined = {key: value for key, value in named.items() if key in ("AIC", "BIC") and "not defined" not in value}
    return {
        "status": results.status.name,
        "n": show_count(results.nobs),
        "df": str(results.df_model),
        "log-likelihood": show_density(results.llf),
        "AIC": defined.get("AIC", ""),
        "BIC": defined.get("BIC", ""),
    }
