"""What a test asks of a fit before it speaks: a status that supports it, and a likelihood that was maximized."""

from ppl_mle.errors import RequestError
from ppl_mle.inference.results import Results


def demand_maximum(results: Results, what: str) -> None:
    """Refuse a fit that did not end in a maximum.

    Raises
    ------
    RequestError
        Names the status and quotes its sentence.
    """
    if not results.converged:
        raise RequestError(
            f"{what} needs a certified maximum, and this fit is {results.status.name}: {results.sentence}"
        )


def demand_likelihood(results: Results, what: str) -> None:
    """Refuse a fit whose maximized log-density is not its log-likelihood.

    Raises
    ------
    RequestError
        A MAP fit, or one with a penalty or with latent variables.
    """
    if results.likelihood_only:
        return
    if results.latents:
        raise RequestError(
            f"{what} needs the marginal likelihood, and {', '.join(results.latents)} is latent and was maximized, not "
            "integrated out; compare such models by their posteriors (az.loo)"
        )
    this = "has Jeffreys' penalty; leave penalty= out" if results.penalty else "is a MAP fit; use find_MLE"
    raise RequestError(f"{what} needs a maximum-likelihood fit, and this one {this}")
