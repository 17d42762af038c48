"""The verbs a user begins with: find_MLE, find_MAP, explain."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from ppl_mle.errors import RequestError
from ppl_mle.fit import Fit, Options, fit_model
from ppl_mle.maximize import ENGINES, Engine
from ppl_mle.plan import Plan, make_plan
from ppl_mle.read import current_model, read_model


def find_MLE(
    model: Any = None,
    *,
    fixed: Mapping[str, Any] | None = None,
    weights: Any = None,
    latent: Sequence[str] | None = None,
    initvals: Mapping[str, Any] | None = None,
    random_seed: int = 0,
    starts: int | None = None,
    progressbar: bool = True,
    nobs: float | None = None,
    engine: Engine | None = None,
    strict: bool = False,
    penalty: Literal["jeffreys"] | None = None,
) -> Fit:
    """Maximize the likelihood of a PyMC model; the priors of its parameters give only their support.

    The maximum is found on PyMC's unconstrained scale without any Jacobian term, so it does not depend on the
    parametrization, and is certified or diagnosed (`Fit.status`). Standard errors come from the Hessian there, the
    observed information (Efron and Hinkley 1978).

    Parameters
    ----------
    model : pm.Model, optional
        The model of the enclosing `with` block when left out.
    fixed : dict, optional
        From a variable's name or the label of one element (`"b[GPA]"`) to the value it is held at, declared scale.
    weights : array, or dict of str to array, optional
        Frequency weight of every row of the observed variable.
    latent : sequence of str, optional
        Names of the variables whose density is kept as part of the model; overrides what is inferred for variables
        whose prior depends on no other variable.
    initvals : dict of str to array, optional
        Starting values on the declared scale.
    random_seed : int
        For the jitter of the starts after the first.
    starts : int, optional
        At least so many starting points, jittered on the unconstrained scale. By default one, and several for mixtures,
        where negative curvature was met, or where the first one leads nowhere. What they reached is in the findings
        and in `certificate.maxima`.
    progressbar : bool
        Show a line on standard error after a second, in a terminal only.
    nobs : float, optional
        Number of observations, for models with Potentials.
    engine : engine, optional
        Use this engine instead of the planner's choice, e.g. `QuasiNewton()`.
    strict : bool
        Raise FitError for a fit that does not converge, instead of warning.
    penalty : {"jeffreys"}, optional
        Add half the log determinant of the information on the declared scale to the log-likelihood. For canonical links
        that is Firth's (1993) bias reduction; elsewhere it is the maximum penalized likelihood with Jeffreys' prior
        (Kosmidis and Firth 2021), which keeps estimates finite under separation (Heinze and Schemper 2002) but need not
        reduce bias, least of all of dispersions. The information is the expected one where it has a closed form, else
        the observed one of the unconstrained scale. Standard errors come from the inverse information at the estimate,
        and profile intervals from the penalized likelihood.

    Returns
    -------
    Fit

    Raises
    ------
    ModelError
        The model cannot be maximized: discrete free variables, nothing observed, nothing free, no gradient.
    RequestError
        An argument names nothing in the model or does not fit it.
    StartError
        No finite starting point; names the term that is not finite.
    FitError
        The fit did not converge, under `strict=True`.

    Warns
    -----
    FitWarning
        The fit did not converge; the message is the diagnosis.

    Examples
    --------
    >>> import numpy as np, pymc as pm
    >>> with pm.Model() as model:
    ...     p = pm.Uniform("p", 0, 1)
    ...     y = pm.Bernoulli("y", p=p, observed=np.repeat([0, 1], [7, 3]))
    >>> fit = find_MLE(model)
    >>> fit.status.name, round(float(fit.params["p"]), 12), round(float(fit.bse["p"]), 6)
    ('CONVERGED', 0.3, 0.144914)
    """
    options = Options(fixed, weights, latent, initvals, random_seed, progressbar, nobs, engine, strict, starts, penalty)
    return fit_model(model, "MLE", options)


def find_MAP(
    model: Any = None,
    *,
    fixed: Mapping[str, Any] | None = None,
    weights: Any = None,
    latent: Sequence[str] | None = None,
    initvals: Mapping[str, Any] | None = None,
    random_seed: int = 0,
    starts: int | None = None,
    progressbar: bool = True,
    nobs: float | None = None,
    engine: Engine | None = None,
    strict: bool = False,
) -> Fit:
    """Maximize likelihood times priors of a PyMC model, the density as it is declared.

    Equals `find_MLE` when every prior is flat. The mode is that of the density on the declared scale: no Jacobian
    of a transform enters.

    Parameters
    ----------
    model, fixed, weights, latent, initvals, random_seed, progressbar, nobs, engine, strict
        As for `find_MLE`.

    Returns
    -------
    Fit

    Raises
    ------
    ModelError, RequestError, StartError, FitError
        As for `find_MLE`.

    Warns
    -----
    FitWarning
        The fit did not converge; the message is the diagnosis.

    Examples
    --------
    >>> import numpy as np, pymc as pm
    >>> with pm.Model() as model:
    ...     p = pm.Beta("p", 2, 2)
    ...     y = pm.Bernoulli("y", p=p, observed=np.repeat([0, 1], [7, 3]))
    >>> round(float(find_MAP(model).params["p"]), 12) == round(4 / 12, 12)
    True
    """
    options = Options(fixed, weights, latent, initvals, random_seed, progressbar, nobs, engine, strict, starts)
    return fit_model(model, "MAP", options)


def explain(
    model: Any = None,
    *,
    estimator: Literal["MLE", "MAP"] = "MLE",
    fixed: Mapping[str, Any] | None = None,
    weights: Any = None,
    latent: Sequence[str] | None = None,
    nobs: float | None = None,
) -> Plan:
    """Say what would run on a model, and why each other engine would not; nothing is maximized.

    Parameters
    ----------
    model : pm.Model, optional
    estimator : {"MLE", "MAP"}
    fixed, weights, latent, nobs
        As for `find_MLE`.

    Returns
    -------
    Plan
        Prints as text.

    Raises
    ------
    ModelError, RequestError
        As for `find_MLE`.
    """
    if estimator not in ("MLE", "MAP"):
        raise RequestError(f"estimator={estimator!r} is unknown; use 'MLE' or 'MAP'")
    likelihood = read_model(current_model(model), estimator, latent=latent, weights=weights, nobs=nobs)
    return make_plan(likelihood, ENGINES, likelihood.place(fixed or {}))
