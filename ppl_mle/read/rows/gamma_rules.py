"""Differences of log-gamma functions whose arguments differ by constants, in a form that does not cancel far out.

log Gamma(a + k) - log Gamma(a), the logarithm of a rising factorial, is k log(a) for large a, where the two
log-gammas, of size a log(a), leave nothing of it. Counts with a gamma or beta mixing distribution are made of these.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ppl_mle.read.rows.expression import Expr
from ppl_mle.read.rows.maker import Make

_MOST_TERMS = 16


@dataclass(frozen=True)
class _Gamma:
    """A log-gamma in a sum: its sign, the summands of its argument that are not constant, and the constant."""

    sign: float
    core: tuple[Expr, ...]
    shift: Expr
    node: Expr

    @property
    def name(self) -> tuple[int, ...]:
        return tuple(sorted(map(id, self.core)))


def rising_factorials(make: Make, a: Expr, b: Expr, sign: float) -> Expr | None:
    """a + b, or a - b for a negative sign, with pairs of log-gammas written as rising factorials; None without any."""
    terms = _summands((1.0, a), (sign, b))
    if sum(node.op == "gammaln" for _, node in terms) < 2:
        return None
    rest = [(s, node) for s, node in terms if node.op != "gammaln"]
    gammas = [_read(make, s, node) for s, node in terms if node.op == "gammaln"]
    paired = False
    while gammas:
        gamma = gammas.pop(0)
        other = next((o for o in gammas if o.sign != gamma.sign and o.name == gamma.name), None)
        rise = None if other is None else _rise(make, *((gamma, other) if gamma.sign > 0 else (other, gamma)))
        if other is None or rise is None:
            rest.append((gamma.sign, gamma.node))
            continue
        gammas.remove(other)
        rest.append(rise)
        paired = True
    return _total(make, rest) if paired else None


def _rise(make: Make, above: _Gamma, below: _Gamma) -> tuple[float, Expr] | None:
    """The difference of two log-gammas as a signed rising factorial."""
    gap = make("sub", above.shift, below.shift)
    if not (gap.low >= 0 or gap.high <= 0):
        return None
    base, steps, sign = (below, gap, 1.0) if gap.low >= 0 else (above, make("neg", gap), -1.0)
    argument = base.node.args[0]
    return sign, make("log_rising", argument, steps)


def _read(make: Make, sign: float, node: Expr) -> _Gamma:
    core, shift = [], make.constant(0.0)
    for s, part in _summands((1.0, node.args[0])) or [(1.0, node.args[0])]:
        if part.depends:
            core.append(part if s > 0 else make("neg", part))
        else:
            shift = make("add" if s > 0 else "sub", shift, part)
    return _Gamma(sign, tuple(core), shift, node)


def _summands(*terms: tuple[float, Expr]) -> list[tuple[float, Expr]]:
    """What signed nodes are sums of, as signed nodes; nothing where these are too many."""
    found: list[tuple[float, Expr]] = []
    waiting = list(terms[::-1])
    while waiting:
        sign, node = waiting.pop()
        if node.op == "neg":
            waiting.append((-sign, node.args[0]))
        elif node.op in ("add", "sub"):
            waiting += [(sign if node.op == "add" else -sign, node.args[1]), (sign, node.args[0])]
        else:
            found.append((sign, node))
        if len(found) + len(waiting) > _MOST_TERMS:
            return []
    return found


def _total(make: Make, terms: Sequence[tuple[float, Expr]]) -> Expr:
    total = make.constant(0.0)
    for sign, node in terms:
        total = make("add" if sign > 0 else "sub", total, node)
    return total
