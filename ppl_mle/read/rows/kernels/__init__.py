"""Closed-form row log-densities with their first and second derivatives.

`evaluate(y, data, etas, order)` gives `(f, first, second)`: the log-density of each row less its `base`, the
derivatives in the k predictors, and the k (k + 1) / 2 second derivatives row by row of the upper triangle, up to the
order asked for. A predictor that all rows share comes as a number, and a derivative that all rows share may too.
"""

from ppl_mle.read.rows.kernels.binary import BINARY_KERNELS
from ppl_mle.read.rows.kernels.counts import COUNT_KERNELS
from ppl_mle.read.rows.kernels.kernel import Kernel
from ppl_mle.read.rows.kernels.normal import NORMAL_KERNELS
from ppl_mle.read.rows.kernels.positive import POSITIVE_KERNELS

KERNELS: tuple[Kernel, ...] = (*BINARY_KERNELS, *COUNT_KERNELS, *NORMAL_KERNELS, *POSITIVE_KERNELS)

__all__ = ["KERNELS", "Kernel"]
