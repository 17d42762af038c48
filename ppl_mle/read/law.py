"""The distribution of a response, taken apart: its operation, its parameters, and its mean as a graph."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pytensor.scalar as ps
import pytensor.tensor as pt
from pymc.distributions.censored import CensoredRV
from pymc.distributions.discrete import Categorical, NegativeBinomial
from pymc.distributions.distribution import DiracDelta
from pymc.distributions.mixture import MixtureRV
from pymc.distributions.moments.means import _mean
from pymc.exceptions import UndefinedMomentException
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.random.op import RandomVariable
from pytensor.tensor.subtensor import AdvancedSubtensor
from pytensor.tensor.type_other import NoneConst
from pytensor.tensor.variable import TensorConstant
from pytensor.xtensor.vectorization import XRV

from ppl_mle.errors import RequestError
from ppl_mle.read.interpret import as_tensor


@dataclass(frozen=True, eq=False)
class Law:
    """A distribution.

    Parameters
    ----------
    kind : {"plain", "mixture", "censored"}
    op : PyMC's operation
    parameters : tuple
        Of a plain distribution in PyMC's order; the weights of a mixture; the limits of a censored one.
    parts : tuple of Law
        Components of a mixture (one, with a last axis, where they were declared as a batch); what is censored.
    """

    kind: Literal["plain", "mixture", "censored"]
    op: Any
    parameters: tuple[Any, ...]
    parts: tuple["Law", ...] = ()

    @property
    def is_batch(self) -> bool:
        """Whether the components of a mixture are one distribution with an axis for them."""
        return self.kind == "mixture" and len(self.parts) == 1

    @property
    def is_discrete(self) -> bool:
        """Whether the values are whole numbers."""
        if self.kind == "plain":
            return str(getattr(self.op, "dtype", "")).startswith(("int", "uint", "bool"))
        return any(part.is_discrete for part in self.parts)

    @property
    def is_categorical(self) -> bool:
        """Whether the values are categories, which have probabilities and no mean."""
        return self.kind == "plain" and isinstance(self.op, Categorical.rv_type)

    @property
    def event_axes(self) -> int:
        """Axes of one event: 0 for a number, 1 for a vector."""
        return self.op.ndim_supp if self.kind == "plain" else max(part.event_axes for part in self.parts)

    @property
    def name(self) -> str:
        """How PyMC prints the distribution."""
        printed = getattr(self.op, "_print_name", None)
        return str(printed[0]) if printed else type(self.op).__name__.removesuffix("RV")

    def mapped(self, change: Callable[[Any], Any]) -> "Law":
        """The same distribution with every parameter changed."""
        parameters = tuple(change(parameter) for parameter in self.parameters)
        return Law(self.kind, self.op, parameters, tuple(part.mapped(change) for part in self.parts))


def open_law(rv: Any) -> Law:
    """Take the distribution of a random variable apart, the sizes that were declared for it left out.

    Raises
    ------
    RequestError
        An operation whose parts are not known.
    """
    node = rv.owner
    op = node.op
    if isinstance(op, MixtureRV):
        weights, *components = op.dist_params(node) if hasattr(op, "dist_params") else node.inputs[1:]
        return Law("mixture", op, (weights,), tuple(open_law(component) for component in components))
    if isinstance(op, CensoredRV):
        base, lower, upper = node.inputs
        return Law("censored", op, (lower, upper), (open_law(base),))
    if isinstance(op, XRV):
        parameters = node.inputs[1 + len(op.extra_dims) :]
        return Law("plain", op.core_op, tuple(_lined_up(p, rv) for p in parameters))
    if isinstance(op, RandomVariable):
        return Law("plain", op, tuple(op.dist_params(node)))
    if getattr(op, "extended_signature", None) is None:
        raise RequestError(
            f"the distribution of '{rv.name}' ({type(op).__name__.removesuffix('RV')}) has no mean that PyMC knows; "
            "declare what you want predicted as a pm.Deterministic and use fit.deterministic"
        )
    return Law("plain", op, tuple(op.dist_params(node)))


def mean_graph(law: Law, name: str) -> Any:
    """The mean as a graph of the parameters, broadcast among them; the probabilities of a categorical response.

    Raises
    ------
    RequestError
        The distribution has no mean, or PyMC does not know it.
    """
    if law.kind == "censored":
        return mean_graph(law.parts[0], name)
    if law.kind == "mixture":
        return _mean_of_mixture(law, name)
    if law.is_categorical:
        return as_tensor(law.parameters[0])
    if isinstance(law.op, DiracDelta.rv_type):
        return as_tensor(law.parameters[0])
    if isinstance(law.op, NegativeBinomial.rv_type):
        declared = _declared_mean(*law.parameters)
        if declared is not None:
            return declared
    parameters = [as_tensor(parameter) for parameter in law.parameters]
    try:
        return _mean.dispatch(type(law.op))(law.op, None, None, NoneConst, *parameters)
    except (NotImplementedError, UndefinedMomentException, AttributeError, TypeError) as exc:
        raise RequestError(
            f"'{name}' has the distribution {law.name}, whose mean PyMC does not know; declare what you want predicted "
            "as a pm.Deterministic and use fit.deterministic"
        ) from exc


def _mean_of_mixture(law: Law, name: str) -> Any:
    weights = as_tensor(law.parameters[0])
    if law.is_batch:
        return pt.sum(weights * mean_graph(law.parts[0], name), axis=-1)
    means = [mean_graph(part, name) for part in law.parts]
    return pt.add(*[weights[..., k] * mean for k, mean in enumerate(means)])


def _declared_mean(size: Any, chance: Any) -> Any:
    """The mean of a negative binomial that was declared by it, from its chance size / (mean + size)."""
    node = chance.owner
    if not _is(node, ps.Sigmoid) or not _is(node.inputs[0].owner, ps.Sub):
        return None
    left, right = node.inputs[0].owner.inputs
    logarithm = _bare(left).owner
    if not _is(logarithm, ps.Log) or not _are_same(_bare(logarithm.inputs[0]), _bare(size)):
        return None
    return right.owner.inputs[0] if _is(right.owner, ps.Log) else pt.exp(right)


def _are_same(one: Any, other: Any) -> bool:
    """Whether two variables are one, or constants of the same numbers."""
    if isinstance(one, TensorConstant) and isinstance(other, TensorConstant):
        return np.array_equal(one.data, other.data)
    return one is other


def _is(node: Any, kind: type) -> bool:
    return node is not None and isinstance(node.op, Elemwise) and isinstance(node.op.scalar_op, kind)


def _bare(var: Any) -> Any:
    """A variable without the axes of length one that were put on it."""
    while var.owner is not None and isinstance(var.owner.op, DimShuffle):
        var = var.owner.inputs[0]
    return var


def unmasked(law: Law) -> tuple[Law, Any]:
    """The distribution of all rows, of the observed rows of a response with missing ones, and the mask of those.

    The mask is None where no parameter is masked.
    """
    masks = []

    def unmask(parameter: Any) -> Any:
        node = parameter.owner
        if node is None or not isinstance(node.op, AdvancedSubtensor) or len(node.inputs) != 2:
            return parameter
        if node.inputs[1].type.dtype != "bool":
            return parameter
        masks.append(node.inputs[1])
        return node.inputs[0]

    whole = law.mapped(unmask)
    return whole, masks[0] if masks else None


def _lined_up(parameter: Any, rv: Any) -> Any:
    """A parameter with named dims, its axes in the order of the response's."""
    dims = [dim for dim in rv.type.dims if dim in parameter.type.dims]
    rest = [dim for dim in parameter.type.dims if dim not in dims]
    whole = parameter.transpose(*dims, *rest) if parameter.type.ndim > 1 else parameter
    missing = len(rv.type.dims) - len(dims)
    tensor = as_tensor(whole)
    if not missing or not dims:
        return tensor
    pattern: list[Any] = [dims.index(dim) if dim in dims else "x" for dim in rv.type.dims]
    return tensor.dimshuffle(*pattern, *range(len(dims), tensor.type.ndim))
