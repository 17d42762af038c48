"""The same model's posterior: draws, whether they can be trusted, and how they compare with the fit."""

from ppl_mle.posterior.agreement import Agreement, compare_with_draws
from ppl_mle.posterior.approximation import approximate
from ppl_mle.posterior.checks import DrawsCheck, check_draws
from ppl_mle.posterior.draws_tree import make_tree
from ppl_mle.posterior.instant import Instant, find_mode, sample_instantly
from ppl_mle.posterior.normal_draws import normal_draws
from ppl_mle.posterior.nuts import sample_nuts
from ppl_mle.posterior.periodic import why_periodic
from ppl_mle.posterior.propriety import why_improper
from ppl_mle.posterior.separated import why_separated
from ppl_mle.posterior.table import summarize_draws

__all__ = [
    "Agreement",
    "DrawsCheck",
    "Instant",
    "approximate",
    "check_draws",
    "compare_with_draws",
    "find_mode",
    "make_tree",
    "normal_draws",
    "sample_instantly",
    "sample_nuts",
    "summarize_draws",
    "why_improper",
    "why_periodic",
    "why_separated",
]
