"""What one does with a fit next: compare it with posteriors, report."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import xarray as xr

from ppl_mle.comparing import compare
from ppl_mle.errors import RequestError
from ppl_mle.fit import Fit
from ppl_mle.report.document import build_document
from ppl_mle.report.formats import format_of
from ppl_mle.report.write import check_target
from ppl_mle.reporting import collect, recipe_of


def report(
    fit: Fit,
    posterior: xr.DataTree | None = None,
    others: Mapping[str, Fit] | Sequence[Fit] = (),
    *,
    path: str | Path = "report.html",
    ci_prob: float = 0.95,
    method: str = "wald",
    title: str | None = None,
    model_text: str = "",
    data_text: str = "",
    reference: pd.DataFrame | pd.Series | None = None,
    command: str = "",
    seed: int | None = None,
    script: str | Path | None = None,
    data: str | Path | None = None,
) -> Path:
    """Write a report of a fit, and of its posterior when there is one; the suffix of `path` decides the format.

    Parameters
    ----------
    fit : Fit
    posterior : DataTree, optional
        From `sample`, `pm.sample`, or any tool that writes a `posterior` group.
    others : dict of str to Fit, or sequence of Fit
        Fits to set beside this one, ranked by an information criterion where they are fits of the same data.
    path : str or Path
        `.html` (one self-contained file), `.md` (GitHub's Markdown) or `.tex` (LaTeX with booktabs), both with their
        figures in the folder `NAME_files` beside them, `.ipynb` (a notebook), or `.docx` (needs python-docx).
    ci_prob : float
        Content of all intervals.
    method : str
        Of the intervals of the estimates, as for `Fit.conf_int`.
    title : str, optional
        The file's name by default.
    model_text, data_text : str
        The model in words, and where the data come from.
    reference : DataFrame or Series, optional
        Answers of other programs by label, one column per source.
    command : str
        What reproduces the report.
    seed : int, optional
    script, data : str or Path, optional
        The model script, and the data file when not the script's own: a notebook then fits the model again.

    Returns
    -------
    Path
        Where it was written.

    Raises
    ------
    OutputError
        The folder is missing or not writable; nothing is written then.
    RequestError
        The suffix names no format, or the posterior is not one of this model.
    ScriptError
        The script cannot be loaded.
    """
    path = Path(path)
    written = format_of(path)
    if reference is not None and not isinstance(reference, pd.DataFrame | pd.Series):
        raise RequestError(
            f"reference must be a Series or a DataFrame indexed by label, not {type(reference).__name__}"
        )
    check_target(path)
    material = collect(
        fit,
        posterior,
        None if posterior is None else compare(fit, posterior, ci_prob),
        others=others,
        title=title or path.stem,
        ci_prob=ci_prob,
        method=method,
        reference=reference,
        model_text=model_text,
        data_text=data_text,
        recipe=recipe_of(command, seed, script, data),
    )
    written.write(build_document(material), path)
    return path
