"""Matplotlib figures that neither need nor change the user's backend, settings or open figures."""

import io
import warnings
from collections.abc import Callable, Iterable
from functools import wraps
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIT_COLOR = "#1f5fa8"
POSTERIOR_COLOR = "#c2570c"
GRAY = "#6b7280"
NAME_LENGTH = 40
_METADATA: dict[str, dict[str, Any]] = {
    "svg": {"Date": None, "Creator": None},
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
KEPT_SETTINGS = ("backend", "backend_fallback", "interactive", "toolbar")


def in_our_style[**P, R](draw: Callable[P, R]) -> Callable[P, R]:
    """Make a drawing function use Matplotlib's default settings with ours on top, and leave the user's as they were."""

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> R:
        import matplotlib

        settings: dict[Any, Any] = {k: v for k, v in matplotlib.rcParamsDefault.items() if k not in KEPT_SETTINGS}
        with matplotlib.rc_context(settings | _settings()):
            return draw(*args, **kwargs)

    return drawn


def new_figure(width: float, height: float) -> "Figure":
    """Make a figure of so many inches with the Agg canvas, outside pyplot."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


@in_our_style
def render(figure: "Figure", kind: str = "svg") -> bytes:
    """Render a figure, the same bytes each time.

    Parameters
    ----------
    figure : Figure
    kind : {"svg", "png", "pdf"}

    Returns
    -------
    bytes
    """
    buffer = io.BytesIO()
    metadata = _METADATA[kind]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")
        if figure.get_layout_engine() is not None:  # laid out once, so that every rendering is the same
            figure.draw_without_rendering()
            figure.set_layout_engine("none")
        figure.savefig(buffer, format=kind, dpi=144, metadata=metadata)
    return buffer.getvalue()


def plain(text: Any) -> str:
    r"""Shorten a long name, and escape the dollar sign, so that a name is never taken for mathematics.

    Examples
    --------
    >>> print(plain("cost[$5]"))
    cost[\$5]
    """
    name = str(text)
    name = name if len(name) <= NAME_LENGTH else f"{name[: NAME_LENGTH - 3]}..."
    return name.replace("$", r"\$")


def clear_frame(axes: Any) -> None:
    """Leave only the lower edge of the frame."""
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def legend_below(figure: Any, panels: Iterable[Any], columns: int = 4) -> None:
    """Put one legend below the panels, with each label once."""
    handles = {
        name: handle for panel in panels for handle, name in zip(*panel.get_legend_handles_labels(), strict=True)
    }
    if handles:
        figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=columns, frameon=False)


def _settings() -> dict[str, Any]:
    return {"svg.hashsalt": "ppl_mle", "svg.fonttype": "path", "font.size": 9.0, "axes.titlesize": 9.0}
