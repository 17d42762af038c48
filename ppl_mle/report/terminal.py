"""Tables on a terminal, and the same as plain text in a file or a pipe."""

from typing import IO, TYPE_CHECKING

import pandas as pd

from ppl_mle.posterior import Agreement, DrawsCheck
from ppl_mle.report.rich_table import rich_table, rich_text
from ppl_mle.report.rounding import show_number
from ppl_mle.report.summary import Summary
from ppl_mle.report.tables import show_agreement

if TYPE_CHECKING:
    from rich.console import Console

UNLIMITED = 1_000_000


def print_summary(summary: Summary, file: IO[str] | None = None) -> None:
    """Print the table of a fit, the verdict first where the fit did not converge inside the parameter space.

    Parameters
    ----------
    summary : Summary
    file : text file, optional
        Standard output by default. Colors only where it is a terminal; elsewhere plain text of any width.
    """
    console = _console(file)
    caption = summary.caption
    if caption is not None and caption.verdict:
        _print_line(console, caption.verdict, "bold red")
    if caption is not None:
        _print_line(console, caption.header, "bold")
    _print_table(console, summary.shown())
    for line in caption.footer if caption is not None else ():
        _print_line(console, line, "dim")


def print_agreement(agreement: Agreement, file: IO[str] | None = None) -> None:
    """Print the comparison of a fit with a posterior, its conclusion first.

    Parameters
    ----------
    agreement : Agreement
    file : text file, optional
        Standard output by default.
    """
    console = _console(file)
    _print_line(console, agreement.conclusion, "bold")
    _print_table(console, show_agreement(agreement))
    content = show_number(100 * agreement.ci_prob)
    _print_line(console, f"ci: {content} % Wald interval of the fit; eti: {content} % equal-tailed interval", "dim")
    _print_line(console, f"{agreement.check.chains} chains of {agreement.check.draws} draws", "dim")


def print_draws(summary: pd.DataFrame, check: DrawsCheck, file: IO[str] | None = None) -> None:
    """Print the summary of posterior draws, what is wrong with them first.

    Parameters
    ----------
    summary : DataFrame
        From `summarize_draws`.
    check : DrawsCheck
    file : text file, optional
        Standard output by default.
    """
    console = _console(file)
    for problem in check.problems:
        _print_line(console, problem, "bold red")
    _print_table(console, summary.map(lambda value: show_number(float(value), 4)))
    _print_line(console, f"{check.chains} chains of {check.draws} draws", "dim")


def _console(file: IO[str] | None) -> "Console":
    from rich.console import Console

    console = Console(file=file, markup=False, emoji=False, highlight=False)
    if not console.is_terminal:
        return Console(
            file=file, markup=False, emoji=False, highlight=False, no_color=True, width=UNLIMITED, legacy_windows=False
        )
    return console


def _print_line(console: "Console", line: str, style: str) -> None:
    console.print(rich_text(line, style))


def _print_table(console: "Console", frame: pd.DataFrame) -> None:
    table = rich_table(frame)
    width = max(console.measure(table, options=console.options.update(width=UNLIMITED)).maximum, console.width)
    console.print(table, width=width, crop=False, soft_wrap=False)
