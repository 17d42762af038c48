"""Maximum likelihood, MAP and posterior from one declared PyMC model, every fit certified or diagnosed.

Without PyMC loaded, the public names are loaded on first use, so that `ppl-mle --help` does not wait for it.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ppl_mle.comparing import compare
    from ppl_mle.comparisons import adjust_pvalues, compare_fits
    from ppl_mle.errors import (
        DataError,
        FitError,
        FitWarning,
        ModelError,
        OutputError,
        PplMleError,
        RequestError,
        ScriptError,
        StartError,
    )
    from ppl_mle.find import explain, find_MAP, find_MLE
    from ppl_mle.fit import Fit, load
    from ppl_mle.maximize import Status
    from ppl_mle.sampling import sample
    from ppl_mle.workflow import report

_HOMES = {
    "ppl_mle.comparisons": ("adjust_pvalues", "compare_fits"),
    "ppl_mle.comparing": ("compare",),
    "ppl_mle.sampling": ("sample",),
    "ppl_mle.find": ("explain", "find_MAP", "find_MLE"),
    "ppl_mle.fit": ("Fit", "load"),
    "ppl_mle.maximize": ("Status",),
    "ppl_mle.errors": (
        "DataError",
        "FitError",
        "FitWarning",
        "ModelError",
        "OutputError",
        "PplMleError",
        "RequestError",
        "ScriptError",
        "StartError",
    ),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__version__ = "0.1.0"
__all__ = [
    "DataError",
    "Fit",
    "FitError",
    "FitWarning",
    "ModelError",
    "OutputError",
    "PplMleError",
    "RequestError",
    "ScriptError",
    "StartError",
    "Status",
    "adjust_pvalues",
    "compare",
    "compare_fits",
    "explain",
    "find_MAP",
    "find_MLE",
    "load",
    "report",
    "sample",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'ppl_mle' has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])


class _Package(ModuleType):
    """The package, whose verb `report` has the name of one of its rooms.

    Importing anything from the room `ppl_mle.report` binds that name to the module; this keeps it the verb.
    """

    @property
    def report(self) -> Any:
        """Write a report of a fit; see `ppl_mle.workflow.report`."""
        return import_module("ppl_mle.workflow").report

    @report.setter
    def report(self, room: ModuleType) -> None:
        pass


sys.modules[__name__].__class__ = _Package

if "pymc" in sys.modules:  # who has PyMC loaded is about to fit, and waits less here than in the first fit
    for _home in _HOMES:
        import_module(_home)
