"""The plots of a report as inline SVG from matplotlib.

Plots are drawn in stand-in colours that become variables of the page's style, so that one drawing serves
light and dark; text stays text, in the page's font. Widths are those of a phone's screen, where a plot is not
scaled down.
"""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import regex
from markupsafe import Markup, escape
from matplotlib.figure import Figure

_WIDTH = 4.6
_LONGEST_NAME = 30
_INK, _MUTED, _GRID = "#010101", "#020202", "#030303"
_SERIES = ("#040401", "#040402", "#040403", "#040404", "#040405", "#040406")
_VARIABLES = {_INK: "--ink", _MUTED: "--muted", _GRID: "--line"} | {
    colour: f"--series-{n}" for n, colour in enumerate(_SERIES, 1)
}
_DASHES = ("-", "--", ":", "-.", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 3)))
"""A line style besides the colour, for readers and printers who see none."""
_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "whosays",
    "text.parse_math": False,  # a dollar sign in a name is a dollar sign
    "font.size": 10,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": _GRID,
    "grid.linewidth": 0.6,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
}


def intervals(rows: Sequence[tuple[str, Mapping[str, Any]]], label: str, title: str) -> Markup:
    """Figures with their intervals, a row each from the top, the first drawn strong. `label` is the
    axis's."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(_WIDTH, 0.7 + 0.27 * len(rows)))
        axes = figure.subplots()
        for n, (_, row) in enumerate(rows):
            colour = _SERIES[0] if n == 0 else _INK
            if row["low"] is not None:
                axes.plot([row["low"], row["high"]], [n, n], color=colour, linewidth=2 if n == 0 else 1.2)
            axes.plot(row["value"], n, "o", color=colour, markersize=6 if n == 0 else 4.5)
        axes.set_yticks(range(len(rows)), [shortened(name) for name, _ in rows])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xlim(0, 1.02)
        axes.set_xlabel(label)
        axes.grid(axis="y", visible=False)
        return _svg(figure, title)


def differences(rows: Sequence[tuple[str, Mapping[str, Any]]], label: str, title: str) -> Markup:
    """Differences with their intervals, a row each from the top, and the line at which there is none."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(_WIDTH, 0.7 + 0.27 * len(rows)))
        axes = figure.subplots()
        axes.axvline(0, color=_MUTED, linestyle="--", linewidth=1)
        for n, (_, row) in enumerate(rows):
            colour = _SERIES[0] if n == 0 else _INK
            if row["value"] is not None:
                axes.plot(row["value"], n, "o", color=colour, markersize=6 if n == 0 else 4.5)
            if row["low"] is not None:
                axes.plot([row["low"], row["high"]], [n, n], color=colour, linewidth=2 if n == 0 else 1.2)
        axes.set_yticks(range(len(rows)), [shortened(name) for name, _ in rows])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        reach = max([abs(row[end]) for _, row in rows for end in ("value", "low", "high") if row[end] is not None])
        axes.set_xlim(-1.1 * reach or -1, 1.1 * reach or 1)
        axes.set_xlabel(label)
        axes.grid(axis="y", visible=False)
        return _svg(figure, title)


def reliability(bins: Sequence[Mapping[str, Any]], title: str) -> Markup:
    """Accuracy by score with the diagonal of perfect calibration, and the number of sentences in each bin
    below."""
    kept = [row for row in bins if row["sentences"]]
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(_WIDTH, 3.6))
        upper, lower = figure.subplots(2, sharex=True, height_ratios=[3, 1])
        upper.plot([0, 1], [0, 1], color=_MUTED, linestyle="--", linewidth=1)
        upper.plot([row["score"] for row in kept], [row["accuracy"] for row in kept], "o-", color=_SERIES[0])
        upper.set_ylabel("share right")
        upper.set_ylim(0, 1.03)
        middles = [(row["low"] + row["high"]) / 2 for row in bins]
        lower.bar(middles, [row["sentences"] for row in bins], width=0.085, color=_SERIES[0])
        lower.set_xlabel("score of the label given (probability)")
        lower.set_ylabel("sentences")
        lower.set_xlim(0, 1)
        return _svg(figure, title)


def risk_coverage(curve: Mapping[str, Sequence[float]], title: str) -> Markup:
    """Share of wrong labels by the share of sentences kept."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(_WIDTH, 3.0))
        axes = figure.subplots()
        axes.plot(curve["coverage"], curve["risk"], color=_SERIES[0])
        axes.set_xlabel("share of sentences kept, surest first")
        axes.set_ylabel("share wrong among those kept")
        axes.set_xlim(0, 1)
        axes.set_ylim(0, max(0.05, 1.1 * max(curve["risk"])))
        return _svg(figure, title)


def precision_recall(curves: Mapping[str, Mapping[str, Any]], title: str) -> Markup:
    """A precision–recall curve a class, average precision in the legend."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(_WIDTH, 3.9))
        axes = figure.subplots()
        lines, names = [], []
        for n, (name, curve) in enumerate(curves.items()):
            lines += axes.plot(
                curve["recall"],
                curve["precision"],
                color=_SERIES[n % len(_SERIES)],
                linestyle=_DASHES[n % len(_DASHES)],
            )
            names.append(f"{name} ({curve['average_precision']['value']:.2f})")
        axes.set_xlabel("recall")
        axes.set_ylabel("precision")
        axes.set_xlim(0, 1.01)
        axes.set_ylim(0, 1.03)
        # Names of their own, for a label that begins with an underscore would be none to show.
        figure.legend(
            lines,
            names,
            title="average precision",
            loc="outside lower center",
            ncols=3,
            fontsize=9,
            title_fontsize=9,
        )
        return _svg(figure, title)


def shortened(name: str) -> str:
    """A name that leaves room for the plot beside it."""
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"


def _svg(figure: Figure, title: str) -> Markup:
    """The figure as an SVG element that takes the width it is given, up to its own."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    drawing = buffer.getvalue()
    drawing = drawing[drawing.index("<svg") :]
    opening, rest = drawing.split(">", 1)
    view = opening[opening.index("viewBox=") :].split('"')[1]
    # What matplotlib adds for editors: metadata, and names of groups, which would repeat from plot to plot.
    rest = regex.sub(r"(?s)<metadata>.*?</metadata>|<style.*?</style>|(?<=<g) id=\"[^\"]*\"", "", rest)
    for colour, variable in _VARIABLES.items():
        rest = rest.replace(colour, f"var({variable})")
    width = view.split()[2]
    spaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    style = f"max-width:{float(width) * 4 / 3:.0f}px"  # points to pixels
    return Markup(f'<svg {spaces} viewBox="{view}" style="{style}" role="img" aria-label="{escape(title)}">{rest}')
