"""From a declared PyMC model to a `Likelihood`: the only room that knows PyMC's and PyTensor's internals."""

from ppl_mle.read.condition import hold_variables
from ppl_mle.read.curve import Curve, has_gaussian_errors, response_curve
from ppl_mle.read.evaluation import Form
from ppl_mle.read.fingerprint import hash_data, hash_model
from ppl_mle.read.interpret import WORTH_COMPILING
from ppl_mle.read.likelihood import Likelihood, Term, Variable
from ppl_mle.read.missing import OBSERVED_PART
from ppl_mle.read.model import current_model, read_model
from ppl_mle.read.penalized import penalize
from ppl_mle.read.posterior import (
    DensityAround,
    densities_at,
    has_constant_prior,
    has_one_mode,
    read_posterior,
)
from ppl_mle.read.reading import Reading, read
from ppl_mle.read.rows.batch import values_at
from ppl_mle.read.rows.blocks import Constant
from ppl_mle.read.rows.closed import mean_columns, mean_predictor
from ppl_mle.read.rows.crossings import Crossing, find_crossings, find_margins, soften
from ppl_mle.read.rows.expected import expected_information, expected_weights
from ppl_mle.read.rows.objective import RowObjective
from ppl_mle.read.rows.predictor import Predictor
from ppl_mle.read.rows.scores import group_scores, row_scores, score_products
from ppl_mle.read.rows.sums import gram_matrix
from ppl_mle.read.rows.term import RowTerm
from ppl_mle.read.rows.threads import one_thread_each
from ppl_mle.read.rows.waves import enters_by_waves
from ppl_mle.read.scale import LINE, Scale
from ppl_mle.read.tree import model_data

__all__ = [
    "LINE",
    "OBSERVED_PART",
    "WORTH_COMPILING",
    "Constant",
    "Crossing",
    "Curve",
    "DensityAround",
    "Form",
    "Likelihood",
    "Predictor",
    "Reading",
    "RowObjective",
    "RowTerm",
    "Scale",
    "Term",
    "Variable",
    "current_model",
    "densities_at",
    "enters_by_waves",
    "expected_information",
    "expected_weights",
    "find_crossings",
    "find_margins",
    "gram_matrix",
    "group_scores",
    "has_constant_prior",
    "has_gaussian_errors",
    "has_one_mode",
    "hash_data",
    "hash_model",
    "hold_variables",
    "mean_columns",
    "mean_predictor",
    "model_data",
    "one_thread_each",
    "penalize",
    "read",
    "read_model",
    "read_posterior",
    "response_curve",
    "row_scores",
    "score_products",
    "soften",
    "values_at",
]
