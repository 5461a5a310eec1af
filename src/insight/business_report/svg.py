"""Inline SVG charts: real text, the colours of the page, and a tooltip on every point."""

import io
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field

import matplotlib
from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from models.plots.style import ACTUAL, CASE, FAINT, INK, MODEL, QUIET, RULE, apply_style

#: Colours of the plots by CSS variable, which differ in dark mode.
COLOURS = {
    INK: "--ink", QUIET: "--quiet", FAINT: "--line", MODEL: "--accent", RULE: "--warn",
    ACTUAL: "--good", CASE: "--rose",
}  # fmt: skip
#: Size of the invisible area around a point that reacts to a pointer.
REACH = 13.0


@dataclass
class InteractiveChart:
    """A matplotlib figure whose points show a tooltip in the page."""

    name: str
    label: str
    size: tuple[float, float] = (4.1, 2.15)
    figure: Figure = field(init=False)
    axis: Axes = field(init=False)
    _tips: list[tuple[str, Mapping[str, str]]] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.figure = Figure(figsize=self.size, dpi=72, facecolor="none")
        self.figure.set_layout_engine("constrained", w_pad=0.03, h_pad=0.03)
        self.axis = self.figure.add_subplot()
        self.axis.set_facecolor("none")
        apply_style(self.axis)

    def tip(self, x: float, y: float, text: str, exact: Mapping[str, str] | None = None) -> None:
        """Add a tooltip at a point; `exact` are the data attributes of the point."""
        self._tips.append((text, exact or {}))
        name = f"tip{len(self._tips) - 1}"
        self.axis.plot([x], [y], "o", ms=REACH, alpha=0.0, color=INK, gid=name, zorder=9)

    def svg(self) -> Markup:
        """The figure as an element of the page; nothing in it names a font or a colour of its own.

        Browsers set the letters, so a letter matplotlib has no font for is only measured wrongly.
        """
        out = io.StringIO()
        settings = {"svg.fonttype": "none", "svg.hashsalt": self.name, "svg.id": None}
        known = {k: v for k, v in settings.items() if k in matplotlib.rcParams}
        with warnings.catch_warnings(), matplotlib.rc_context(known):
            warnings.filterwarnings("ignore", message="Glyph .* missing from")
            self.figure.savefig(out, format="svg", transparent=True, metadata=_NO_METADATA)
        return Markup(self._cleaned(out.getvalue()))  # noqa: S704 - all texts in it were escaped

    def _cleaned(self, text: str) -> str:
        text = text[text.index("<svg") :]
        text = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", text, flags=re.DOTALL)
        text = re.sub(r"<defs>\s*<style.*?</defs>", "", text, count=1, flags=re.DOTALL)
        text = re.sub(r'<svg [^>]*viewBox="([^"]+)"[^>]*>', self._root, text, count=1)
        used = set(re.findall(r'#([\w-]+)["\)]', text))
        text = re.sub(r' id="(?!tip)([^"]+)"', lambda m: m.group() if m[1] in used else "", text)
        text = re.sub(r"<[^>]+>", _without_styles, text)
        for colour, name in COLOURS.items():
            text = re.sub(re.escape(colour), f"var({name})", text, flags=re.IGNORECASE)
        text = re.sub(r'<g id="tip(\d+)">', self._tipped, text)
        return re.sub(r">\s+<", "><", text).replace("\n", " ").strip()

    def _root(self, found: re.Match[str]) -> str:
        return (
            f'<svg class="chart" role="img" viewBox="{found[1]}" '
            f'xmlns:xlink="http://www.w3.org/1999/xlink" aria-label="{escape(self.label)}">'
        )

    def _tipped(self, found: re.Match[str]) -> str:
        label, exact = self._tips[int(found[1])]
        text = escape(label)
        more = "".join(f' data-{name}="{escape(value)}"' for name, value in exact.items())
        return f'<g class="tip" tabindex="0" data-tip="{text}"{more}><title>{text}</title>'


_NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))
#: Attributes that the page's style sheet sets, and invisible ones.
_STYLES = (
    (r"font-family: [^;\"]*;? ?", ""),
    (r' transform="rotate\(-?0 [^"]*"', ""),
    (r"(\d\.\d)\d+", r"\1"),
    (r"\s+\n", "\n"),
)


def _without_styles(tag: re.Match[str]) -> str:
    """A tag without attributes that the style sheet sets, with coordinates to a tenth of a point."""
    text = tag.group()
    for pattern, to in _STYLES:
        text = re.sub(pattern, to, text)
    return text
