"""The command line: fit, explain, sample, compare, report. Results on stdout, progress and warnings on stderr."""

import sys
from collections.abc import Callable
from typing import Any

import click

from ppl_mle.errors import PplMleError, RequestError

_EXIT_BAD_INPUT, _EXIT_DIAGNOSIS, _EXIT_INTERRUPTED = 1, 3, 130


def _options(*, sampling: bool, draws_file: bool = False) -> Callable[[Any], Any]:
    """Decorate a command with the options it shares with the others."""
    options = [
        click.argument("script", type=click.Path()),
        click.option("--data", type=click.Path(), metavar="FILE", help="CSV or Parquet file instead of the script's data."),
        click.option("--map", "use_map", is_flag=True, help="Maximize likelihood times priors (MAP) instead of MLE."),
        click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object."),
        click.option("--output", type=click.Path(), metavar="FILE", help="Also write the result to FILE."),
        click.option("--ci-prob", type=float, default=0.95, show_default=True, help="Content of the intervals."),
        click.option("--seed", type=int, default=0, show_default=True, help="Seed of everything random."),
    ]
    if sampling:
        options += [
            click.option("--draws", type=click.IntRange(1), default=1000, show_default=True, help="Draws per chain."),
            click.option("--tune", type=click.IntRange(1), default=1000, show_default=True, help="Tuning steps."),
            click.option("--chains", type=click.IntRange(1), default=4, show_default=True, help="Chains."),
            click.option("--cores", type=click.IntRange(1), help="Chains that run at a time."),
        ]
    if draws_file:
        options += [
            click.option("--posterior", type=click.Path(), metavar="FILE", help="netCDF file with draws made before.")
        ]

    def decorate(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ppl_mle", prog_name="ppl-mle")
def commands() -> None:
    """Fit PyMC model scripts by maximum likelihood or MAP, sample the posterior, compare, report.

    SCRIPT is a Python file with build_model(data) and load_data(). Exit code 0: a converged fit; 1: bad input; 3: a
    fit that ended in a failing diagnosis.
    """


@commands.command()
@_options(sampling=False)
def fit(**options: Any) -> int:
    """Fit SCRIPT and print the estimates with their standard errors.

    --output FILE.json saves the fit for ppl_mle.load, FILE.csv the table, FILE.nc an ArviZ DataTree.
    """
    from ppl_mle.jobs import run_fit

    return run_fit(**options)


@commands.command()
@_options(sampling=False)
def explain(**options: Any) -> int:
    """Say what would run on SCRIPT, and why; fit nothing. --output FILE.txt writes the text."""
    from ppl_mle.jobs import run_explain

    return run_explain(**options)


@commands.command()
@_options(sampling=True)
def sample(**options: Any) -> int:
    """Fit SCRIPT, sample its posterior from there and summarize the draws. --output FILE.nc writes the draws."""
    from ppl_mle.jobs import run_sample

    return run_sample(**options)


@commands.command()
@_options(sampling=True, draws_file=True)
def compare(**options: Any) -> int:
    """Fit SCRIPT, sample its posterior and set the two side by side. --output FILE.csv writes the table."""
    from ppl_mle.jobs import run_compare

    return run_compare(**options)


@commands.command()
@_options(sampling=True, draws_file=True)
@click.option("--sample", "with_posterior", is_flag=True, help="Sample the posterior and compare it with the fit.")
def report(**options: Any) -> int:
    """Fit SCRIPT and write one self-contained HTML report (by default NAME.html here), with a summary on stdout."""
    from ppl_mle.jobs import run_report

    return run_report(**options)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code.

    Parameters
    ----------
    arguments : list of str, optional
        Those of the process by default.
    """
    sys.exit(_run(arguments))


def _run(arguments: list[str] | None) -> int:
    try:
        code = commands.main(args=arguments, prog_name="ppl-mle", standalone_mode=False)
    except click.ClickException as exc:
        return _complain(exc.format_message())
    except RequestError as exc:
        return _complain(_as_options(str(exc)))
    except PplMleError as exc:
        return _complain(str(exc))
    except (click.Abort, KeyboardInterrupt) as exc:
        reached = str(exc.__context__ or exc) or "before anything was reached"
        click.echo(f"\nppl-mle: interrupted: {reached}; nothing was written", err=True)
        return _EXIT_INTERRUPTED
    return code if isinstance(code, int) else 0


def _complain(message: str) -> int:
    click.echo(f"ppl-mle: {' '.join(message.split())}", err=True)
    return _EXIT_BAD_INPUT


def _as_options(message: str) -> str:
    """Spell Python's argument names as the options they came from."""
    return message.replace("ci_prob=", "--ci-prob ")
