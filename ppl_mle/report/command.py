"""The command that makes a report again, for one that was made from Python with a model script."""

import shlex
from dataclasses import replace

from ppl_mle.inference import OBSERVED, Results
from ppl_mle.report.material import Recipe


def with_command(recipe: Recipe, results: Results, ci_prob: float, method: str, has_posterior: bool) -> Recipe:
    """Complete a recipe that has a script and no command.

    Without one it stays where the command line has no options for what was done: a covariance other than that of the
    observed information, intervals by the bootstrap, fixed elements.
    """
    unknown = results.covariance_kind != OBSERVED or results.fixed or method.startswith("bootstrap")
    if recipe.command or not recipe.script or unknown:
        return recipe
    options: dict[str, str | bool] = {
        "--data": recipe.data,
        "--map": results.estimator == "MAP",
        "--jeffreys": results.penalty == "jeffreys",
        "--ci-prob": "" if ci_prob == 0.95 else f"{ci_prob:g}",
        "--interval": "" if method == "wald" else method,
        "--sample": has_posterior,
        "--seed": "" if recipe.seed is None else str(recipe.seed),
    }
    words = ["ppl-mle", "report", recipe.script]
    for name, value in options.items():
        words += [name] if value is True else [name, str(value)] if value else []
    return replace(recipe, command=shlex.join(words))
