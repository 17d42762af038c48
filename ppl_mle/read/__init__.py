"""From a declared PyMC model to a `Likelihood`: the only room that knows PyMC's and PyTensor's internals."""


from ppl_mle.read.likelihood import Likelihood, Term, Variable
from ppl_mle.read.model import current_model, read_model
from ppl_mle.read.scale import Scale


__all__ = [
    "Curve",
    "Likelihood",
    "Scale",
    "Term",
    "Variable",
    "current_model",
    "model_groups",
    "read_model",
    "response_curve",
    "written_dims",
]
