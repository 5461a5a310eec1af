"""Show a figure with an alternative text, and find what makes a figure hard to read."""

import base64
import html
import io
from collections.abc import Iterator
from itertools import combinations

from IPython.display import display
from matplotlib.axis import Axis
from matplotlib.category import StrCategoryFormatter
from matplotlib.dates import AutoDateFormatter, ConciseDateFormatter, DateFormatter
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FixedFormatter, FixedLocator, FuncFormatter
from matplotlib.transforms import Bbox

#: Of axes whose ticks explain themselves: names of categories, and dates.
SPEAKING = (
    FixedFormatter,
    StrCategoryFormatter,
    AutoDateFormatter,
    ConciseDateFormatter,
    DateFormatter,
)


def show(figure: Figure, description: str) -> None:
    """Display a figure for eyes and for screen readers.

    The alternative text is the figure's title and subtitle (its finding), then `description`: the kind
    of plot, its axes, its series. Defects go to the output's metadata, where the tests look for them;
    they raise nothing, because another company's data may be odd.
    """
    text = alternative_text(figure, description)
    found = defects(figure)
    with io.BytesIO() as file:
        figure.savefig(file, format="png", dpi=figure.dpi)
        encoded = base64.b64encode(file.getvalue()).decode()
    picture = f'<img alt="{html.escape(text)}" src="data:image/png;base64,{encoded}">'
    display(  # JupyterLab shows the HTML (its pictures have no alt texts), the site the PNG
        {"image/png": encoded, "text/html": picture, "text/plain": text},
        metadata={"image/png": {"alt": text}, "defects": found},
        raw=True,
    )


def alternative_text(figure: Figure, description: str) -> str:
    """The finding and what is drawn, as sentences. Raises ValueError without a description."""
    if not description.strip():
        raise ValueError("the description is empty; say what is drawn: kind of plot, axes, series")
    parts = [*(text.get_text() for text in figure.texts[:2]), description]
    sentences = (" ".join(part.split()).rstrip(".") for part in parts)
    return " ".join(f"{sentence}." for sentence in sentences if sentence)


def defects(figure: Figure) -> list[str]:
    """What makes a figure hard to read, one sentence each: titles, axis labels, texts that overlap."""
    figure.draw_without_rendering()
    titles = [text.get_text() for text in figure.texts[:2]]
    found = [] if len(titles) == 2 and all(map(str.strip, titles)) else ["no title or no subtitle"]
    for axes in figure.axes:
        for name, axis in (("x", axes.xaxis), ("y", axes.yaxis)):
            ticks = [label.get_text() for label in _tick_labels(axis)]
            if ticks and not _explains_itself(axis) and not axis.get_label_text().strip():
                found.append(f"no label on the {name} axis with {ticks[0]} to {ticks[-1]}")
    boxes = [(text.get_text(), text.get_window_extent()) for text in _texts(figure)]
    for text, box in boxes:
        if not _contains(figure.bbox, box):
            found.append(f"{text!r} is cut off")
    for (one, first), (other, second) in combinations(boxes, 2):
        if _overlap(first, second):
            found.append(f"{one!r} overlaps {other!r}")
    return found


def _explains_itself(axis: Axis) -> bool:
    form = axis.get_major_formatter()
    named = isinstance(axis.get_major_locator(), FixedLocator) and isinstance(form, FuncFormatter)
    return named or isinstance(form, SPEAKING)


def _tick_labels(axis: Axis) -> list[Text]:
    """The tick labels that are drawn: those within the limits."""
    low, high = sorted(axis.get_view_interval())
    slack = 1e-6 * (high - low)
    return [
        tick.label1
        for tick in axis.get_major_ticks()
        if low - slack <= tick.get_loc() <= high + slack
        and tick.label1.get_visible()
        and tick.label1.get_text()
        and axis.get_visible()
    ]


def _texts(figure: Figure) -> Iterator[Text]:
    """All texts that are drawn."""
    found = [*figure.texts]
    for axes in figure.axes:
        found += [*axes.texts, *(child for child in axes.get_children() if isinstance(child, Text))]
        found += [axes.xaxis.label, axes.yaxis.label]
        found += [*_tick_labels(axes.xaxis), *_tick_labels(axes.yaxis)]
        if axes.get_legend():
            found += axes.get_legend().get_texts()
    yield from (text for text in dict.fromkeys(found) if text.get_visible() and text.get_text())


def _contains(outer: Bbox, inner: Bbox) -> bool:
    return bool(
        outer.x0 - 1 <= inner.x0
        and inner.x1 <= outer.x1 + 1
        and outer.y0 - 1 <= inner.y0
        and inner.y1 <= outer.y1 + 1
    )


def _overlap(one: Bbox, other: Bbox) -> bool:
    """Whether two boxes overlap by more than two pixels in both directions."""
    wide = min(one.x1, other.x1) - max(one.x0, other.x0)
    high = min(one.y1, other.y1) - max(one.y0, other.y0)
    return bool(wide > 2 and high > 2)
