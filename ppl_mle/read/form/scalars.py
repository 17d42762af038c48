"""PyTensor's scalar operations under the names that row densities use."""

from collections.abc import Sequence
from typing import Any

from ppl_mle.read.form.declined import Declined
from ppl_mle.read.rows.build import TRUTHS, Builder
from ppl_mle.read.rows.expression import Expr
from ppl_mle.read.rows.pairs import BINARY
from ppl_mle.read.rows.scalar import UNARY

_NAMES = {
    "LT": "lt",
    "GT": "gt",
    "LE": "le",
    "GE": "ge",
    "EQ": "eq",
    "NEQ": "neq",
    "IsNan": "isnan",
    "IsInf": "isinf",
    "OR": "or",
    "AND": "and",
    "Invert": "invert",
    "Maximum": "maximum",
    "ScalarMaximum": "maximum",
    "Minimum": "minimum",
    "ScalarMinimum": "minimum",
    "TrueDiv": "true_div",
    "RoundHalfToEven": "round_half_to_even",
    "TriGamma": "tri_gamma",
    "GammaLn": "gammaln",
    "GammaInc": "gammainc",
    "GammaIncC": "gammaincc",
    "NdtriExp": "ndtri_exp",
}
_FOLDED = ("add", "mul", "maximum", "minimum", "or", "and")
_PASSING = ("Identity", "Cast")


def elementwise(make: Builder, node: Any, arguments: Sequence[Expr]) -> Expr:
    """An elementwise operation of expressions.

    Raises
    ------
    Declined
        No rule for its derivatives.
    """
    kind = type(node.op.scalar_op).__name__
    if kind in _PASSING:
        return _cast(make, node, kind, arguments[0])
    if kind == "Second":
        return arguments[1]
    if kind == "Clip":
        return make("minimum", make("maximum", arguments[0], arguments[1]), arguments[2])
    if kind == "Switch":
        return make("switch", *arguments)
    name = _NAMES.get(kind, kind.lower())
    if name in _FOLDED:
        total = arguments[0]
        for argument in arguments[1:]:
            total = make(name, total, argument)
        return total
    if name not in _KNOWN:
        raise Declined(f"{kind} has no rule for its derivatives")
    if name.startswith("gammainc") and arguments[0].depends:
        raise Declined(f"{kind} has no derivative in its first argument")
    return make(name, *arguments)


def _cast(make: Builder, node: Any, kind: str, argument: Expr) -> Expr:
    target = node.outputs[0].type.dtype
    if kind == "Identity" or target.startswith("float") or not argument.depends or argument.op in TRUTHS:
        return argument
    raise Declined(f"a cast of parameters to {target}")


_KNOWN = {*UNARY, *BINARY, "sub", "neg", "lt", "gt", "le", "ge", "eq", "neq", "isnan", "isinf", "invert"}
