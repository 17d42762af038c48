"""Documents with closed-form numbers, for the tests of reports."""

import numpy as np
import pandas as pd

from ppl_mle.maximize import Status
from ppl_mle.posterior import compare_with_draws
from ppl_mle.read.mathematics import Expression, Statement
from ppl_mle.report.document import build_document
from ppl_mle.report.exponentiated import Ratios
from ppl_mle.report.figures import FittedCurve
from ppl_mle.report.material import Material, Models, Recipe
from ppl_mle.report.summary import summarize
from tests.closed_form import make_posterior, make_results

EVIL = (
    '<script>alert("1")<img src=x onerror=alert(2)>$x$\\input{x} a_b|c`d` **e** =1+1 www.example.org 5%&#~^\'\x1b[31m'
)
REFERENCE = pd.DataFrame(
    {"by hand": [3.0, 6.0, np.sqrt(5)], "wrong": [4.0, np.nan, 2.0]}, index=["m[x]", "m[y]", "sigma"]
)


def document_of(results, title="a", **parts):
    """A document of some results, without versions unless given."""
    parts = {"table": summarize(results, parts.get("ci_prob", 0.95)), "versions": {}, **parts}
    return build_document(Material(results=results, title=title, **parts))


def full_document():
    """A document with every part that needs no graph."""
    x = np.linspace(0, 1, 20)
    posterior = make_posterior()
    return document_of(
        make_results(),
        title="Two groups",
        agreement=compare_with_draws(make_results(), posterior),
        idata=posterior,
        curve=FittedCurve("x", "y", x, 2 * x, x, 2 * x, 2 * x - 0.1, 2 * x + 0.1),
        reference=REFERENCE,
        notes=("sqrt(n / (n - p)) = 1.118",),
        model_text="Two means & one sigma.",
        data_text="Ten rows by hand.",
        recipe=Recipe("ppl-mle report two.py", 7),
        versions={"python": "3.13.0"},
    )


def evil_document():
    """A document in which every name and text is hostile."""
    results = make_results(EVIL, (EVIL, "y"), findings=(EVIL,), sentence=EVIL, missing={EVIL: 1}, engine=EVIL)
    posterior = make_posterior(name=EVIL, groups=(EVIL, "y"))
    x = np.linspace(0, 1, 20)
    names = (Expression("name", EVIL), Expression("number", "2"))
    formula = Expression("call", EVIL, (Expression("sum", "", names), Expression("named", EVIL, names[:1])))
    return document_of(
        results,
        title=EVIL,
        agreement=compare_with_draws(results, posterior),
        idata=posterior,
        curve=FittedCurve(EVIL, EVIL, x, x, x, x, x, x),
        reference=pd.Series([1.0], index=[EVIL], name=EVIL).to_frame(),
        notes=(EVIL,),
        model_text=EVIL,
        data_text=EVIL,
        statements=(Statement("observed", EVIL, (EVIL,), formula),),
        data=pd.DataFrame({"role": [EVIL], "values": ["1"]}, index=[EVIL]),
        ratios=(Ratios(EVIL, EVIL, results.estimates.labels[:2], results.estimates.labels[:1]),),
        models=Models(
            {EVIL: results, "two": make_results(EVIL, (EVIL, "y"), status=Status.INFINITE, sentence=EVIL)}, None, EVIL
        ),
        recipe=Recipe(EVIL, 7),
        versions={EVIL: EVIL},
    )
