"""The model card: what to know before using a version of a model, as Markdown and HTML."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from features.atomic_write import write_text_atomically

if TYPE_CHECKING:
    from jinja2 import Template


@dataclass(frozen=True)
class Table:
    """A table of texts; the first `words` columns are left-aligned, the others are numbers."""

    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    words: int = 1


@dataclass(frozen=True)
class Part:
    """A section with a heading: paragraphs, bullet points and an optional table."""

    title: str
    sentences: tuple[str, ...] = ()
    points: tuple[str, ...] = ()
    table: Table | None = None


@dataclass(frozen=True)
class Card:
    """The card of one version of a target's model; `summary` is its label and population."""

    title: str
    summary: str
    grade: str
    parts: tuple[Part, ...]

    def markdown(self) -> str:
        """The card as Markdown."""
        return _template("card.md.j2").render(card=self)

    def html(self) -> str:
        """The card as one self-contained HTML page."""
        return _template("card.html.j2").render(card=self)

    def write(self, folder: Path, name: str) -> None:
        """Write `<name>.md` and `<name>.html` into a folder, each atomically."""
        folder.mkdir(parents=True, exist_ok=True)
        for ending, text in (("md", self.markdown()), ("html", self.html())):
            write_text_atomically(folder / f"{name}.{ending}", text)


def _cell(text: str) -> str:
    """Escape a text for a cell of a Markdown table: no bar and no line break."""
    return " ".join(text.split()).replace("|", "\\|")


@cache
def _template(name: str) -> "Template":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("models.model_card", "."),
        autoescape=name.endswith(".html.j2"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["cell"] = _cell
    return environment.get_template(name)
