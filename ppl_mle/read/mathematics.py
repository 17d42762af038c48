"""The declared model as mathematics: one statement per variable, its expressions read off the graph."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pytensor.scalar as ps
from pytensor.compile.ops import ViewOp
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Constant
from pytensor.tensor.blockwise import Blockwise
from pytensor.tensor.elemwise import CAReduce, DimShuffle, Elemwise
from pytensor.tensor.math import Dot
from pytensor.tensor.random.type import RandomType
from pytensor.tensor.shape import Reshape, SpecifyShape
from pytensor.tensor.special import Softmax
from pytensor.tensor.subtensor import AdvancedSubtensor, Subtensor

from ppl_mle.errors import RequestError
from ppl_mle.read.law import Law, open_law, unmasked
from ppl_mle.read.responding import plain_name

ExpressionKind = Literal["name", "number", "sum", "product", "quotient", "power", "negative", "call", "item", "named"]
_MOST_PARTS = 400


@dataclass(frozen=True)
class Expression:
    """A node of a formula.

    Parameters
    ----------
    kind : str
        `named` is an argument with its name, `item` an element: the first part at the places that follow.
    text : str
        Of names, numbers, functions and named arguments.
    parts : tuple of Expression
    """

    kind: ExpressionKind
    text: str = ""
    parts: tuple["Expression", ...] = ()


@dataclass(frozen=True)
class Statement:
    """What is declared of one variable: `name ~ right` or `name = right`.

    Parameters
    ----------
    role : {"prior", "deterministic", "potential", "observed"}
    name : str
    dims : tuple of str
        As declared; empty where no names were.
    right : Expression
    """

    role: Literal["prior", "deterministic", "potential", "observed"]
    name: str
    dims: tuple[str, ...]
    right: Expression

    @property
    def relation(self) -> Literal["~", "="]:
        """Whether it is drawn or computed."""
        return "~" if self.role in ("prior", "observed") else "="


# Names of PyMC's parameters in the order of its operations; None is left out.
_PARAMETERS: Mapping[str, tuple[str | None, ...]] = {
    "Gamma": ("shape", "scale"),
    "InverseGamma": ("shape", "rate"),
    "Exponential": ("scale",),
    "Weibull": ("shape", "scale"),
    "HalfNormal": (None, "sd"),
    "HalfCauchy": (None, "scale"),
    "StudentT": ("df", "location", "scale"),
    "HalfStudentT": ("df", "scale"),
}


def read_mathematics(model: Any) -> tuple[Statement, ...]:
    """Statements of a model in the order of data generation: priors, Deterministics, observed variables, Potentials.

    What the graph computes by operations without a short notation becomes `f(...)` of the named variables in it.

    Parameters
    ----------
    model : pm.Model

    Returns
    -------
    tuple of Statement
    """
    reader = _Reader(model)
    groups = (
        ("prior", model.free_RVs, reader.drawn),
        ("deterministic", model.deterministics, reader.computed),
        ("observed", model.observed_RVs, reader.drawn),
        ("potential", model.potentials, reader.computed),
    )
    imputed = {f"{plain_name(model, rv)}_unobserved" for rv in model.observed_RVs if plain_name(model, rv) != rv.name}
    filled = {name.removesuffix("_unobserved") for name in imputed}
    return tuple(
        Statement(role, plain_name(model, var), _declared_dims(model, var.name), rule(var))  # type: ignore[arg-type]
        for role, variables, rule in groups
        for var in variables
        if var.name not in imputed and not (role == "deterministic" and var.name in filled)
    )


def _declared_dims(model: Any, name: str) -> tuple[str, ...]:
    return tuple(dim for dim in model.named_vars_to_dims.get(name) or () if dim is not None)


class _Reader:
    """Turns variables of a model's graph into expressions, stopping at those that have names.

    Parameters
    ----------
    model : pm.Model
    """

    def __init__(self, model: Any) -> None:
        named = [*model.basic_RVs, *model.deterministics, *model.potentials, *model.data_vars]
        self._names = {var: var.name for var in named}
        self._left = _MOST_PARTS

    def drawn(self, rv: Any) -> Expression:
        """The distribution of a random variable."""
        try:
            return self._law(unmasked(open_law(rv))[0])
        except RequestError:
            name = type(rv.owner.op).__name__.removesuffix("RV")
            parts = [v for v in rv.owner.inputs if not isinstance(v.type, RandomType) and hasattr(v.type, "ndim")]
            return Expression("call", name, tuple(self.read(part) for part in parts))

    def computed(self, var: Any) -> Expression:
        """The right-hand side of a named variable."""
        if var.owner is None:
            return self.read(var)
        return self._operation(var) or self._function_of(var)

    def read(self, var: Any) -> Expression:
        """Any variable of the graph."""
        self._left -= 1
        if var in self._names:
            return Expression("name", self._names[var])
        if isinstance(var, Constant | SharedVariable):
            return _constant(var)
        if var.owner is None:
            return Expression("name", var.name or "?")
        if self._left < 0:
            return self._function_of(var)
        return self._operation(var) or self._nested_law(var) or self._function_of(var)

    def _law(self, law: Law) -> Expression:
        if law.kind == "mixture":
            components = tuple(self._law(part) for part in law.parts)
            return Expression("call", "Mixture", (self.read(law.parameters[0]), *components))
        if law.kind == "censored":
            limits = [self.read(limit) for limit in law.parameters]
            given = [limit for limit in limits if limit.text not in ("-inf", "inf")]
            return Expression("call", "Censored", (self._law(law.parts[0]), *given))
        if law.name == "NegativeBinomial":
            return _negative_binomial(*(self.read(parameter) for parameter in law.parameters))
        names = _PARAMETERS.get(law.name, (*("",) * len(law.parameters),))
        pairs = [(name, p) for name, p in zip(names, law.parameters, strict=False) if name is not None]
        return Expression("call", law.name, tuple(self._named(name, p) if name else self.read(p) for name, p in pairs))

    def _named(self, name: str, var: Any) -> Expression:
        return Expression("named", name, (self.read(var),))

    def _nested_law(self, var: Any) -> Expression | None:
        if not any(isinstance(part.type, RandomType) for part in var.owner.inputs):
            return None
        return self.drawn(var)

    def _operation(self, var: Any) -> Expression | None:
        """An operation that has a notation; None for the others."""
        node, op = var.owner, var.owner.op
        if isinstance(op, DimShuffle | Reshape | SpecifyShape | ViewOp):
            plain = not isinstance(op, DimShuffle) or list(op.shuffle) == sorted(op.shuffle)
            return self.read(node.inputs[0]) if plain else Expression("call", "transpose", (self.read(node.inputs[0]),))
        if isinstance(op, Elemwise):
            return self._elementwise(op.scalar_op, node.inputs)
        core = op.core_op if isinstance(op, Blockwise) else op
        if isinstance(core, Dot) or type(core).__name__ in ("Matmul", "MatMul"):
            return Expression("product", "", tuple(self.read(part) for part in node.inputs))
        if isinstance(core, Softmax):
            return Expression("call", "softmax", (self.read(node.inputs[0]),))
        if isinstance(op, CAReduce) and isinstance(op.scalar_op, ps.Add):
            return Expression("call", "sum", (self.read(node.inputs[0]),))
        if isinstance(op, AdvancedSubtensor | Subtensor) and not _without_new_axes(node.inputs[0]).type.ndim:
            return self.read(node.inputs[0])
        if isinstance(op, AdvancedSubtensor | Subtensor) and len(node.inputs) > 1:
            return Expression("item", "", tuple(self.read(part) for part in node.inputs))
        return None

    def _elementwise(self, op: Any, inputs: list[Any]) -> Expression | None:
        if isinstance(op, ps.Identity | ps.Cast):
            return self.read(inputs[0])
        if isinstance(op, ps.Second):
            return self.read(inputs[1])
        rule = next((rule for kind, rule in _NOTATIONS if isinstance(op, kind)), None)
        parts = [self.read(part) for part in inputs]
        if rule is not None:
            return rule(parts)
        name = getattr(op, "name", None) or type(op).__name__
        return Expression("call", str(name).lower(), tuple(parts))

    def _function_of(self, var: Any) -> Expression:
        """The variable as some function of the named variables behind it, in the order in which they come up."""
        found: dict[str, None] = {}
        seen, waiting = set(), [var]
        while waiting:
            one = waiting.pop(0)
            for above in one.owner.inputs if one.owner is not None else ():
                if above in self._names:
                    found[self._names[above]] = None
                elif above not in seen:
                    seen.add(above)
                    waiting.append(above)
        return Expression("call", "f", tuple(Expression("name", name) for name in found)) if found else _CONSTANTS


_CONSTANTS = Expression("name", "constants")


def _without_new_axes(var: Any) -> Any:
    while var.owner is not None and isinstance(var.owner.op, DimShuffle):
        var = var.owner.inputs[0]
    return var


def _negative_binomial(size: Expression, chance: Expression) -> Expression:
    """By its mean where it was declared so: PyMC then has the chance logistic(log(size) - log(mean))."""
    for mean in (part.parts[0].parts for total in chance.parts for part in total.parts if part.kind == "negative"):
        logarithm = Expression("call", "log", (size,))
        odds = Expression("sum", "", (logarithm, Expression("negative", "", (Expression("call", "log", mean),))))
        if chance == Expression("call", "logistic", (odds,)):
            named = (Expression("named", "mean", mean), Expression("named", "size", (size,)))
            return Expression("call", "NegativeBinomial", named)
    named = (Expression("named", "size", (size,)), Expression("named", "p", (chance,)))
    return Expression("call", "NegativeBinomial", named)


def _constant(var: Any) -> Expression:
    values = np.asarray(var.data if isinstance(var, Constant) else var.get_value(borrow=True))
    if values.size and values.dtype.kind in "fiub" and (values.size == 1 or np.all(values == values.flat[0])):
        number = float(values.flat[0])
        return Expression("number", f"{number:.6g}")
    return Expression("name", var.name or f"constants ({' x '.join(map(str, values.shape))})")


def _sum(parts: list[Expression]) -> Expression:
    terms: list[Expression] = []
    for part in parts:
        terms += part.parts if part.kind == "sum" else (part,)
    return Expression("sum", "", tuple(terms))


def _difference(parts: list[Expression]) -> Expression:
    return _sum([parts[0], Expression("negative", "", (parts[1],))])


def _product(parts: list[Expression]) -> Expression:
    """A product without the ones that only broadcast."""
    factors = tuple(part for part in parts if (part.kind, part.text) != ("number", "1"))
    return Expression("product", "", factors) if len(factors) > 1 else (factors or tuple(parts))[0]


def _function(name: str) -> Callable[[list[Expression]], Expression]:
    return lambda parts: Expression("call", name, tuple(parts))


_NOTATIONS: tuple[tuple[type, Callable[[list[Expression]], Expression]], ...] = (
    (ps.Add, _sum),
    (ps.Sub, _difference),
    (ps.Mul, _product),
    (ps.TrueDiv, lambda parts: Expression("quotient", "", tuple(parts))),
    (ps.Pow, lambda parts: Expression("power", "", tuple(parts))),
    (ps.Sqr, lambda parts: Expression("power", "", (*parts, Expression("number", "2")))),
    (ps.Neg, lambda parts: Expression("negative", "", tuple(parts))),
    (ps.Reciprocal, lambda parts: Expression("quotient", "", (Expression("number", "1"), *parts))),
    (ps.Sigmoid, _function("logistic")),
    (ps.Softplus, _function("softplus")),
)
