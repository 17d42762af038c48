"""The command line: exit codes, streams, files, and one clear sentence for every wrong input."""

import json
import math
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import ppl_mle
from ppl_mle.cli import run

LINEAR = str(Path(__file__).parents[1] / "models" / "linear.py")

SCRIPT = """
import numpy as np, pandas as pd, pymc as pm

def load_data():
    return pd.DataFrame({{"y": {values}}})

def build_model(data):
    with pm.Model() as model:
        {body}
    return model
"""


def write_script(folder: Path, body: str, values: str = "[1.0, 2.0, 4.0]") -> str:
    path = folder / "model.py"
    path.write_text(SCRIPT.format(body=body, values=values))
    return str(path)


@pytest.fixture(scope="module")
def exact(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A script whose fit is known in closed form: mean 7/3 and variance 14/9."""
    body = 'pm.Normal("y", pm.Flat("mu"), pm.HalfFlat("sigma"), observed=data["y"])'
    return write_script(tmp_path_factory.mktemp("exact"), body)


def test_fit_prints_the_table_on_stdout_and_nothing_on_stderr(exact, capsys):
    assert run(["fit", exact]) == 0
    out, err = capsys.readouterr()
    assert "CONVERGED" in out
    assert re.search(r"^mu +2\.333 ", out, re.MULTILINE)
    assert err == ""


def test_json_is_one_object_with_the_closed_form(exact, capsys):
    assert run(["fit", exact, "--json", "--ci-prob", "0.9"]) == 0
    record = json.loads(capsys.readouterr().out)
    sigma = math.sqrt(14 / 9)
    assert record["parameters"]["mu"]["estimate"] == pytest.approx(7 / 3, rel=1e-12)
    assert record["parameters"]["mu"]["se"] == pytest.approx(sigma / math.sqrt(3), rel=1e-9)
    assert record["parameters"]["mu"]["ci90_ub"] == pytest.approx(7 / 3 + 1.6448536269514722 * sigma / 3**0.5, rel=1e-9)
    assert record["parameters"]["sigma"]["p"] is None
    assert record["llf"] == pytest.approx(-1.5 * (math.log(2 * math.pi * 14 / 9) + 1), rel=1e-12)


def test_output_saves_what_load_reads(exact, tmp_path, capsys):
    path = tmp_path / "fit.json"
    assert run(["fit", exact, "--output", str(path)]) == 0
    assert ppl_mle.load(path).params["mu"] == pytest.approx(7 / 3, rel=1e-12)


def test_data_option_replaces_the_scripts_data(exact, tmp_path, capsys):
    data = tmp_path / "other.csv"
    data.write_text("y\n10\n12\n17\n")
    assert run(["fit", exact, "--data", str(data), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["parameters"]["mu"]["estimate"] == pytest.approx(13, rel=1e-12)


def test_parquet_gives_what_csv_gives(exact, tmp_path, capsys):
    import pandas as pd

    data = tmp_path / "other.parquet"
    pd.DataFrame({"y": [10.0, 12.0, 17.0]}).to_parquet(data)
    assert run(["fit", exact, "--data", str(data), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["parameters"]["mu"]["estimate"] == pytest.approx(13, rel=1e-12)


def test_explain_names_the_engine_and_the_reason_of_the_other(exact, capsys):
    assert run(["explain", exact]) == 0
    out = capsys.readouterr().out
    assert "engine least squares: runs" in out
    assert "engine Newton: suits" in out


def test_report_is_written_whole_with_the_reference(tmp_path, capsys):
    path = tmp_path / "linear.html"
    assert run(["report", LINEAR, "--output", str(path)]) == 0
    text = path.read_text()
    assert "OLS (statsmodels)" in text
    assert "L-BFGS-B (SciPy)" in text
    assert text.rstrip().endswith("</html>")
    assert f"report: {path}" in capsys.readouterr().out


@pytest.mark.slow
def test_sample_compare_and_report_with_the_same_draws(exact, tmp_path, capsys):
    draws = tmp_path / "draws.nc"
    few = ["--draws", "200", "--tune", "200", "--chains", "2"]
    assert run(["sample", exact, *few, "--output", str(draws)]) == 0
    capsys.readouterr()
    assert run(["compare", exact, "--posterior", str(draws), "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["parameters"]["mu"]["estimate"] == pytest.approx(7 / 3, rel=1e-12)
    assert run(["report", exact, "--posterior", str(draws), "--output", str(tmp_path / "r.html")]) == 0
    assert "Posterior" in (tmp_path / "r.html").read_text()


def test_a_failing_diagnosis_exits_with_3_and_is_said_on_both_streams(tmp_path, capsys):
    body = 'pm.Bernoulli("y", logit_p=pm.Flat("a") + pm.Flat("b") * np.arange(4.0), observed=data["y"])'
    script = write_script(tmp_path, body, "[0, 0, 1, 1]")
    assert run(["fit", script]) == 3
    out, err = capsys.readouterr()
    assert out.startswith("INFINITE")
    assert "INFINITE" in err
    assert "b -> +inf" in err


@pytest.mark.parametrize(
    ("body", "values", "parts"),
    [
        ('pm.Normal("k", 0, 1)', "[1.0]", ["no observed variable"]),
        ('pm.Normal("y", pm.Poisson("k", 3), 1, observed=data["y"])', "[1.0, 2.0]", ["'k'", "discrete"]),
        ('pm.Normal("y", 0, 1, observed=data["y"])', "[1.0, 2.0]", ["no free variable"]),
        (
            'pm.Gamma("y", pm.HalfFlat("a"), pm.HalfFlat("b"), observed=data["y"])',
            "[1.0, -2.0]",
            ["'y'", "-inf", "initvals"],
        ),
    ],
)
def test_models_that_cannot_be_fitted(tmp_path, capsys, body, values, parts):
    target = tmp_path / "fit.json"
    assert run(["fit", write_script(tmp_path, body, values), "--output", str(target)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert all(part in err for part in parts), err
    assert not target.exists()


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["fit", "missing.py"], ["missing.py", "does not exist"]),
        (["fit", LINEAR, "--data", "missing.csv"], ["missing.csv", "does not exist"]),
        (["fit", LINEAR, "--ci-prob", "1.5"], ["--ci-prob 1.5"]),
        (["fit", LINEAR, "--output", "/nowhere/fit.json"], ["/nowhere", "does not exist"]),
        (["fit", LINEAR, "--output", "fit.pdf"], ["fit.pdf", ".json"]),
        (["report", LINEAR, "--output", "/nowhere/r.html"], ["/nowhere", "does not exist"]),
        (["compare", LINEAR, "--posterior", "missing.nc"], ["missing.nc"]),
        (["fit"], ["SCRIPT"]),
        (["fit", LINEAR, "--bogus"], ["--bogus"]),
        (["refit"], ["refit"]),
        (["fit", LINEAR, "--seed", "-1"], ["--seed", "-1"]),
    ],
)
def test_bad_requests_get_one_line_and_exit_code_1(arguments, parts, capsys):
    assert run(arguments) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert all(part in err for part in parts), err


def test_nan_in_the_data_file_names_column_and_row(exact, tmp_path, capsys):
    data = tmp_path / "gap.csv"
    data.write_text("y\n1\nNA\n3\n")
    assert run(["fit", exact, "--data", str(data)]) == 1
    err = capsys.readouterr().err
    assert "'y'" in err
    assert "row 2" in err


def test_help_does_not_load_pymc():
    program = "import sys; from ppl_mle.cli import run; run(['--help']); assert 'pymc' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "explain" in done.stdout


@pytest.mark.slow
def test_interrupting_a_fit_says_what_was_reached_and_writes_nothing(tmp_path):
    body = """n = 400
        chol, _, _ = pm.LKJCholeskyCov("c", n=n, eta=2, sd_dist=pm.Exponential.dist(1.0))
        y = np.random.default_rng(0).normal(size=(500, n))
        pm.MvNormal("y", mu=pm.Flat("mu", shape=n), chol=chol, observed=y)"""
    script, target = write_script(tmp_path, body), tmp_path / "fit.json"
    with subprocess.Popen(
        [sys.executable, "-m", "ppl_mle", "fit", script, "--output", str(target)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        time.sleep(8)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    assert "interrupted" in err
    assert "nothing was written" in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.py"]


def test_covariance_and_groups(exact, capsys):
    # The variance of a mean by HC1 is that of the data with n - 1, over n: 14 / 6 / 3.
    assert run(["fit", exact, "--covariance", "HC1", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["covariance"].startswith("HC1, factor n/(n - k), n = 3, k = 1 mean coefficients of 2 parameters")
    assert record["parameters"]["mu"]["se"] == pytest.approx(math.sqrt(14 / 18), rel=1e-10)
    assert run(["fit", exact, "--groups", "firm"]) == 1
    assert "--groups firm is no column of the data, which has y" in capsys.readouterr().err


def test_profile_intervals_and_penalty(exact, capsys):
    # Half a profile interval of a normal mean is the root of s^2 (exp(q / n) - 1); with Jeffreys' penalty the variance
    # is the sum of squares over n + 2.
    assert run(["fit", exact, "--interval", "profile", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    half = math.sqrt(14 / 9 * math.expm1(3.841458820694124 / 3))
    assert record["interval"] == "profile"
    assert record["parameters"]["mu"]["ci95_ub"] == pytest.approx(7 / 3 + half, rel=1e-8)
    assert run(["fit", exact, "--jeffreys", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["parameters"]["sigma"]["estimate"] == pytest.approx(math.sqrt(14 / 15), rel=1e-9)
    assert run(["fit", exact, "--jeffreys", "--map"]) == 1
    assert "--jeffreys penalizes a likelihood; leave --map out" in capsys.readouterr().err
