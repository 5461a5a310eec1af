"""A figure as an image inside the page: PNG as a data URI, with its finding as the words beside it."""

import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import matplotlib
from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.ft2font import FT2Font
from PIL import Image

#: The pictures use few colours; a small palette makes the file a third as large.
COLOURS = 96
DPI = 150
#: Fonts with Chinese, Japanese and Korean letters that systems bring along.
WIDE_FONTS = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "WenQuanYi Zen Hei", "PingFang SC",
    "Hiragino Sans GB", "Microsoft YaHei", "SimHei", "Arial Unicode MS",
)  # fmt: skip


@dataclass(frozen=True)
class Picture:
    """An image of the report: its finding, what is drawn, the data URI and its size in pixels."""

    finding: str
    note: str
    source: str
    width: int
    height: int
    title_inside: bool = False


def picture(figure: Figure, finding: str = "", note: str = "") -> Picture:
    """A figure as an image; without a `finding` its own title says it, inside the image."""
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=DPI)
    drawn = Image.open(out).convert("RGB").quantize(COLOURS)
    small = io.BytesIO()
    drawn.save(small, format="png", optimize=True)
    source = "data:image/png;base64," + base64.b64encode(small.getvalue()).decode("ascii")
    inside = not finding
    if inside:
        finding = figure.texts[0].get_text() if figure.texts else "picture"
    return Picture(finding, note, source, drawn.width, drawn.height, inside)


@contextmanager
def drawing() -> Iterator[None]:
    """Draw with a font for wide letters behind the usual one, where the system has one."""
    with matplotlib.rc_context({"font.family": [name for name, _ in _fonts()]}):
        yield


def drawable(text: str) -> str:
    """A text that no font complains about: letters none of them has become boxes.

    A dollar is escaped: two of them would be read as mathematics.
    """
    known = [glyphs for _, glyphs in _fonts()]
    shown = (c if any(ord(c) in glyphs for glyphs in known) else "\N{WHITE SQUARE}" for c in text)
    return "".join(shown).replace("$", r"\$")


@cache
def _fonts() -> tuple[tuple[str, frozenset[int]], ...]:
    """Names of the fonts to draw with, and the letters each of them has."""
    installed = {font.name: font.fname for font in font_manager.fontManager.ttflist}
    names = ["DejaVu Sans", *[name for name in WIDE_FONTS if name in installed][:1]]
    return tuple((name, frozenset(FT2Font(installed[name]).get_charmap())) for name in names)
