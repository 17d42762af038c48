"""Model scripts and their data: load, check, and name in one sentence whatever is wrong with them.

A script is one Python file with ``build_model(data)``, which returns a PyMC model, and usually ``load_data()``, the
data it is fitted to, and ``reference(data)``, an answer from an independent source to compare with.

Nothing heavy is imported here at module level: the command line answers ``--help`` before pandas or PyMC is loaded.
"""

import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ppl_mle.errors import PplMleError, ScriptError
from ppl_mle.table import check_data, read_table

if TYPE_CHECKING:
    import pandas as pd

ROWS_SHOWN = 5


@dataclass(frozen=True)
class Script:
    """A loaded model script; its methods call the script's functions and check what they return.

    Attributes
    ----------
    path : Path
        The file, as it was given.
    name : str
        The file's name without ``.py``.
    doc : str
        The script's docstring, without indentation; empty where it has none.
    source : str
        The text that was run.
    """

    path: Path
    name: str
    doc: str
    source: str = field(repr=False)
    module: ModuleType = field(repr=False, compare=False)

    def load_data(self) -> "pd.DataFrame":
        """Return the script's own data.

        Returns
        -------
        DataFrame
            What ``load_data()`` returns; it may hold NaN (for PyMC to impute), never an infinite number.

        Raises
        ------
        ScriptError
            There is no ``load_data``, it raises, or it returns something else.
        DataError
            The frame has no rows, a column name twice, or an infinite number.
        """
        import pandas as pd

        if not self._has("load_data"):
            raise ScriptError(f"{self.path} has no load_data(): add one, or give a data file (--data FILE)")
        data = self._call("load_data")
        if not isinstance(data, pd.DataFrame):
            raise ScriptError(
                f"{self.path}: load_data() returned {_kind(data)}; let it return a pandas DataFrame, one row each"
            )
        check_data(data, f"{self.path}: load_data()", own=data)
        return data

    def read_data(self, path: str | Path) -> "pd.DataFrame":
        """Read a data file for this script: the columns of its own data, held to the same kinds.

        Parameters
        ----------
        path : str or Path
            A CSV or Parquet file with at least the columns of ``load_data()``; all its columns are read where the
            script has no ``load_data``.

        Returns
        -------
        DataFrame
            The columns the script needs, in the order of its own data.

        Raises
        ------
        ScriptError
            ``load_data()`` fails, so the columns are not known.
        DataError
            As `read_table` and `check_data` raise it.
        """
        own = self.load_data() if self._has("load_data") else None
        frame = read_table(path, None if own is None else own.columns)
        check_data(frame, str(path), own=own)
        return frame

    def build_model(self, data: "pd.DataFrame") -> Any:
        """Return the ``pymc.Model`` that the script declares for these data.

        Raises
        ------
        ScriptError
            ``build_model`` raises or returns something other than a model.
        """
        model = self._call("build_model", data.copy(deep=False))
        # A model can only exist where PyMC has been imported, so looking it up is enough and costs nothing.
        pymc = sys.modules.get("pymc")
        if pymc is None or not isinstance(model, pymc.Model):
            hint = "end it with 'return model'" if model is None else "let it return the pm.Model it declares"
            raise ScriptError(f"{self.path}: build_model() returned {_kind(model)}, not a PyMC model; {hint}")
        return model

    def reference(self, data: "pd.DataFrame") -> "pd.DataFrame | None":
        """Return the independent answer: a row for each parameter's label, a column for each source.

        Returns
        -------
        DataFrame or None
            None where the script has no ``reference`` or it returns None. A Series becomes a column under its name,
            or ``reference`` where it has none.

        Raises
        ------
        ScriptError
            ``reference`` raises, or returns something other than numbers in a Series or DataFrame.
        """
        import pandas as pd

        answer = self._call("reference", data.copy(deep=False)) if self._has("reference") else None
        if answer is None:
            return None
        if isinstance(answer, pd.Series):
            answer = answer.to_frame("reference" if answer.name is None else answer.name)
        if not isinstance(answer, pd.DataFrame):
            raise ScriptError(
                f"{self.path}: reference() returned {_kind(answer)}; let it return a pandas Series or DataFrame of "
                "numbers indexed by the parameters' labels"
            )
        for name, column in answer.items():
            if not pd.api.types.is_numeric_dtype(column):
                raise ScriptError(f"{self.path}: reference() returned values in {name!r} that are not all numbers")
        return answer

    def _has(self, function: str) -> bool:
        return callable(getattr(self.module, function, None))

    def _call(self, function: str, *arguments: object) -> Any:
        return _run(self.path, f"{function}()", getattr(self.module, function), *arguments)


