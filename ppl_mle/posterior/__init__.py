"""The same model's posterior: draws, whether they can be trusted, and how they compare with the fit."""

from ppl_mle.posterior.agreement import Agreement, compare_with_draws
from ppl_mle.posterior.checks import DrawsCheck, check_draws
from ppl_mle.posterior.normal_draws import normal_draws
from ppl_mle.posterior.nuts import sample_nuts
from ppl_mle.posterior.table import summarize_draws

__all__ = [
    "Agreement",
    "DrawsCheck",
    "check_draws",
    "compare_with_draws",
    "normal_draws",
    "sample_nuts",
    "summarize_draws",
]
