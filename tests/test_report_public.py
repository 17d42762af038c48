"""The verb `report`: what it writes for fits of every kind, with and without posterior, graph or script."""

import json
import warnings

import numpy as np
import pymc as pm
import pytest

import ppl_mle
from ppl_mle import OutputError, RequestError
from ppl_mle.reporting import _freed, _unconstrained

X = np.linspace(-1, 2, 25)


def counts():
    with pm.Model() as model:
        x = pm.Data("x", X)
        eta = pm.Flat("a") + pm.Normal("b", 0, 2) * x
        pm.Poisson("y", pm.math.exp(eta), observed=np.random.default_rng(2).poisson(np.exp(1 + 0.5 * X)))
    return model


def text_of(fit, tmp_path, *arguments, **options):
    return ppl_mle.report(fit, *arguments, path=tmp_path / "r.md", **options).read_text(encoding="utf-8")


def pictures_of(text):
    shown = [line for line in text.splitlines() if line.startswith("![")]
    return [line.split("](")[1].split("/")[1].removesuffix(".svg)") for line in shown]


def test_a_fit_alone(fitted, tmp_path):
    text = text_of(fitted(counts), tmp_path)
    common = ["curve", "intervals", "profiles", "pairs"]
    assert pictures_of(text) == [*common, "leverage", "rootogram", "dispersion", "predictive_check"]
    assert "at draws around the estimate" in text
    assert "rate ratio" in text


def test_with_a_posterior(fitted, tmp_path):
    draws = ppl_mle.sample(fitted(counts), random_seed=1, progressbar=False)
    text = text_of(fitted(counts), tmp_path, draws)
    assert "densities" in pictures_of(text)
    assert "at draws of the posterior" in text
    assert ppl_mle.compare(fitted(counts), draws).conclusion[:40].replace("<", "\\<") in text
    assert "Pareto k-hat" in text


def test_a_saved_fit_is_reported_without_what_needs_the_graph(fitted, tmp_path):
    fitted(counts).save(tmp_path / "fit.json")
    text = text_of(ppl_mle.load(tmp_path / "fit.json"), tmp_path)
    assert pictures_of(text) == ["intervals"]
    assert f"{fitted(counts).llf:.3f}" in text
    assert "## Model" not in text


@pytest.mark.parametrize(
    "declare",
    [
        lambda: pm.MvNormal("y", pm.Flat("m", shape=2), np.eye(2), observed=np.arange(20.0).reshape(10, 2)),
        lambda: pm.Categorical("y", logit_p=pm.math.stack([0.0, pm.Flat("a")]), observed=[0, 1, 1]),
        lambda: pm.Potential("p", -(pm.Flat("m") ** 2)),
        lambda: pm.Normal("y", pm.Flat("m", shape=2), pm.HalfFlat("s"), observed=[1.0, 2.0]),
        lambda: pm.Normal("y", pm.Flat("a") + pm.Flat("b"), pm.HalfFlat("s"), observed=[0.1, -0.1, 0.3]),
        lambda: pm.Normal("y", pm.Flat("m"), (1 + pm.HalfFlat("t") ** 2) ** 0.5, observed=[0.1, -0.1, 0.2]),
        lambda: pm.Normal("y", pm.Normal("z", 0, pm.HalfNormal("tau"), shape=3), 1, observed=[1.0, -2.0, 4.0]),
        lambda: pm.Multinomial("y", 5, pm.Dirichlet("p", np.ones(3)), observed=[[2, 2, 1], [1, 0, 4]]),
        lambda: pm.Truncated("y", pm.Poisson.dist(pm.Exponential("mu", 1)), lower=1, observed=[1, 2, 1, 3]),
    ],
    ids=["vector", "category", "potential", "unbounded", "ridge", "edge", "latent", "simplex", "truncated"],
)
@pytest.mark.parametrize("find", [ppl_mle.find_MLE, ppl_mle.find_MAP])
def test_every_kind_of_fit_has_a_report(declare, find, tmp_path):
    with pm.Model() as model:
        declare()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = find(model, progressbar=False)
    text = text_of(fit, tmp_path)
    assert text.index(fit.status.name) < text.index("## Estimates")


def test_others_by_name(fitted, tmp_path):
    fit = fitted(counts)
    text = text_of(fit, tmp_path, None, {"the same": fit}, title="first")
    assert "| the same |" in text
    assert "0.500" in text  # each of two equal models has half of the weight


def test_the_script_becomes_a_notebook(fitted, tmp_path):
    script = tmp_path / "s.py"
    script.write_text("def build_model(data): ...\n")
    path = ppl_mle.report(fitted(counts), path=tmp_path / "r.ipynb", script=script, data="my data.csv", seed=4)
    code = "\n".join(
        "".join(cell["source"]) for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"
    )
    assert "def build_model(data): ..." in code
    assert "read_table('my data.csv')" in code
    assert "random_seed=4" in code


def test_how_to_make_it_again(fitted, tmp_path):
    script = tmp_path / "my model.py"
    script.write_text("def build_model(data): ...\n")

    def command_of(fit, **options):
        text = text_of(fit, tmp_path, script=script, **options).split("## Software")[1]
        return text.split("```sh\n")[1].split("\n")[0] if "```" in text else ""

    fit = fitted(counts)
    assert command_of(fit, data="d.csv", seed=4) == f"ppl-mle report '{script}' --data d.csv --seed 4"
    asked = command_of(fitted(counts, ppl_mle.find_MAP), ci_prob=0.9, method="profile")
    assert asked == f"ppl-mle report '{script}' --map --ci-prob 0.9 --interval profile"
    assert command_of(fit, command="make report") == "make report"
    assert command_of(fit.with_covariance("HC1")) == ""
    text = text_of(fit, tmp_path).split("## Software")[1]
    assert "no command of ppl-mle makes it again" in text
    assert fit.results.data_hash in text


def test_posterior_draws_are_mapped_back_exactly(fitted):
    fit = fitted(counts)
    declared = np.array([fit.params.to_numpy(), fit.params.to_numpy() + 0.3])
    one_by_one = [_unconstrained(fit, fit.maximum, row) for row in declared]
    np.testing.assert_allclose(_freed(fit, declared), one_by_one, rtol=1e-12)


@pytest.mark.parametrize("suffix", [".md", ".tex", ".html"])
def test_a_folder_that_is_missing_is_named(fitted, suffix, tmp_path):
    with pytest.raises(OutputError, match="does not exist"):
        ppl_mle.report(fitted(counts), path=tmp_path / "nowhere" / f"r{suffix}")


def test_a_file_in_the_place_of_the_figures_folder_is_named(fitted, tmp_path):
    (tmp_path / "r_files").write_text("mine")
    with pytest.raises(OutputError, match="r_files"):
        text_of(fitted(counts), tmp_path)
    assert (tmp_path / "r_files").read_text() == "mine"
    assert not (tmp_path / "r.md").exists()


def test_replaced_data_are_noticed(tmp_path):
    model = counts()
    fit = ppl_mle.find_MLE(model, progressbar=False)
    with model:
        pm.set_data({"x": X + 1})
    with pytest.raises(RequestError, match="data were replaced"):
        text_of(fit, tmp_path)
