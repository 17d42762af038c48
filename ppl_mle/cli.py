"""The command line: fit, explain, sample, compare, report. Results on stdout, progress and warnings on stderr."""

import sys
import warnings
from collections.abc import Callable
from typing import Any

import click

from ppl_mle.errors import PplMleError

BAD_INPUT, INTERRUPTED = 1, 130

_COMMON = (
    click.argument("script", type=click.Path()),
    click.option("--data", type=click.Path(), metavar="FILE", help="CSV or Parquet file instead of the script's own."),
    click.option("--map", "use_map", is_flag=True, help="Maximize likelihood times priors (MAP) instead of MLE."),
    click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object."),
    click.option("--output", type=click.Path(), metavar="FILE", help="Write the result to FILE as well."),
    click.option("--ci-prob", type=float, default=0.95, show_default=True, help="Content of the intervals."),
    click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of everything random."),
    click.option("--starts", type=click.IntRange(1, 10_000), help="Fit from at least so many starting points."),
)
_UNCERTAINTY = (
    click.option("--covariance", metavar="KIND", help="Covariance behind standard errors: HC1, cluster, HAC..."),
    click.option("--groups", metavar="COLUMN", help="Column of the data with the groups of --covariance cluster."),
    click.option(
        "--interval", default="wald", show_default=True, metavar="METHOD", help="Intervals: wald, profile or score."
    ),
    click.option("--jeffreys", is_flag=True, help="Maximize with Jeffreys' penalty (Firth's bias reduction)."),
)
_SAMPLING = (
    click.option("--method", default="auto", show_default=True, metavar="METHOD", help="auto, nuts, psis or laplace."),
    click.option("--force", is_flag=True, help="Sample although the posterior was found to be improper."),
    click.option("--draws", type=click.IntRange(1), help="Draws per chain; 500 or 1000 by default."),
    click.option("--tune", type=click.IntRange(1), help="Tuning steps per chain."),
    click.option("--chains", type=click.IntRange(1), help="Number of chains; 4, 8 or 16 by default."),
    click.option("--cores", type=click.IntRange(1), help="Chains that run at a time."),
)
_DRAWS = (click.option("--posterior", type=click.Path(), metavar="FILE", help="netCDF file with draws made before."),)


def _taking(*options: Any) -> Callable[[Any], Any]:
    def decorate(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, no_args_is_help=False)
@click.version_option(package_name="ppl_mle", prog_name="ppl-mle")
def commands() -> None:
    """Fit PyMC model scripts by maximum likelihood or MAP, sample the posterior, compare, report.

    SCRIPT is a Python file with load_data() and build_model(data). Exit code 0: a converged fit; 1: bad input; 3: a
    fit that ended in a failing diagnosis.
    """


@commands.command()
@_taking(*_COMMON, *_UNCERTAINTY)
def fit(**options: Any) -> int:
    """Fit SCRIPT and print the estimates with their standard errors.

    --output FILE.json saves the fit for ppl_mle.load, FILE.csv its table, FILE.nc an ArviZ DataTree.
    """
    from ppl_mle.jobs import Job, run_fit

    return run_fit(Job(**options))


@commands.command()
@_taking(*_COMMON)
def explain(**options: Any) -> int:
    """Say what would run on SCRIPT, and why; fit nothing.

    --output FILE.txt or FILE.json writes what is printed.
    """
    from ppl_mle.jobs import Job, run_explain

    return run_explain(Job(**options))


@commands.command()
@_taking(*_COMMON, *_SAMPLING)
def sample(**options: Any) -> int:
    """Fit SCRIPT, sample its posterior from there and summarize the draws.

    --output FILE.nc writes the draws.
    """
    from ppl_mle.jobs import Job, run_sample

    return run_sample(Job(**options))


@commands.command()
@_taking(*_COMMON, *_UNCERTAINTY, *_SAMPLING, *_DRAWS)
def compare(**options: Any) -> int:
    """Fit SCRIPT, sample its posterior and set the two side by side.

    --output FILE.csv or FILE.json writes the table.
    """
    from ppl_mle.jobs import Job, run_compare

    return run_compare(Job(**options))


@commands.command()
@_taking(*_COMMON, *_UNCERTAINTY, *_SAMPLING, *_DRAWS)
@click.option("--sample", "with_posterior", is_flag=True, help="Sample the posterior and compare it with the fit.")
@click.option("--with", "others", type=click.Path(), multiple=True, metavar="SCRIPT", help="Set this model beside.")
def report(**options: Any) -> int:
    """Fit SCRIPT and write a report, with a summary on stdout.

    The report is NAME.html in the current folder, NAME being the script's, unless --output says otherwise; its suffix
    (.html, .md, .tex, .ipynb, .docx) decides the format. --with may be repeated.
    """
    from ppl_mle.jobs import Job, run_report

    return run_report(Job(**options))


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code.

    Parameters
    ----------
    arguments : list of str, optional
        Those of the process by default.
    """
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code; a user's error becomes one line on standard error.

    Parameters
    ----------
    arguments : list of str, optional
        Those of the process by default.
    """
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            code = commands.main(args=arguments, prog_name="ppl-mle", standalone_mode=False)
    except click.ClickException as exc:
        return _complain(exc.format_message())
    except PplMleError as exc:
        return _complain(str(exc).replace("ci_prob=", "--ci-prob "))
    except click.Abort as exc:
        reached = str(exc.__cause__ or "") or "before the fit"
        click.echo(f"\nppl-mle: interrupted {reached}; nothing was written", err=True)
        return INTERRUPTED
    return code if isinstance(code, int) else 0


def _complain(message: str) -> int:
    click.echo(f"ppl-mle: {' '.join(message.split())}", err=True)
    return BAD_INPUT


def _show_warning(message: Any, category: Any, *where: Any, **more: Any) -> None:
    click.echo(f"ppl-mle: {category.__name__}: {' '.join(str(message).split())}", err=True)
