"""Terms that differ in the numbers of their rows alone: one formula over all rows of all data sets."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ppl_mle.read.rows.blocks import Block, Constant, Dense, Indexed
from ppl_mle.read.rows.expression import Expr, in_order
from ppl_mle.read.rows.jet import Jet
from ppl_mle.read.rows.kernels import KERNELS
from ppl_mle.read.rows.predictor import Predictor
from ppl_mle.read.rows.program import Program
from ppl_mle.read.rows.refits import Densities
from ppl_mle.read.rows.term import Group, RowTerm

_KERNELS = {kernel.name: kernel for kernel in KERNELS}


def has_plain_response(term: RowTerm) -> bool:
    """Whether the response is one array that a closed-form density holds, so that another can take its place."""
    return term.form in _KERNELS and term.weights is None and len(term.groups) == 1 and term.groups[0].rows is None


def with_response(term: RowTerm, y: np.ndarray) -> RowTerm | None:
    """A closed-form term with another response; None where that is not in its support."""
    kernel, program = _KERNELS[term.form], term.groups[0].program
    y, (_, data) = np.ravel(y), program.expression.extra
    if not kernel.accepts(y, data):
        return None
    expression = replace(program.expression, extra=(y, data))
    group = Group(None, Program(expression, program.conditions))
    return replace(term, groups=(group,), base=float(np.sum(kernel.base(y, data))))


class Numbers:
    """A term with the predictors of another.

    Parameters
    ----------
    reference : RowTerm
    term : RowTerm or None
        Its predictors should be among those of `reference`.
    """

    def __init__(self, reference: RowTerm, term: RowTerm | None) -> None:
        self.term = term
        place = None if term is None else _places(reference.predictors, term.predictors)
        self.fits = place is not None and term is not None and term.count == reference.count
        self.parts: list[tuple[Any, np.ndarray, Program]] = []
        if term is None or place is None or not self.fits:
            return
        for group in term.groups:
            rows = np.arange(term.count) if group.rows is None else group.rows
            program = group.program.renumbered(place)
            self.parts.append((_structure(program), rows, program))


def other_numbers(count: int, terms: Sequence[Numbers]) -> Densities:
    """Densities of the rows of several terms, the i-th at the i-th point.

    Parameters
    ----------
    count : int
        Rows of each.
    terms : sequence of Numbers
        Where one does not fit, the density does not exist.
    """
    buckets: dict[Any, list[tuple[int, np.ndarray, Program]]] = {}
    for position, numbers in enumerate(terms):
        for key, rows, program in numbers.parts:
            buckets.setdefault(key, []).append((position, rows, program))
    exists = np.array([[numbers.fits] for numbers in terms])
    merged = [_merged(bucket, count) for bucket in buckets.values()]
    shape = (len(terms), count)

    def densities(etas: list[np.ndarray], order: int) -> tuple[Jet, Any]:
        flat = [np.broadcast_to(eta, shape).ravel() for eta in etas]
        return _evaluated(merged, flat, exists, shape, order)

    return densities


def _evaluated(
    merged: Sequence[tuple[np.ndarray, Program]], flat: list[np.ndarray], exists: np.ndarray, shape: Any, order: int
) -> tuple[Jet, Any]:
    size = shape[0] * shape[1]
    value, fine = np.zeros(size), np.repeat(exists.ravel(), shape[1])
    first: dict[Any, np.ndarray] = {}
    second: dict[Any, np.ndarray] = {}
    for index, program in merged:
        own = [eta[index] for eta in flat]
        jet = Program(program.expression)(slice(None), own, order)
        assert jet is not None
        for condition in program.conditions:
            held = Program(condition)(slice(None), own, 0)
            fine[index] &= held is not None and held.value != 0
        value[index] = jet.value
        for target, source in ((first, jet.first), (second, jet.second)):
            for key, d in source.items():
                target.setdefault(key, np.zeros(size))[index] = d
    table = {key: d.reshape(shape) for key, d in first.items()}, {key: d.reshape(shape) for key, d in second.items()}
    return Jet(value.reshape(shape), *table), fine.reshape(shape)


def _merged(bucket: Sequence[tuple[int, np.ndarray, Program]], count: int) -> tuple[np.ndarray, Program]:
    """One program over the rows of several that have one structure, and where those rows lie end to end."""
    index = np.concatenate([position * count + rows for position, rows, _ in bucket])
    nodes = [in_order(program.expression, *program.conditions) for _, _, program in bucket]
    every = [rows for _, rows, _ in bucket]
    made: dict[int, Expr] = {}
    for same in zip(*nodes, strict=True):
        node = same[0]
        made[id(node)] = replace(
            node,
            args=tuple(made[id(argument)] for argument in node.args),
            value=_end_to_end([own.value for own in same], every) if node.op == "const" else None,
            extra=None if node.extra is None else _extra([own.extra for own in same], every),
        )
    program = bucket[0][2]
    return index, Program(made[id(program.expression)], [made[id(condition)] for condition in program.conditions])


def _extra(found: Sequence[Any], every: Sequence[np.ndarray]) -> Any:
    response = np.concatenate([y[rows] for (y, _), rows in zip(found, every, strict=True)])
    return response, tuple(_end_to_end(own, every) for own in zip(*(data for _, data in found), strict=True))


def _end_to_end(values: Sequence[Any], every: Sequence[np.ndarray]) -> Any:
    if all(np.ndim(value) == 0 and value == values[0] for value in values):
        return values[0]
    pairs = zip(values, every, strict=True)
    return np.concatenate([v[rows] if np.ndim(v) else np.full(len(rows), float(v)) for v, rows in pairs])


def _structure(program: Program) -> Any:
    """What two programs share that differ in their constants alone."""
    nodes = in_order(program.expression, *program.conditions)
    place = {id(node): i for i, node in enumerate(nodes)}
    lines = tuple((node.op, node.index, tuple(place[id(argument)] for argument in node.args)) for node in nodes)
    return lines, tuple(place[id(root)] for root in (program.expression, *program.conditions))


def _places(known: Sequence[Predictor], found: Sequence[Predictor]) -> dict[int, int] | None:
    """Position of each predictor among the known ones; None where one is not among them."""
    place: dict[int, int] = {}
    for i, predictor in enumerate(found):
        same = next((k for k, other in enumerate(known) if _is_same(predictor, other)), None)
        if same is None:
            return None
        place[i] = same
    return place


def _is_same(one: Predictor, other: Predictor) -> bool:
    if len(one.blocks) != len(other.blocks) or not _equal(one.offset, other.offset):
        return False
    return all(_is_same_block(a, b) for a, b in zip(one.blocks, other.blocks, strict=True))


def _is_same_block(one: Block, other: Block) -> bool:
    if type(one) is not type(other) or not np.array_equal(one.columns, other.columns):
        return False
    if isinstance(one, Constant) and isinstance(other, Constant):
        return _equal(one.coefficients, other.coefficients)
    if isinstance(one, Dense) and isinstance(other, Dense):
        return _equal(one.matrix, other.matrix)
    if isinstance(one, Indexed) and isinstance(other, Indexed):
        return _equal(one.codes, other.codes) and _equal(one.factor, other.factor)
    return False


def _equal(one: Any, other: Any) -> bool:
    return one is other or np.array_equal(one, other)
