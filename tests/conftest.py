"""What the tests of a fit share."""

import sys
from pathlib import Path

import pytest

# Test modules import `tests.reference`; with --import-mode=importlib pytest does not make it importable by itself.
sys.path.insert(0, str(Path(__file__).parents[1]))


@pytest.fixture(scope="session")
def fitted():
    """Fit each model once per session: `fitted(build, find, **options)` for a module-level function `build`."""
    from ppl_mle import find_MLE

    known = {}

    def fit(build, find=find_MLE, **options):
        key = (build, find, repr(sorted(options.items())))
        if key not in known:
            known[key] = find(build(), progressbar=False, **options)
        return known[key]

    return fit
