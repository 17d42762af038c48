"""What each command does: load the script, fit, go on from there, print to stdout, write what was asked for."""

import shlex
import sys
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import xarray as xr

from ppl_mle.comparing import compare
from ppl_mle.errors import DataError, FitWarning, OutputError, RequestError
from ppl_mle.find import explain, find_MAP, find_MLE
from ppl_mle.fit import Fit
from ppl_mle.inference import normal_quantile
from ppl_mle.interrupt import noting_interrupts
from ppl_mle.posterior import check_draws, summarize_draws
from ppl_mle.progress import Progress
from ppl_mle.report.formats import SUFFIXES
from ppl_mle.report.record import agreement_record, draws_record, fit_record, write_json
from ppl_mle.report.terminal import print_agreement, print_draws, print_summary
from ppl_mle.report.write import check_target, write_text, write_with
from ppl_mle.sampling import sample
from ppl_mle.script import Script, load_script
from ppl_mle.workflow import report

DIAGNOSIS = 3


@dataclass(frozen=True)
class Job:
    """The options of a command; `ppl-mle COMMAND --help` says what each means."""

    script: str
    data: str | None = None
    use_map: bool = False
    as_json: bool = False
    output: str | None = None
    ci_prob: float = 0.95
    seed: int = 0
    starts: int | None = None
    covariance: str | None = None
    groups: str | None = None
    interval: str = "wald"
    jeffreys: bool = False
    method: Literal["auto", "nuts", "psis", "laplace"] = "auto"
    force: bool = False
    draws: int | None = None
    tune: int | None = None
    chains: int | None = None
    cores: int | None = None
    posterior: str | None = None
    with_posterior: bool = False
    others: tuple[str, ...] = ()

    @property
    def estimator(self) -> Literal["MLE", "MAP"]:
        """What is maximized."""
        return "MAP" if self.use_map else "MLE"


@dataclass(frozen=True)
class _Loaded:
    script: Script
    frame: pd.DataFrame
    model: Any


def run_fit(job: Job) -> int:
    """Fit, print the summary, save; returns the exit code."""
    target = _target(job, (".json", ".csv", ".nc"))
    fit = _fit(job, _load(job))
    summary = fit.summary(ci_prob=job.ci_prob, method=job.interval)
    if job.as_json:
        print(write_json(fit_record(fit.results, job.ci_prob, summary, job.interval)))
    else:
        print_summary(summary)
    if target is not None and target.suffix == ".json":
        fit.save(target)
    elif target is not None and target.suffix == ".csv":
        write_text(target, pd.DataFrame(summary).to_csv(index_label="term"))
    elif target is not None:
        _write_tree(target, fit.to_datatree(ci_prob=job.ci_prob, random_seed=job.seed))
    return _code(fit)


def run_explain(job: Job) -> int:
    """Print the plan; returns the exit code."""
    target = _target(job, (".txt", ".json"))
    plan = explain(_load(job).model, estimator=job.estimator)
    record = write_json(plan.record())
    print(record if job.as_json else plan)
    if target is not None:
        write_text(target, f"{record if target.suffix == '.json' else plan}\n")
    return 0


def run_sample(job: Job) -> int:
    """Fit, sample, print the draws' summary, save them; returns the exit code."""
    target = _target(job, (".nc",))
    fit = _fit(job, _load(job))
    idata = _draws(job, fit)
    names = [var.name for var in fit.results.variables]
    summary, check = summarize_draws(idata, names, job.ci_prob), check_draws(idata, names)
    if job.as_json:
        print(write_json(draws_record(summary, check)))
    else:
        print_draws(summary, check)
    if target is not None:
        _write_tree(target, idata)
    return _code(fit)


def run_compare(job: Job) -> int:
    """Fit, sample or read draws, print both side by side, save the table; returns the exit code."""
    target = _target(job, (".csv", ".json"))
    fit = _fit(job, _load(job))
    agreement = compare(fit, _draws(job, fit), job.ci_prob)
    record = write_json(agreement_record(agreement))
    if job.as_json:
        print(record)
    else:
        print_agreement(agreement)
    if target is not None:
        write_text(target, record if target.suffix == ".json" else agreement.table.to_csv(index_label="term"))
    return _code(fit)


