"""How each term is evaluated: by its predictor form, or by PyTensor where it has none."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ppl_mle.read.blockwise import WORTH_BLOCKS, Blockwise
from ppl_mle.read.densities import Densities
from ppl_mle.read.form.declined import Declined
from ppl_mle.read.form.families import drawn_from, is_family
from ppl_mle.read.form.known import Known
from ppl_mle.read.form.linear import Linear
from ppl_mle.read.form.terms import Family, read_term
from ppl_mle.read.interpret import as_tensor, interpreted, without_dims
from ppl_mle.read.joined import Joined
from ppl_mle.read.objective import Objective
from ppl_mle.read.original import Original
from ppl_mle.read.rows.objective import RowObjective
from ppl_mle.read.rows.term import RowTerm
from ppl_mle.read.weights import check_weights
from ppl_mle.read.widen import widen_constants


@dataclass(frozen=True, eq=False)
class Form:
    """What was read of one term.

    Parameters
    ----------
    name : str
    shape : tuple of int
        Of its elementwise log-density.
    sums : tuple of RowTerm
        The term as sums over rows; empty where it has no such form.
    reason : str
        Why it has none.
    weights : array or None
        Weight of each element.
    """

    name: str
    shape: tuple[int, ...]
    sums: tuple[RowTerm, ...]
    reason: str
    weights: np.ndarray | None

    @property
    def count(self) -> int:
        """Elements of the log-density."""
        return int(np.prod(self.shape))


def read_forms(
    densities: Densities, known: Known, joined: Joined, sources: Sequence[Any], graphs: Sequence[Any], weights: Any
) -> list[Form]:
    """Read every term of a log-density.

    Parameters
    ----------
    densities : Densities
    known : Known
    joined : Joined
    sources : sequence of Source
    graphs : sequence of graph variables
        Elementwise log-densities, over the model's value variables.
    weights : array, dict of str to array, or None
        Frequency weights, as the user gave them.

    Returns
    -------
    list of Form
    """
    places = [np.arange(place.start, place.stop) for place in joined.places]
    linear = Linear(known, dict(zip(joined.values, places, strict=True)))
    lowered = without_dims(graphs)
    families = families_of(densities, sources)
    shapes = [shape_of(densities, known, joined, graph) for graph in lowered]
    checked = check_weights(weights, sources, shapes)
    forms = []
    for source, graph, shape, weight in zip(sources, lowered, shapes, checked, strict=True):
        name = source.rv.name
        try:
            sums = tuple(read_term(name, graph, linear, weight, families.get(source.rv)))
            forms.append(Form(name, shape, sums, "", weight))
        except Declined as reason:
            forms.append(Form(name, shape, (), str(reason), weight))
    return forms


def shape_of(densities: Densities, known: Known, joined: Joined, graph: Any) -> tuple[int, ...]:
    """Shape of an elementwise log-density, by evaluating it where the operations do not tell."""
    try:
        return known.shape(graph)
    except Declined:
        (shape,) = joined.replace(densities.restored([graph.shape]))
        known.learn(graph, tuple(int(n) for n in interpreted([joined.theta], shape)(joined.start)))
        return known.shape(graph)


def build_objective(joined: Joined, forms: Sequence[Form], sums: Sequence[Any], support: Any) -> Any:
    """The log-density that is maximized: rows where they were read, PyTensor's derivatives for the rest.

    Parameters
    ----------
    joined : Joined
    forms : sequence of Form
    sums : sequence of scalar graph variables
        The terms over the model's value variables.
    support : scalar graph variable or None
        0 inside the support of parameters that no transform keeps inside, minus infinity outside.

    Raises
    ------
    ModelError
        PyTensor has no gradient of a term that has no predictor form.
    """
    general = [i for i, form in enumerate(forms) if not form.sums]
    edge = None if support is None else joined.replace([support])[0]
    rest = None
    if general:
        rows = max(forms[i].count for i in general)
        rest = Objective(joined.theta, joined.replace([sums[i] for i in general]), edge, rows)
    if len(general) == len(forms):
        return rest
    terms = [term for form in forms for term in form.sums]
    inside = None if rest is not None or edge is None else interpreted([joined.theta], edge)
    return RowObjective(
        joined.size, [form.name for form in forms], terms, rest, [forms[i].name for i in general], inside
    )


def build_original(
    joined: Joined, known: Known, forms: Sequence[Form], graphs: Sequence[Any], sums: Sequence[Any]
) -> Original:
    """The witness: PyMC's own log-density, in blocks of rows where a term has very many independent ones.

    Parameters
    ----------
    joined : Joined
    known : Known
    forms : sequence of Form
    graphs : sequence of graph variables
        Elementwise log-densities, weighted, over the model's value variables.
    sums : sequence of scalar graph variables
        Their sums.
    """
    blocks, whole, rest = [], [], []
    for form, graph, total in zip(forms, graphs, sums, strict=True):
        block = None
        if form.sums and len(form.shape) == 1 and form.count >= WORTH_BLOCKS:
            block = _block(joined, known, graph)
        if block is None:
            rest.append(total)
        else:
            blocks.append(block)
            whole.append(total)
    return Original(joined.values, joined.shapes, rest, max((f.count for f in forms), default=1), blocks, whole)


def _block(joined: Joined, known: Known, graph: Any) -> Blockwise | None:
    try:
        (lowered,) = without_dims([graph])
        return Blockwise(lowered, joined.values, known)
    except Declined:
        return None


def families_of(densities: Densities, sources: Sequence[Any]) -> dict[Any, Family]:
    """Distributions of the observed variables, their parameters as graphs of value variables."""
    observed = [(s.rv, *densities.drawn_from(s.rv)) for s in sources if s.kind == "observed"]
    drawn = [(rv, value, drawn_from(new)) for rv, new, value in observed]
    known = [(rv, value, *found) for rv, value, found in drawn if found is not None and is_family(found[0])]
    flat = [as_tensor(parameter) for *_, own in known for parameter in own]
    replaced = iter(without_dims(widen_constants(densities.replaced(flat))) if flat else [])
    values = iter(without_dims([as_tensor(value) for _, value, *_ in known]) if known else [])
    return {rv: Family(op, [next(replaced) for _ in own], next(values)) for rv, _, op, own in known}
