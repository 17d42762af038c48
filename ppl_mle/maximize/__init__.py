"""From a plan to a certified maximum or a named diagnosis."""

from ppl_mle.maximize.engines import ENGINES, Engine
from ppl_mle.maximize.maximum import Certificate, EdgeValue, Maximum
from ppl_mle.maximize.newton import Newton
from ppl_mle.maximize.quasi_newton import QuasiNewton
from ppl_mle.maximize.run import maximize
from ppl_mle.maximize.status import Status

__all__ = [
    "ENGINES",
    "Certificate",
    "EdgeValue",
    "Engine",
    "Maximum",
    "Newton",
    "QuasiNewton",
    "Status",
    "maximize",
]
