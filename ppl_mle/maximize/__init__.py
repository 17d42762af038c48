"""From a plan to a certified maximum or a named diagnosis."""

from ppl_mle.maximize.maximum import Certificate, EdgeValue, Maximum
from ppl_mle.maximize.status import Status

__all__ = ["Certificate", "EdgeValue", "Maximum", "Status"]
