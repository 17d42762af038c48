"""The rooms of the package: imports point one way, PyMC stays in its room, files stay short."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "ppl_mle"
FILES = sorted(PACKAGE.rglob("*.py"))

# Each room and the rooms it may import, nearest first; a new room or module of the top level is entered here.
MAY_IMPORT = {
    "errors": (),
    "progress": ("errors",),
    "interrupt": ("errors",),
    "table": ("errors",),
    "script": ("table", "errors"),
    "read": ("errors",),
    "plan": ("read", "errors"),
    "maximize": ("plan", "read", "errors"),
    "inference": ("maximize", "read", "errors"),
    "posterior": ("inference", "maximize", "plan", "read", "errors"),
    "report": ("posterior", "inference", "maximize", "plan", "read", "errors"),
    "hypotheses": ("inference", "maximize", "errors"),
    "resampling": ("inference", "maximize", "read", "progress", "errors"),
    "prediction": ("inference", "maximize", "read", "errors"),
    "uncertainty": ("resampling", "inference", "maximize", "read", "errors"),
    "tabulated": ("inference", "errors"),
    "plots": ("uncertainty", "report", "inference", "maximize", "read", "errors"),
    "fit": (
        "hypotheses",
        "prediction",
        "plots",
        "uncertainty",
        "tabulated",
        "report",
        "posterior",
        "inference",
        "maximize",
        "plan",
        "read",
        "progress",
        "errors",
    ),
    "comparisons": ("hypotheses", "inference", "errors"),
    "effects": ("fit", "inference", "maximize", "read", "errors"),
    "find": ("fit", "report", "posterior", "inference", "maximize", "plan", "read", "errors"),
    "sampling": ("progress", "fit", "posterior", "inference", "maximize", "read", "errors"),
    "comparing": ("fit", "posterior", "inference", "read", "errors"),
    "report_rows": ("fit", "report", "read"),
    "reporting": (
        "report_rows",
        "comparisons",
        "sampling",
        "fit",
        "report",
        "posterior",
        "inference",
        "maximize",
        "read",
        "script",
        "errors",
    ),
    "workflow": ("reporting", "comparing", "fit", "report", "errors"),
    "jobs": (
        "comparing",
        "sampling",
        "workflow",
        "find",
        "fit",
        "report",
        "posterior",
        "inference",
        "script",
        "table",
        "progress",
        "interrupt",
        "errors",
    ),
    "cli": ("jobs", "script", "errors"),
    "__main__": ("cli",),
    "__init__": ("comparing", "comparisons", "sampling", "workflow", "find", "fit", "maximize", "errors"),
}
# Rooms that may import PyMC and PyTensor.
KNOWS = {"read": {"pymc", "pytensor"}, "posterior": {"pymc"}}
MOST_LINES = 300


def room_of(path):
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def module_of(path):
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path):
    """Every import statement of a file: (module, line, inside a function)."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for node in ast.walk(function)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno, id(node) in inside) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}:{node.lineno} is a relative import; write the full name"
            names = (
                [f"{node.module}.{alias.name}" for alias in node.names] if node.module == "ppl_mle" else [node.module]
            )
            found += [(name, node.lineno, id(node) in inside) for name in names]
    return found


def own_imports(path):
    return [entry for entry in imports_of(path) if entry[0].split(".")[0] == "ppl_mle"]


def describe(path):
    return str(path.relative_to(PACKAGE))


def test_every_room_is_known():
    rooms = {room_of(path) for path in FILES}
    assert rooms <= set(MAY_IMPORT), rooms - set(MAY_IMPORT)
    assert {"read", "plan", "maximize", "inference", "posterior", "report"} <= rooms


@pytest.mark.parametrize("path", FILES, ids=describe)
def test_imports_point_one_way(path):
    room = room_of(path)
    wrong = [
        f"line {line}: {module}"
        for module, line, _ in own_imports(path)
        if (target := [*module.split("."), "__init__"][1]) != room and target not in MAY_IMPORT[room]
    ]
    assert not wrong, wrong


@pytest.mark.parametrize("path", FILES, ids=describe)
def test_no_own_import_hides_in_a_function(path):
    hidden = [f"line {line}: {module}" for module, line, inside in own_imports(path) if inside]
    if describe(path) == "cli.py":  # answers --help before PyMC is loaded, so what runs a command is imported by it
        hidden = [entry for entry in hidden if not entry.endswith(("ppl_mle.jobs", "ppl_mle.script"))]
    assert not hidden, hidden


@pytest.mark.parametrize("path", FILES, ids=describe)
def test_pymc_stays_in_its_room(path):
    allowed = KNOWS.get(room_of(path), set())
    wrong = [
        f"line {line}: {module}"
        for module, line, _ in imports_of(path)
        if module.split(".")[0] in {"pymc", "pytensor"} - allowed
    ]
    assert not wrong, wrong


def test_rows_are_numpy_alone():
    # What is evaluated a thousand times knows no graph; `read/form` is what builds it from one.
    files = [path for path in FILES if path.is_relative_to(PACKAGE / "read" / "rows")]
    assert len(files) > 10
    foreign = {
        (path.name, module)
        for path in files
        for module, _, _ in imports_of(path)
        if module.split(".")[0] in {"pymc", "pytensor"}
        or (module.startswith("ppl_mle") and not module.startswith("ppl_mle.read.rows"))
    }
    assert not foreign


@pytest.mark.parametrize("path", FILES, ids=describe)
def test_file_is_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) < MOST_LINES


def test_no_import_cycle():
    modules = {module_of(path): path for path in FILES}
    graph = {name: set() for name in modules}
    for name, path in modules.items():
        for target, _, inside in own_imports(path):
            if not inside and name != "ppl_mle":  # the package itself imports for type checkers only
                graph[name].add(target if target in modules else target.rpartition(".")[0])
    done: set[str] = set()

    def visit(name, trail):
        assert name not in trail, " -> ".join([*trail, name])
        if name in done:
            return
        for target in graph.get(name, ()):
            visit(target, [*trail, name])
        done.add(name)

    for name in graph:
        visit(name, [])


def loaded_by(statement, *heavy):
    code = f"import sys\n{statement}\nprint([m for m in {heavy!r} if m in sys.modules])"
    env = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=env, timeout=60)
    return done.stdout.strip()


@pytest.mark.parametrize("statement", ["import ppl_mle", "import ppl_mle.cli", "import ppl_mle.script"])
def test_help_does_not_wait_for_pymc(statement):
    # Incident: importing PyMC takes seconds, which a user waited for --help.
    assert loaded_by(statement, "pymc", "pytensor", "arviz", "pandas", "scipy") == "[]"


def test_public_names_are_loaded_on_first_use():
    assert loaded_by("import ppl_mle\nassert 'find_MLE' in dir(ppl_mle)\nppl_mle.Fit", "pymc") == "['pymc']"
