"""What NumPy cannot interpret as it stands: functions without a ufunc, one call a row, and sums of too many arrays."""

from typing import Any

import pytensor.tensor as pt
from pytensor.graph.rewriting.basic import in2out, node_rewriter
from pytensor.scalar.basic import Add, BinaryScalarOp, Mul, UnaryScalarOp, upgrade_to_float, upgrade_to_float_no_complex
from pytensor.scalar.math import Log1mexp, Softplus, TriGamma
from pytensor.tensor.elemwise import Elemwise
from scipy import special


class LogExpit(UnaryScalarOp):
    """log(1 / (1 + exp(-x))), by SciPy's ufunc."""

    nfunc_spec = ("scipy.special.log_expit", 1, 1)

    def impl(self, x: Any) -> Any:
        """Evaluate one number."""
        return special.log_expit(x)


class Zeta(BinaryScalarOp):
    """Hurwitz zeta function, by SciPy's ufunc; trigamma(x) is zeta(2, x)."""

    nfunc_spec = ("scipy.special.zeta", 2, 1)

    def impl(self, s: Any, x: Any) -> Any:
        """Evaluate one number."""
        return special.zeta(s, x)


# NumPy evaluates at most 32 arrays in one step.
_MOST_OPERANDS = 30

_log_expit = Elemwise(LogExpit(upgrade_to_float_no_complex, name="log_expit"))
_zeta = Elemwise(Zeta(upgrade_to_float, name="zeta"))


@node_rewriter([Elemwise])
def _with_ufunc(fgraph: Any, node: Any) -> Any:
    kind = type(node.op.scalar_op)
    if kind in (Add, Mul) and len(node.inputs) > _MOST_OPERANDS:
        return [_nested(node.op, node.inputs)]
    if kind not in (Softplus, TriGamma, Log1mexp):
        return None
    (x,) = node.inputs
    if kind is Softplus:
        return [-_log_expit(-x)]
    if kind is TriGamma:
        return [_zeta(pt.constant(2.0), x)]
    return [pt.switch(x > -0.6931471805599453, pt.log(-pt.expm1(x)), pt.log1p(-pt.exp(x)))]


def _nested(op: Any, inputs: list[Any]) -> Any:
    """A sum or a product of many as one of few."""
    if len(inputs) <= _MOST_OPERANDS:
        return op(*inputs)
    middle = len(inputs) // 2
    return op(_nested(op, inputs[:middle]), _nested(op, inputs[middle:]))


WITH_UFUNCS = in2out(_with_ufunc, name="with_ufuncs")
