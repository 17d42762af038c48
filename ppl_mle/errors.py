"""Every exception and warning of the package: each message names the thing, its value and the next step."""


class PplMleError(Exception):
    """Anything a user can put right: the command line prints its message in one line and exits with code 1."""


class ScriptError(PplMleError):
    """A model script is missing, is not Python, raises, or lacks what a script must have."""


class DataError(PplMleError):
    """A data file or a data column cannot be used as it is."""


class ModelError(PplMleError):
    """The declared model is outside what can be maximized (discrete variables, nothing observed, no gradient...)."""


class StartError(PplMleError):
    """No point with a finite log-density and gradient was found to start from; names the term that is not finite."""


class RequestError(PplMleError, ValueError):
    """An argument makes no sense for this fit: unknown label, probability outside (0, 1), AIC of a MAP estimate..."""


class OutputError(PplMleError):
    """A result cannot be written where it was asked for; nothing has been written."""


class FitError(PplMleError):
    """A fit that did not converge, raised under ``strict=True``; ``fit`` holds the result with its diagnosis."""

    def __init__(self, message: str, fit: object = None) -> None:
        super().__init__(message)
        self.fit = fit


class FitWarning(UserWarning):
    """A fit ended in a diagnosis instead of a certified maximum; the message is the diagnosis."""
