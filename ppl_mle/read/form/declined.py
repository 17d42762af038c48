"""Why a graph is not of the predictor form."""


class Declined(Exception):
    """A part of a graph that the predictor form has no room for; the message is the reason."""
