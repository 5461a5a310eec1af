"""Embed matplotlib figures in a page as PNG data URIs with a caption."""

import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import matplotlib
import numpy as np
from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ft2font import FT2Font
from PIL import Image

#: The plots use few colours: a small palette makes the file a third as large.
COLOURS = 96
DPI = 150
#: Fonts with Chinese, Japanese and Korean characters that operating systems ship.
WIDE_FONTS = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "WenQuanYi Zen Hei", "PingFang SC",
    "Hiragino Sans GB", "Microsoft YaHei", "SimHei", "Arial Unicode MS",
)  # fmt: skip


@dataclass(frozen=True)
class PlotImage:
    """A plot of a page: finding (caption), note, data URI and size in pixels."""

    finding: str
    note: str
    source: str
    width: int
    height: int
    title_inside: bool = False


def plot_image(figure: Figure, finding: str = "", note: str = "") -> PlotImage:
    """Render a figure as an image; without a `finding`, the title inside the figure is the caption."""
    figure.set_dpi(DPI)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    image = pixels.quantize(COLOURS, method=Image.Quantize.FASTOCTREE)
    small = io.BytesIO()
    image.save(small, format="png", optimize=True)
    source = "data:image/png;base64," + base64.b64encode(small.getvalue()).decode("ascii")
    title_inside = not finding
    if title_inside:
        finding = figure.texts[0].get_text() if figure.texts else "plot"
    return PlotImage(finding, note, source, image.width, image.height, title_inside)


@contextmanager
def plot_fonts() -> Iterator[None]:
    """Draw with a fallback font for Chinese characters, where the system has one."""
    with matplotlib.rc_context({"font.family": [name for name, _ in _fonts()]}):
        yield


def drawable_text(text: str) -> str:
    """Replace characters that no font has by boxes, so that matplotlib does not warn.

    Dollar signs are escaped: matplotlib reads a pair of them as mathematics.
    """
    known = [glyphs for _, glyphs in _fonts()]
    shown = (c if any(ord(c) in glyphs for glyphs in known) else "\N{WHITE SQUARE}" for c in text)
    return "".join(shown).replace("$", r"\$")


@cache
def _fonts() -> tuple[tuple[str, frozenset[int]], ...]:
    """Names of the fonts to draw with, and the characters each of them has."""
    installed = {font.name: font.fname for font in font_manager.fontManager.ttflist}
    names = ["DejaVu Sans", *[name for name in WIDE_FONTS if name in installed][:1]]
    return tuple((name, frozenset(FT2Font(installed[name]).get_charmap())) for name in names)
