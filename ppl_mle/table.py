"""Data files: read a CSV or Parquet table and check its columns, naming the column, the value and the row at fault.

Rows are counted from 1, the first row below the header. pandas is imported inside the functions because the command
line must answer ``--help`` without it.
"""

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ppl_mle.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

ROWS_SHOWN = 5


def read_table(path: str | Path, columns: Iterable[str] | None = None) -> "pd.DataFrame":
    """Read a table from a CSV or Parquet file.

    Parameters
    ----------
    path : str or Path
        A file ending in ``.csv`` (comma-separated, a header line, UTF-8) or ``.parquet``.
    columns : iterable of str, optional
        The columns to return, in this order; all of them by default.

    Returns
    -------
    DataFrame
        One row for each row of the file, numbered from 0.

    Raises
    ------
    DataError
        The file is missing, empty, of another format or unreadable, or lacks columns.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "data.csv")
    ...     _ = file.write_text("x,y\\n1,2.5\\n3,4.5\\n")
    ...     read_table(file, ["y"])["y"].tolist()
    [2.5, 4.5]
    """
    path = Path(path)
    _check_file(path)
    frame = _parse(path)
    _check_rows(frame, str(path))
    if columns is None:
        return frame
    columns = list(columns)
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise DataError(
            f"{path} has no column {_names(missing)}: it has {_names(frame.columns)}; add or rename columns, "
            "since the model needs all of " + _names(columns)
        )
    return frame[columns]


def check_data(frame: "pd.DataFrame", source: str, own: "pd.DataFrame | None" = None) -> None:
    """Raise where the data cannot be used as they are; every column given is taken to be needed.

    Parameters
    ----------
    frame : DataFrame
        The data to check.
    source : str
        Where they come from, for the message.
    own : DataFrame, optional
        The script's own data with at least the same columns. A column that holds numbers there must hold numbers here,
        and one with missing values there may have missing values here: such a script means them to be imputed.

    Raises
    ------
    DataError
        No rows, a column name twice, a value that is not a number, NaN, or an infinite number.

    Examples
    --------
    >>> import pandas as pd
    >>> check_data(pd.DataFrame({"x": [1.0, None, 3.0]}), "data.csv")
    Traceback (most recent call last):
    ...
    ppl_mle.errors.DataError: data.csv: column 'x' has 1 missing value (row 2); fill it in or drop the row
    """
    _check_rows(frame, source)
    twice = frame.columns[frame.columns.duplicated()].unique()
    if len(twice):
        raise DataError(f"{source} has more than one column named {_names(twice)}: give each its own name")
    for name in frame.columns:
        where = f"{source}: column {name!r}"
        if own is not None:
            _check_kind(frame[name], where, own[name])
        if own is None or not own[name].isna().any():
            _check_present(frame[name], where)
        _check_finite(frame[name], where)


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise DataError(f"{path} is a folder: name one data file in it, .csv or .parquet")
    if not path.exists():
        raise DataError(f"{path} does not exist: check the path of the data file")
    if path.suffix.lower() not in (".csv", ".parquet"):
        found = f"ends in {path.suffix!r}" if path.suffix else "has no extension"
        raise DataError(f"{path} {found}: save the data as .csv or .parquet, the two formats that are read")
    if path.stat().st_size == 0:
        raise DataError(f"{path} is empty: give a file with a header and at least one row of data")


def _parse(path: Path) -> "pd.DataFrame":
    import pandas as pd

    try:
        frame = _parse_csv(path) if path.suffix.lower() == ".csv" else pd.read_parquet(path)
    except (OSError, ValueError, NotImplementedError) as exc:
        reason = " ".join(str(exc).split())
        raise DataError(f"{path} cannot be read as {path.suffix[1:].upper()} ({reason}): repair or re-save it") from exc
    return frame.reset_index(drop=all(name is None for name in frame.index.names))


def _parse_csv(path: Path) -> "pd.DataFrame":
    import pandas as pd

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            # Without index_col pandas takes surplus first fields for row names: every value lands in the wrong column.
            return pd.read_csv(path, index_col=False)
    except pd.errors.ParserWarning as exc:
        raise DataError(
            f"{path} has rows with more fields than the header has names: name every column in the header"
        ) from exc


def _check_rows(frame: "pd.DataFrame", source: str) -> None:
    if len(frame) == 0:
        raise DataError(f"{source} has no rows: give at least one row of data")


def _check_kind(column: "pd.Series", where: str, own: "pd.Series") -> None:
    import pandas as pd

    is_number = pd.api.types.is_numeric_dtype
    if not is_number(own) or is_number(column) or column.isna().all():
        return
    offending = (pd.to_numeric(column, errors="coerce").isna() & column.notna()).to_numpy()
    if not offending.any():  # all of them are numbers written as text
        offending = column.notna().to_numpy()
    row = int(offending.argmax())
    raise DataError(
        f"{where} must hold numbers, but row {row + 1} has {column.iloc[row]!r}; correct it or drop the row"
    )


def _check_present(column: "pd.Series", where: str) -> None:
    missing = column.isna().to_numpy()
    if missing.any():
        count = _count(missing, "missing value")
        fix = "fill it in or drop the row" if missing.sum() == 1 else "fill them in or drop these rows"
        raise DataError(f"{where} has {count}; {fix}")


def _check_finite(column: "pd.Series", where: str) -> None:
    import numpy as np
    import pandas as pd

    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_complex_dtype(column):
        return
    infinite = np.isinf(column.to_numpy(dtype=float, na_value=np.nan))
    if infinite.any():
        raise DataError(f"{where} has {_count(infinite, 'infinite value')}; give finite numbers or drop the rows")


def _count(mask: "np.ndarray", what: str) -> str:
    """Say how many, and where the first few are: ``7 missing values (rows 1, 2, 5, 9, 10, ...)``."""
    rows = [str(row + 1) for row in mask.nonzero()[0][:ROWS_SHOWN]]
    more = ", ..." if mask.sum() > ROWS_SHOWN else ""
    many = "s" if mask.sum() > 1 else ""
    return f"{mask.sum()} {what}{many} (row{many} {', '.join(rows)}{more})"


def _names(columns: Iterable[object]) -> str:
    return ", ".join(repr(name) for name in columns)