def run_report(job: Job) -> int:
    """Fit, sample when asked, write the report, print the summary; returns the exit code."""
    loaded = _load(job)
    target = check_target(job.output or f"{loaded.script.name}.html")
    _require_suffix(target, SUFFIXES)
    fit = _fit(job, loaded)
    others = {Path(path).stem: _fit(one, _load(one)) for path in job.others for one in [replace(job, script=path)]}
    sampled = job.with_posterior or job.posterior is not None
    idata = _draws(job, fit) if sampled else None
    with Progress("writing the report"):
        report(
            fit,
            idata,
            others,
            path=target,
            ci_prob=job.ci_prob,
            method=job.interval,
            title=loaded.script.name,
            model_text=loaded.script.doc,
            data_text=_describe_data(job, loaded.frame),
            reference=loaded.script.reference(loaded.frame),
            command=shlex.join(["ppl-mle", *sys.argv[1:]]),
            seed=job.seed,
            script=job.script,
            data=job.data,
        )
    if job.as_json:
        posterior = None if idata is None else agreement_record(compare(fit, idata, job.ci_prob))
        print(write_json({"path": str(target), "fit": fit_record(fit.results, job.ci_prob), "comparison": posterior}))
        return _code(fit)
    print_summary(fit.summary(ci_prob=job.ci_prob))
    if idata is not None:
        print_agreement(compare(fit, idata, job.ci_prob))
    print(f"report: {target}")
    return _code(fit)


def _load(job: Job) -> _Loaded:
    normal_quantile(job.ci_prob)
    with Progress("loading the script"):
        script = load_script(job.script)
        frame = script.load_data() if job.data is None else script.read_data(job.data)
        return _Loaded(script, frame, script.build_model(frame))


def _fit(job: Job, loaded: _Loaded) -> Fit:
    options: dict[str, Any] = {"random_seed": job.seed, "starts": job.starts}
    if job.jeffreys and job.use_map:
        raise RequestError("--jeffreys penalizes a likelihood; leave --map out")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        if job.use_map:
            fit = find_MAP(loaded.model, **options)
        else:
            fit = find_MLE(loaded.model, **options, penalty="jeffreys" if job.jeffreys else None)
    if not fit.converged:
        print(f"ppl-mle: {fit.status.name}: {fit.message}", file=sys.stderr)
    if job.covariance is None and job.groups is None:
        return fit
    return fit.with_covariance(job.covariance or "cluster", groups=_groups(job, loaded.frame))


def _groups(job: Job, frame: pd.DataFrame) -> pd.Series | None:
    if job.groups is None:
        return None
    if job.groups not in frame.columns:
        raise DataError(
            f"--groups {job.groups} is no column of the data, which has {', '.join(map(str, frame.columns))}"
        )
    return frame[job.groups]


def _draws(job: Job, fit: Fit) -> xr.DataTree:
    if job.posterior is not None:
        return _read_tree(job.posterior)
    try:
        with noting_interrupts():
            return sample(
                fit,
                method=job.method,
                force=job.force,
                draws=job.draws,
                tune=job.tune,
                chains=job.chains,
                cores=job.cores,
                random_seed=job.seed,
            )
    except KeyboardInterrupt as exc:
        reached = f"sampling ({exc}) " if str(exc) else "sampling "
        raise KeyboardInterrupt(f"{reached}after a fit that ended {fit.status.name}, llf {fit.llf:.6g}") from exc


def _read_tree(path: str) -> xr.DataTree:
    try:
        with xr.open_datatree(path, engine="h5netcdf") as tree:
            return tree.load()
    except (OSError, ValueError, KeyError) as exc:
        raise DataError(f"cannot read the posterior {path}: {exc}; give a netCDF file that ArviZ wrote") from exc


def _write_tree(target: Path, tree: xr.DataTree) -> None:
    write_with(target, lambda path: tree.to_netcdf(path, engine="h5netcdf"))


def _target(job: Job, suffixes: tuple[str, ...]) -> Path | None:
    """Where to write, checked before any work is done."""
    if job.output is None:
        return None
    _require_suffix(Path(job.output), suffixes)
    return check_target(job.output)


def _require_suffix(path: Path, suffixes: tuple[str, ...]) -> None:
    if path.suffix not in suffixes:
        raise OutputError(f"--output {path} must end in {' or '.join(suffixes)}, which decides what is written")


def _describe_data(job: Job, frame: pd.DataFrame) -> str:
    source = "load_data() of the script" if job.data is None else job.data
    return f"{len(frame)} rows and {frame.shape[1]} columns ({', '.join(map(str, frame.columns))}) from {source}."


def _code(fit: Fit) -> int:
    return 0 if fit.converged else DIAGNOSIS