def load_script(path: str | Path) -> Script:
    """Load a model script from its file.

    The text that was read is what runs: no bytecode is written beside it or read, and neither ``sys.path`` nor
    ``sys.modules`` is changed afterwards (functions of the script then travel to sampling processes by value).

    Parameters
    ----------
    path : str or Path
        A Python file that defines ``build_model``.

    Returns
    -------
    Script

    Raises
    ------
    ScriptError
        The file is missing, is not Python, raises when it is run, or has no ``build_model``.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "coin.py")
    ...     _ = file.write_text("'''A coin.'''\\ndef build_model(data): ...")
    ...     script = load_script(file)
    >>> script.name, script.doc
    ('coin', 'A coin.')
    """
    path = Path(path)
    source = _read_source(path)
    try:
        code = compile(source, str(path), "exec", dont_inherit=True)
    except SyntaxError as exc:
        raise ScriptError(
            f"{path} is not valid Python: {exc.msg} (line {exc.lineno}); correct that line and run it again"
        ) from exc
    spec = importlib.util.spec_from_file_location(f"ppl_mle script {path}", path)
    assert spec is not None  # it is None only for suffixes other than .py
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module  # dataclasses look their module up while they are made
    try:
        _run(path, "running the script", exec, code, module.__dict__)
    finally:
        del sys.modules[module.__name__]
    script = Script(path, path.stem, inspect.cleandoc(module.__doc__ or ""), source, module)
    if not script._has("build_model"):
        raise ScriptError(f"{path} has no build_model(data): add that function, returning the pm.Model to fit")
    return script


def _read_source(path: Path) -> str:
    if path.is_dir():
        raise ScriptError(f"{path} is a folder: name one model script in it, a .py file")
    if not path.exists():
        raise ScriptError(f"{path} does not exist: check the path of the model script")
    if path.suffix != ".py":
        raise ScriptError(f"{path} is not a model script: name a Python file, ending in .py")
    try:
        return importlib.util.decode_source(path.read_bytes())
    except OSError as exc:
        raise ScriptError(f"{path} cannot be read ({exc.strerror}): check its permissions") from exc
    except (SyntaxError, UnicodeDecodeError) as exc:
        raise ScriptError(f"{path} is not Python text ({_describe(exc)}): save it as UTF-8") from exc


def _run(path: Path, what: str, function: Callable[..., Any], *arguments: object) -> Any:
    """Call the user's code; what it raises leaves as a ScriptError with the line, except Ctrl-C and our own errors."""
    try:
        return function(*arguments)
    except PplMleError:
        raise
    except (Exception, SystemExit) as exc:
        lines = [line for frame, line in traceback.walk_tb(exc.__traceback__) if frame.f_code.co_filename == str(path)]
        where = f" (line {lines[-1]})" if lines else ""
        raise ScriptError(
            f"{path}: {what} raised {_describe(exc)}{where}; correct the script and run it again"
        ) from exc


def _describe(exc: BaseException) -> str:
    message = " ".join(str(exc).split())
    return f"{type(exc).__name__}: {message}" if message else type(exc).__name__


def _kind(value: object) -> str:
    return "None" if value is None else f"an object of type {type(value).__name__}"
