"""Why a graph is not of the predictor form."""


class Declined(Exception):  # noqa: N818 (an answer, not an error: caught where the term is read)
    """A part of a graph that the predictor form has no room for; the message is the reason."""
