"""What a rewriting rule needs to make expressions, and what it is."""

from collections.abc import Callable
from typing import Any, Protocol

from ppl_mle.read.rows.expression import Expr


class Make(Protocol):
    """Makes expressions in their stable form, as `Builder` does."""

    def constant(self, value: Any) -> Expr:
        """Make a constant."""
        ...

    def __call__(self, op: str, *args: Expr) -> Expr:
        """Make op(*args)."""
        ...


type Rule = Callable[..., Expr | None]
