"""Whether a row density rises or falls in each of the affine parts it is made of, by asking it at many points."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ppl_mle.read.rows.expression import Expr, constant, in_order, predictor
from ppl_mle.read.rows.program import Program
from ppl_mle.read.rows.tails import Form, Tails, Unknown

_DRAWS = 60
_SMALLEST, _LARGEST = -1.0, 8.0
_VISIBLE = 1e-9
_DIGITS = 12
_MOST_ATOMS = 6
_LEAST_SEEN = 0.05


def probe_slopes(tails: Tails, count: int) -> list[tuple[Form, np.ndarray]]:
    """Signs of a density's derivatives in its affine parts.

    Parameters
    ----------
    tails : Tails
    count : int
        Rows of the term.

    Returns
    -------
    list of (Form, array of shape (rows,))
        Each affine part with +1 for rows whose density never falls in it, -1 where it never rises, 0 for all others.

    Raises
    ------
    Unknown
        The affine parts are not proportional to a few common ones, or the density exists almost nowhere.
    """
    atoms = _Atoms(tails, count)
    program = Program(atoms.replaced(tails.expression))
    if not 0 < len(atoms.forms) <= _MOST_ATOMS:
        raise Unknown
    rises, falls = (np.zeros((len(atoms.forms), len(tails.rows)), bool) for _ in range(2))
    seen = np.zeros(len(tails.rows))
    rng = np.random.default_rng(0)
    with np.errstate(all="ignore"):
        for _ in range(_DRAWS):
            size = 10 ** rng.uniform(_SMALLEST, _LARGEST if rng.random() < 0.3 else 1.5)
            etas = list(rng.choice([-1.0, 1.0], len(atoms.forms)) * size * rng.uniform(0.1, 1.0, len(atoms.forms)))
            jet = program(tails.rows, etas, 1)
            assert jet is not None
            exists = np.isfinite(jet.value) & np.ones(len(tails.rows), bool)
            seen += exists
            for atom, slope in jet.first.items():
                rises[atom] |= exists & (slope > _VISIBLE)
                falls[atom] |= exists & (slope < -_VISIBLE)
    if np.any(seen < _LEAST_SEEN * _DRAWS):
        raise Unknown
    return [(form, 1.0 * ~falls[i] - 1.0 * ~rises[i]) for i, form in enumerate(atoms.forms)]


class _Atoms:
    """The affine parts of an expression, up to a factor and a constant.

    Parameters
    ----------
    tails : Tails
    count : int
    """

    def __init__(self, tails: Tails, count: int) -> None:
        self._tails, self._count = tails, count
        self._places: dict[Any, int] = {}
        self._made: dict[int, Expr] = {}
        self.forms: list[Form] = []

    def replaced(self, root: Expr) -> Expr:
        """The expression with a predictor in the place of each affine part."""
        nodes = in_order(root)
        forms = {id(node): self._tails.affine(node) for node in nodes}
        reached = {id(root)}
        for node in reversed(nodes):
            if id(node) in reached and not forms[id(node)]:
                reached |= {id(argument) for argument in node.args}
        for node in nodes:
            if id(node) in reached:
                form = forms[id(node)]
                args = () if form else tuple(self._made[id(a)] for a in node.args)
                self._made[id(node)] = self._leaf(form) if form and any(form) else replace(node, args=args or node.args)
        return self._made[id(root)]

    def _leaf(self, form: Form) -> Expr:
        symbols = sorted(symbol for symbol in form if symbol is not None)
        scale = form[symbols[0]]
        if any(np.ndim(form[symbol]) for symbol in symbols):
            if len(symbols) > 1:
                raise Unknown
            unit: Mapping[Any, Any] = {symbols[0]: 1.0}
        else:
            unit = {symbol: form[symbol] / scale for symbol in symbols}
        key = tuple((symbol, round(float(c), _DIGITS)) for symbol, c in unit.items())
        if key not in self._places:
            self._places[key] = len(self.forms)
            self.forms.append(unit)
        leaf = Expr("mul", (self._number(scale), predictor(self._places[key])))
        return Expr("add", (leaf, self._number(form.get(None, 0.0))))

    def _number(self, value: Any) -> Expr:
        """A constant of the group's rows as one of all rows."""
        if np.ndim(value) == 0:
            return constant(value)
        whole = np.zeros(self._count)
        whole[self._tails.rows] = value
        return constant(whole)
