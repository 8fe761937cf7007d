"""The only door to matplotlib: a figure of panels side by side, written as PNG."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.errors import ConfigurationError, InputError

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL_INCHES = (5.6, 4.6)
DOTS_PER_INCH = 120


def panels(count: int, title: str) -> tuple[Figure, list[Axes]]:
    """Return an empty figure of count panels; no screen is needed.

    Raises:
        ConfigurationError: matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415  slow to load, optional
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError as error:
        raise ConfigurationError(
            "plots need matplotlib: pip install 'edge-checkpoint[plots]'"
        ) from error
    width, height = PANEL_INCHES
    figure = Figure((width * count, height), DOTS_PER_INCH, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title)
    axes = [figure.add_subplot(1, count, place + 1) for place in range(count)]
    for panel in axes:
        panel.grid(visible=True, which="major", linewidth=0.4, alpha=0.6)
    return figure, axes


def write(figure: Figure, out: Path) -> None:
    """Write the figure as PNG, whatever the file's name ends in.

    Raises:
        InputError: the file cannot be written.
    """
    try:
        figure.savefig(out, format="png")
    except OSError as error:
        raise InputError(f"{out}: cannot be written: {error.strerror}") from error
