"""The model's mathematics in each format: LaTeX, MathML, plain text."""

from dataclasses import dataclass
from html import escape as escape_html
from unicodedata import lookup

from ppl_mle.read.mathematics import Expression, Statement
from ppl_mle.report.tex import GREEK, escape_in_mathematics

_OPEN, _CLOSE = '<mo form="prefix" stretchy="false">(</mo>', '<mo form="postfix" stretchy="false">)</mo>'
_BINDING = {"sum": 1, "negative": 2, "product": 3, "quotient": 3, "power": 4}


def to_latex(statement: Statement) -> str:
    r"""A statement in LaTeX's mathematics, as a row of an array of three columns.

    Examples
    --------
    >>> print(to_latex(Statement("prior", "sigma", (), Expression("call", "HalfFlat"))))
    \sigma &\sim& \mathrm{HalfFlat}()
    """
    sign = r"\sim" if statement.relation == "~" else "="
    return f"{_LATEX.name(statement.name)} &{sign}& {_LATEX.show(statement.right)}"


def to_text(statement: Statement) -> str:
    """A statement as plain text.

    Examples
    --------
    >>> to_text(Statement("observed", "y", (), Expression("call", "Normal", (Expression("name", "mu"),))))
    'y ~ Normal(mu)'
    """
    return f"{statement.name} {statement.relation} {_TEXT.show(statement.right)}"


def to_mathml(statement: Statement) -> str:
    """A statement as three cells of a MathML table; names are escaped."""
    cells = (_MATHML.name(statement.name), f"<mo>{'∼' if statement.relation == '~' else '='}</mo>")
    return "".join(f"<mtd>{cell}</mtd>" for cell in (*cells, _MATHML.show(statement.right)))


@dataclass(frozen=True)
class _Latex:
    def name(self, text: str) -> str:
        if text in GREEK:
            return rf"\{text}"
        is_letter = len(text) == 1 and text.isascii() and text.isalpha()
        return text if is_letter else rf"\mathrm{{{escape_in_mathematics(text)}}}"

    def show(self, one: Expression, inside: int = 0) -> str:
        shown = self._bare(one)
        braces = _BINDING.get(one.kind, 9) < inside and one.kind != "quotient"
        return rf"\left({shown}\right)" if braces else shown

    def _bare(self, one: Expression) -> str:
        own = _BINDING.get(one.kind, 0)
        if one.kind == "name":
            return self.name(one.text)
        if one.kind == "number":
            return _latex_number(one.text)
        if one.kind == "quotient":
            return rf"\frac{{{self.show(one.parts[0])}}}{{{self.show(one.parts[1])}}}"
        if one.kind == "power":
            return f"{self.show(one.parts[0], own + 1)}^{{{self.show(one.parts[1])}}}"
        if one.kind == "item":
            return f"{self.show(one.parts[0], 4)}_{{{', '.join(self.show(part) for part in one.parts[1:])}}}"
        if one.kind == "named":
            return rf"\mathrm{{{escape_in_mathematics(one.text)}}}={self.show(one.parts[0])}"
        if one.kind == "call":
            arguments = ",\\, ".join(self.show(part) for part in one.parts)
            function = r"\exp" if one.text == "exp" else rf"\mathrm{{{escape_in_mathematics(one.text)}}}"
            return rf"{function}\left({arguments}\right)" if one.parts else f"{function}()"
        return _joined(one, self.show, r" \, ")


@dataclass(frozen=True)
class _Text:
    def show(self, one: Expression, inside: int = 0) -> str:
        shown = self._bare(one)
        return f"({shown})" if _BINDING.get(one.kind, 9) < inside else shown

    def _bare(self, one: Expression) -> str:
        own = _BINDING.get(one.kind, 0)
        if one.kind in ("name", "number"):
            return one.text
        if one.kind == "quotient":
            return f"{self.show(one.parts[0], own)} / {self.show(one.parts[1], own + 1)}"
        if one.kind == "power":
            return f"{self.show(one.parts[0], own + 1)}^{self.show(one.parts[1], own + 1)}"
        if one.kind == "item":
            return f"{self.show(one.parts[0], 4)}[{', '.join(self.show(part) for part in one.parts[1:])}]"
        if one.kind == "named":
            return f"{one.text} = {self.show(one.parts[0])}"
        if one.kind == "call":
            return f"{one.text}({', '.join(self.show(part) for part in one.parts)})"
        return _joined(one, self.show, " ")


@dataclass(frozen=True)
class _MathML:
    def name(self, text: str) -> str:
        return f"<mi>{escape_html(_greek(text) if text in GREEK else text)}</mi>"

    def show(self, one: Expression, inside: int = 0) -> str:
        shown = self._bare(one)
        braces = _BINDING.get(one.kind, 9) < inside and one.kind != "quotient"
        return f"<mrow>{_OPEN}{shown}{_CLOSE}</mrow>" if braces else f"<mrow>{shown}</mrow>"

    def _bare(self, one: Expression) -> str:
        own = _BINDING.get(one.kind, 0)
        if one.kind == "name":
            return self.name(one.text)
        if one.kind == "number":
            return f"<mn>{escape_html(one.text)}</mn>"
        if one.kind == "quotient":
            return f"<mfrac>{self.show(one.parts[0])}{self.show(one.parts[1])}</mfrac>"
        if one.kind == "power":
            return f"<msup>{self.show(one.parts[0], own + 1)}{self.show(one.parts[1])}</msup>"
        if one.kind == "item":
            places = "<mo>,</mo>".join(self.show(part) for part in one.parts[1:])
            return f"<msub>{self.show(one.parts[0], 4)}<mrow>{places}</mrow></msub>"
        if one.kind == "named":
            return f"<mtext>{escape_html(one.text)}</mtext><mo>=</mo>{self.show(one.parts[0])}"
        if one.kind == "call":
            arguments = "<mo>,</mo>".join(self.show(part) for part in one.parts)
            return f"<mi>{escape_html(one.text)}</mi>{_OPEN}{arguments}{_CLOSE}"
        return _joined(
            one, self.show, '<mo>&#x2062;</mo><mspace width="0.25em"/>', "<mo>+</mo>", "<mo>\N{MINUS SIGN}</mo>"
        )


_LATEX, _TEXT, _MATHML = _Latex(), _Text(), _MathML()


def _joined(one: Expression, show: object, times: str, plus: str = " + ", minus: str = "-") -> str:
    """A sum, a product or a negative."""
    assert callable(show)
    own = _BINDING[one.kind]
    if one.kind == "negative":
        return f"{minus}{show(one.parts[0], own + 1)}"
    if one.kind == "product":
        return times.join(show(part, own) for part in one.parts)
    pieces: list[str] = []
    for position, part in enumerate(one.parts):
        if part.kind == "negative":
            sign = minus if plus.startswith("<") or not position else f" {minus} "
            pieces.append(f"{sign}{show(part.parts[0], own + 2)}")
        else:
            pieces.append(f"{plus if position else ''}{show(part, own)}")
    return "".join(pieces)


def _latex_number(text: str) -> str:
    if "inf" in text:
        return text.replace("inf", r"\infty")
    base, _, exponent = text.partition("e")
    return rf"{base} \cdot 10^{{{int(exponent)}}}" if exponent else base


def _greek(name: str) -> str:
    size = "CAPITAL" if name[0].isupper() else "SMALL"
    return lookup(f"GREEK {size} LETTER {name.upper().replace('LAMBDA', 'LAMDA')}")
