"""Choosing a covariance by name."""

from dataclasses import fields, replace

from ppl_mle.errors import RequestError
from ppl_mle.inference.covariances.cluster import Cluster
from ppl_mle.inference.covariances.hac import Hac
from ppl_mle.inference.covariances.information import ExpectedInformation, ObservedInformation, OuterProducts
from ppl_mle.inference.covariances.kind import Covariance, CovarianceKind, CovarianceOptions
from ppl_mle.inference.covariances.resampled import Jackknife, Resampled
from ppl_mle.inference.covariances.sandwich import White
from ppl_mle.maximize import Maximum, Status

COVARIANCES: tuple[CovarianceKind, ...] = (
    ObservedInformation(),
    ExpectedInformation(),
    OuterProducts(),
    *(White(name) for name in ("HC0", "HC1", "HC2", "HC3")),
    Cluster(),
    Hac(),
    Jackknife(),
    Resampled(),
)
_WITHOUT = (Status.NOT_CONVERGED, Status.UNBOUNDED)


def estimate_covariance(maximum: Maximum, kind: str, options: CovarianceOptions) -> Covariance:
    """Estimate the covariance of a maximum.

    Parameters
    ----------
    maximum : Maximum
        Its own covariance is the inverse observed information.
    kind : str
        Name of a member of `COVARIANCES`; upper and lower case are the same.
    options : CovarianceOptions

    Returns
    -------
    Covariance

    Raises
    ------
    RequestError
        An unknown kind, an option that the kind does not take, a fit without a maximum, or no rows where it needs them.
    """
    known = {one.name.lower(): one for one in COVARIANCES}
    found = known.get(str(kind).lower())
    if found is None:
        raise RequestError(f"covariance kind {kind!r} is unknown; use one of {', '.join(c.name for c in COVARIANCES)}")
    default = CovarianceOptions()
    given = [f.name for f in fields(options) if getattr(options, f.name) is not getattr(default, f.name)]
    foreign = [name for name in given if name not in found.takes]
    if foreign:
        takers = [one.name for one in COVARIANCES if foreign[0] in one.takes]
        raise RequestError(f"{foreign[0]}= means nothing to {found.name!r}; it is used by {', '.join(takers)}")
    if maximum.status in _WITHOUT:
        about = ", ".join(maximum.parameters) or "no maximum"
        raise RequestError(
            f"a fit that ended as {maximum.status.name} has no covariance ({about}); mend the model first"
        )
    if options.bread == "observed":
        return found.estimate(maximum, options)
    if options.bread != "expected":
        raise RequestError(f"bread={options.bread!r} is unknown; use 'observed' or 'expected'")
    expected = ExpectedInformation().estimate(maximum, options)
    covariance = found.estimate(replace(maximum, covariance=expected.matrix), options)
    return replace(covariance, kind=f"{covariance.kind}, around the expected information")
