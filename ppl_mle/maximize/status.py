"""How a fit ends: each member's value is the sentence a user reads."""

from enum import Enum


class Status(Enum):
    """Outcome of a fit; `{names}` stands for the parameters concerned."""

    CONVERGED = (
        "The maximum is certified: the gradient vanishes to rounding, the curvature is that of a strict local maximum, "
        "and PyMC's own log-density agrees."
    )
    BOUNDARY = (
        "The maximum lies on the edge of the parameter space: {names}. The data prefer the edge value; its standard "
        "error does not exist and those of the other parameters are conditional on it. Use profile intervals, a model "
        "without what {short} stands for, or a proper prior and find_MAP."
    )
    INFINITE = (
        "No finite maximum there: the likelihood keeps rising towards a limit as {names}. The data do not bound "
        "{short}. Use a proper prior with find_MAP, or drop or pool "
        "what {short} stands for."
    )
    UNIDENTIFIED = (
        "The maximum is a ridge: {names} can change without changing the likelihood. The model has more parameters "
        "than the data can tell apart. Fix or drop one of {short}, or give it a proper prior and use find_MAP."
    )
    UNBOUNDED = (
        "The density has no bound: it rises without limit as {names}. There is no maximum-likelihood estimate for "
        "{short}. Put a proper prior that excludes the edge on {short}, fix it, or sample the posterior."
    )
    NOT_CONVERGED = (
        "No maximum could be certified: {names}. The numbers shown are the best point found, not estimates. Try other "
        "initvals, a better scaled model, or proper priors."
    )

    @property
    def converged(self) -> bool:
        """Whether the estimate is a maximum (inside or on the edge of the parameter space)."""
        return self in (Status.CONVERGED, Status.BOUNDARY)

    def sentence(self, names: str = "", short: str = "") -> str:
        """Return the member's sentence with the parameters filled in.

        Parameters
        ----------
        names : str
            What runs away, is free, or went wrong, e.g. `tau = 0`.
        short : str
            The parameters alone, e.g. `tau`.

        Examples
        --------
        >>> Status.BOUNDARY.sentence("tau = 0", "tau")[:64]
        'The maximum lies on the edge of the parameter space: tau = 0. Th'
        """
        return self.value.format(names=names, short=short or names)
