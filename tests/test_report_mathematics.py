"""The declared model as mathematics: what is said of a graph, in each notation, is what was declared."""

import warnings

import numpy as np
import pymc as pm
import pytest

from ppl_mle.read.mathematics import read_mathematics
from ppl_mle.report.notation import to_latex, to_mathml, to_text

X = np.arange(4.0)


def statements(model):
    return {statement.name: to_text(statement) for statement in read_mathematics(model)}


def test_a_regression_reads_as_declared():
    with pm.Model(coords={"k": ["u", "v"]}) as model:
        Z = pm.Data("Z", np.ones((4, 2)), dims=("row", "k"))
        a, b = pm.Flat("a"), pm.Normal("b", 0, 2.5, dims="k")
        pm.Normal("y", a + Z @ b, pm.HalfFlat("sigma"), observed=X, dims="row")
    assert statements(model) == {
        "a": "a ~ Flat()",
        "b": "b ~ Normal(0, 2.5)",
        "sigma": "sigma ~ HalfFlat()",
        "y": "y ~ Normal(a + Z b, sigma)",
    }
    assert [(s.role, s.dims) for s in read_mathematics(model)] == [
        ("prior", ()),
        ("prior", ("k",)),
        ("prior", ()),
        ("observed", ("row",)),
    ]


@pytest.mark.parametrize(
    ("declare", "expected"),
    [
        (lambda a, b, x: pm.Bernoulli("y", logit_p=a + b * x, observed=[0, 1, 1, 0]), "Bernoulli(logistic(a + b x))"),
        (lambda a, b, x: pm.Poisson("y", pm.math.exp(a - b * x), observed=[0, 1, 1, 0]), "Poisson(exp(a - b x))"),
        (
            lambda a, b, x: pm.NegativeBinomial("y", mu=pm.math.exp(a), alpha=2, observed=[0, 1]),
            "NegativeBinomial(mean = exp(a), size = 2)",
        ),
        (
            lambda a, b, x: pm.Normal("y", (a - b) * x, pm.math.exp(b) / (1 + a**2), observed=X),
            "Normal((a - b) x, exp(b) / (1 + a^2))",
        ),
        (lambda a, b, x: pm.Normal("y", a - (b - x), 1, observed=X), "Normal(a - (b - x), 1)"),
        (lambda a, b, x: pm.Normal("y", -((a + b) ** 2) / (a / b), 1, observed=X), "Normal((-(a + b)^2) / (a / b), 1)"),
        (
            lambda a, b, x: pm.Censored("y", pm.Weibull.dist(2, pm.math.exp(a)), None, 3.0, observed=X),
            "Censored(Weibull(shape = 2, scale = exp(a)), 3)",
        ),
        (
            lambda a, b, x: pm.StudentT("y", nu=4, mu=a, sigma=2, observed=X),
            "StudentT(df = 4, location = a, scale = 2)",
        ),
        (lambda a, b, x: pm.Normal("y", pm.math.stack([a, b])[np.array([0, 1])], 1, observed=[1.0, 2]), "f(a, b)"),
    ],
)
def test_an_expression_reads_as_declared(declare, expected):
    with pm.Model() as model:
        declare(pm.Flat("a"), pm.Flat("b"), pm.Data("x", X))
    assert expected in statements(model)["y"]


def test_the_text_means_what_the_graph_computes():
    # the formula, read by Python itself, gives the value of the graph
    with pm.Model() as model:
        a, b, x = pm.Flat("a"), pm.Flat("b"), pm.Data("x", 1.7)
        graph = (a - (b - x)) / (a / b) - -a * (x + b) ** 2 + 2 * pm.math.exp(-b) / (1 - a)
        pm.Deterministic("d", graph)
    text = statements(model)["d"].removeprefix("d = ").replace("^", "**")
    python = " ".join(text.split())
    for left, right in (("a (", "a * ("), ("2 exp", "2 * exp"), (") (", ") * (")):
        python = python.replace(left, right)
    values = {"a": 0.3, "b": 1.1, "x": 1.7, "exp": np.exp}
    assert eval(python, values) == pytest.approx(float(graph.eval({a: 0.3, b: 1.1})), rel=1e-12)


def test_a_deterministic_is_defined_once_and_then_named():
    with pm.Model() as model:
        eta = pm.Deterministic("eta", pm.Flat("a") + 1)
        pm.Normal("y", eta, 1, observed=X)
        pm.Potential("p", -(eta**2))
    found = statements(model)
    assert (found["eta"], found["y"], found["p"]) == ("eta = a + 1", "y ~ Normal(eta, 1)", "p = -eta^2")


def test_imputed_values_are_no_statement_of_their_own():
    with warnings.catch_warnings(), pm.Model() as model:
        warnings.simplefilter("ignore")
        pm.Poisson("y", pm.HalfFlat("mu"), observed=np.ma.masked_invalid([1.0, np.nan, 2.0]))
    assert statements(model) == {"mu": "mu ~ HalfFlat()", "y": "y ~ Poisson(mu)"}


def test_names_are_escaped_in_each_notation():
    with pm.Model() as model:
        pm.Normal("y", pm.Flat("\\input{x}<b>&_1"), 1, observed=X)
    first, second = read_mathematics(model)
    assert to_latex(first) == r"\mathrm{\backslash input\{x\}<b>\&\_1} &\sim& \mathrm{Flat}()"
    assert "<mi>\\input{x}&lt;b&gt;&amp;_1</mi>" in to_mathml(second)
    assert "<b>" not in to_mathml(second)


def test_greek_names_become_letters():
    with pm.Model() as model:
        pm.Normal("y", pm.Flat("mu"), pm.HalfFlat("sigma"), observed=X)
    assert to_latex(read_mathematics(model)[2]) == r"y &\sim& \mathrm{Normal}\left(\mu,\, \sigma\right)"
    assert "<mi>σ</mi>" in to_mathml(read_mathematics(model)[2])


def test_a_very_large_graph_is_cut_short():
    with pm.Model() as model:
        total = a = pm.Flat("a")
        for k in range(500):
            total = pm.math.exp(total * a - k)
        pm.Normal("y", total, 1, observed=X)
    assert len(statements(model)["y"]) < 20_000
