"""From a plan to a certified maximum or a named diagnosis."""

from ppl_mle.maximize.closed_form import ClosedForm
from ppl_mle.maximize.engines import ENGINES, Engine
from ppl_mle.maximize.gauss_newton import GaussNewton
from ppl_mle.maximize.least_squares import LeastSquares
from ppl_mle.maximize.maximum import Certificate, EdgeValue, Maximum
from ppl_mle.maximize.newton import Newton
from ppl_mle.maximize.predictor_newton import PredictorNewton
from ppl_mle.maximize.problem import Problem
from ppl_mle.maximize.quasi_newton import QuasiNewton
from ppl_mle.maximize.recession import Recession, prove_recession
from ppl_mle.maximize.run import maximize
from ppl_mle.maximize.search import Search
from ppl_mle.maximize.separation import never_falls
from ppl_mle.maximize.status import Status

__all__ = [
    "ENGINES",
    "Certificate",
    "ClosedForm",
    "EdgeValue",
    "Engine",
    "GaussNewton",
    "LeastSquares",
    "Maximum",
    "Newton",
    "PredictorNewton",
    "Problem",
    "QuasiNewton",
    "Recession",
    "Search",
    "Status",
    "maximize",
    "never_falls",
    "prove_recession",
]
