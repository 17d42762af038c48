"""The gamma function and its logarithm, digamma and trigamma, with first and second derivatives."""

from typing import Any

from scipy import special

from ppl_mle.read.rows.special import Rule, hurwitz


def _gammaln(x: Any, order: int) -> tuple[Any, Any, Any]:
    u1 = special.psi(x) if order else None
    return special.gammaln(x), u1, hurwitz(x, 2)[0] if order > 1 else None


def _psi(x: Any, order: int) -> tuple[Any, Any, Any]:
    u = special.psi(x)
    if order == 0:
        return u, None, None
    zetas = hurwitz(x, order + 1)
    return u, zetas[0], -2 * zetas[1] if order > 1 else None


def _tri_gamma(x: Any, order: int) -> tuple[Any, Any, Any]:
    zetas = hurwitz(x, order + 2)
    return zetas[0], -2 * zetas[1] if order else None, 6 * zetas[2] if order > 1 else None


def _gamma(x: Any, order: int) -> tuple[Any, Any, Any]:
    u = special.gamma(x)
    if order == 0:
        return u, None, None
    psi = special.psi(x)
    return u, u * psi, u * (psi * psi + hurwitz(x, 2)[0]) if order > 1 else None


GAMMAS: dict[str, Rule] = {
    "gammaln": _gammaln,
    "psi": _psi,
    "tri_gamma": _tri_gamma,
    "gamma": _gamma,
}
