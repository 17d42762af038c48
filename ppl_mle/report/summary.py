"""The table of a fit, in the manner of `az.summary`: full precision inside, rounded by one rule when shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from ppl_mle.errors import RequestError
from ppl_mle.inference import Estimates, Results
from ppl_mle.report.facts import header, health_line, is_clean, method_note, notes, verdict
from ppl_mle.report.great import great_table
from ppl_mle.report.rich_table import rich_table, rich_text
from ppl_mle.report.rounding import show_estimate, show_fixed, show_number, show_p, show_se
from ppl_mle.report.tex import escape as tex
from ppl_mle.report.tex import tabular


@dataclass(frozen=True)
class Caption:
    """What stands around the table.

    Parameters
    ----------
    verdict : str or None
        Shown first; None for a fit that converged inside the parameter space.
    header : str
    footer : tuple of str
    fixed : tuple of str
        Labels of fixed elements.
    """

    verdict: str | None
    header: str
    footer: tuple[str, ...]
    fixed: tuple[str, ...]


class Summary(pd.DataFrame):
    """A frame of estimates that prints its verdict, header and footer with it.

    The cells are numbers of full precision; rounding is done when the frame is shown. Rows and columns can be
    selected as of any frame.
    """

    _metadata = ["caption"]  # noqa: RUF012  pandas reads this name from the class
    caption: Caption | None = None

    @property
    def _constructor(self) -> type["Summary"]:
        return Summary

    def shown(self) -> pd.DataFrame:
        """Return the table as text, rounded by the one rule."""
        fixed = self.caption.fixed if self.caption is not None else ()
        columns = [_shown_column(self, position, set(fixed)) for position in range(self.shape[1])]
        frame = pd.DataFrame(dict(enumerate(columns)), index=self.index, dtype=object)
        frame.columns = self.columns
        return frame

    def __repr__(self) -> str:
        text = self.shown().to_string(max_rows=pd.get_option("display.max_rows"))
        if self.caption is None:
            return text
        before = [self.caption.verdict] if self.caption.verdict else []
        return "\n".join([*before, self.caption.header, text, *self.caption.footer])

    def __str__(self) -> str:
        return repr(self)

    def __rich_console__(self, console: Any, options: Any) -> Any:
        """What `rich.print` shows: the verdict of a bad fit, the header, the table, the footer."""
        caption = self.caption
        if caption is not None and caption.verdict:
            yield rich_text(caption.verdict, "bold red")
        if caption is not None:
            yield rich_text(caption.header, "bold")
        yield rich_table(self.shown())
        for line in caption.footer if caption is not None else ():
            yield rich_text(line, "dim")

    def _repr_html_(self) -> str:
        table = self.shown().to_html(escape=True, max_rows=pd.get_option("display.max_rows"))
        if self.caption is None:
            return table
        first = f"<p><strong>{escape(self.caption.verdict)}</strong></p>" if self.caption.verdict else ""
        footer = "<br>".join(escape(line) for line in self.caption.footer)
        return f"<div>{first}<p>{escape(self.caption.header)}</p>{table}<p><small>{footer}</small></p></div>"

    def to_latex(self, buf: Any = None, **options: Any) -> Any:
        """The table as LaTeX with booktabs rules, rounded as it is printed, every name escaped.

        Parameters
        ----------
        buf : path or text file, optional
        **options
            With any of them pandas' own `to_latex` is called, which shows all digits.

        Returns
        -------
        str or None
            None with `buf`.
        """
        if options:
            return pd.DataFrame(self).to_latex(buf, **options)
        text = self._repr_latex_() + "\n"
        if buf is None:
            return text
        if hasattr(buf, "write"):
            buf.write(text)
        else:
            Path(buf).write_text(text, encoding="utf-8")
        return None

    def to_gt(self) -> Any:
        """The table as a `great_tables.GT`, rounded as it is printed, the verdict of a bad fit as its title.

        Returns
        -------
        GT

        Raises
        ------
        RequestError
            great_tables is not installed.
        """
        if self.caption is None:
            return great_table(self.shown())
        first = [self.caption.verdict] if self.caption.verdict else []
        title, subtitle = [*first, self.caption.header, ""][:2]
        return great_table(self.shown(), title, subtitle, self.caption.footer)

    def _repr_latex_(self) -> str:
        shown = self.shown()
        rows = [
            (str(label), [str(cell) for cell in row]) for label, row in zip(shown.index, shown.to_numpy(), strict=True)
        ]
        table = tabular([str(column) for column in shown.columns], rows)
        if self.caption is None:
            return table
        first = [rf"\textbf{{{tex(self.caption.verdict)}}}"] if self.caption.verdict else []
        footer = [rf"{{\small {tex(line)}\par}}" for line in self.caption.footer]
        return "\n\n".join([*first, tex(self.caption.header), table, *footer])


def summarize(
    results: Results,
    ci_prob: float = 0.95,
    var_names: str | Sequence[str] | None = None,
    derived: Mapping[str, Estimates] | None = None,
    bounds: pd.DataFrame | None = None,
) -> Summary:
    """Make the table of a fit.

    Parameters
    ----------
    results : Results
    ci_prob : float
        Content of the intervals.
    var_names : str or sequence of str, optional
        Variables to show, in this order; names that begin with ``~`` are left out instead, as in ArviZ.
    derived : dict of str to Estimates, optional
        Further quantities by name, such as Deterministics; they come after the variables.
    bounds : DataFrame, optional
        Intervals of all these, `lower` and `upper`, with the attribute `method`; Wald intervals by default.

    Returns
    -------
    Summary
        Columns `estimate`, `se` (declared scale), `z`, `p` and the bounds of the interval: `ci95_lb`, `ci95_ub` for a
        content of 0.95. Rows are indexed by ArviZ's labels.

    Raises
    ------
    RequestError
        An unknown name in `var_names`, or `ci_prob` outside (0, 1).
    """
    blocks = {var.name: estimates_table(results.estimates, ci_prob).loc[list(var.labels)] for var in results.variables}
    blocks |= {name: estimates_table(estimates, ci_prob) for name, estimates in (derived or {}).items()}
    table = pd.concat([blocks[name] for name in select_names(var_names, list(blocks))])
    method = "wald"
    if bounds is not None:
        table[list(bound_names(ci_prob))] = bounds.loc[table.index, ["lower", "upper"]].to_numpy()
        method = bounds.attrs["method"]
    summary = Summary(table)
    fixed = tuple(label for label in results.fixed if label in table.index)
    own_scale = (f"{', '.join(derived)}: delta method, interval on its own scale",) if derived else ()
    said = () if bounds is None else tuple(bounds.attrs["notes"])
    footer = (method_note(results, ci_prob, method), *own_scale, *said, *notes(results), health_line(results))
    summary.caption = Caption(None if is_clean(results) else verdict(results), header(results), footer, fixed)
    return summary


def estimates_table(estimates: Estimates, ci_prob: float) -> pd.DataFrame:
    """Estimates, standard errors, z, p and Wald bounds as a frame of full precision, indexed by label."""
    wald = estimates.wald(ci_prob)
    lower, upper = bound_names(ci_prob)
    return pd.DataFrame(
        {
            "estimate": estimates.params,
            "se": estimates.bse,
            "z": estimates.tvalues,
            "p": estimates.pvalues,
            lower: wald["lower"],
            upper: wald["upper"],
        }
    )


def bound_names(ci_prob: float) -> tuple[str, str]:
    """Columns of an interval's bounds, named as ArviZ names those of its own intervals.

    Examples
    --------
    >>> bound_names(0.95), bound_names(0.999)
    (('ci95_lb', 'ci95_ub'), ('ci99.9_lb', 'ci99.9_ub'))
    """
    content = show_number(100 * ci_prob)
    return f"ci{content}_lb", f"ci{content}_ub"


def select_names(var_names: str | Sequence[str] | None, known: Sequence[str]) -> list[str]:
    """Resolve `var_names` as ArviZ does: names in the order given, or all but those that begin with ``~``.

    Raises
    ------
    RequestError
        An unknown name; the nearest known one is suggested.

    Examples
    --------
    >>> select_names(["~sigma"], ["a", "b", "sigma"])
    ['a', 'b']
    """
    if var_names is None:
        return list(known)
    names = [var_names] if isinstance(var_names, str) else list(var_names)
    excluded = [name[1:] for name in names if name.startswith("~") and name not in known]
    for name in excluded or names:
        if name not in known:
            near = get_close_matches(name, known, n=1, cutoff=0.3)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise RequestError(f"var_names={name!r} is no variable of this fit, which has {', '.join(known)}{hint}")
    selected = [name for name in known if name not in excluded] if excluded else names
    if not selected:
        raise RequestError(f"var_names={var_names!r} selects nothing; the variables are {', '.join(known)}")
    return selected


def _shown_column(frame: pd.DataFrame, position: int, fixed: set[str]) -> list[str]:
    name = str(frame.columns[position])
    values = frame.iloc[:, position].tolist()
    errors = frame["se"].tolist() if "se" in frame.columns else [float("nan")] * len(values)
    return [
        _shown_cell(name, value, se, str(label) in fixed)
        for label, value, se in zip(frame.index, values, errors, strict=True)
    ]


def _shown_cell(column: str, value: Any, se: float, fixed: bool) -> str:
    if not isinstance(value, int | float):
        return str(value)
    if column == "se":
        return "fixed" if fixed else show_se(value)
    if fixed and column != "estimate":
        return ""
    if column == "z":
        return show_fixed(value, 2)
    return show_p(value) if column == "p" else show_estimate(value, se)
