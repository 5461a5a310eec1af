"""A model's card: what to know before using one version of a model, in Markdown and in HTML."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, Templatefrom features.atomic_write import write_text_atomically



@dataclass(frozen=True)
class Table:
    """A table of texts; the columns named in `words` are read from the left, the others are figures."""

    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    words: int = 1


@dataclass(frozen=True)
class Part:
    """A part under its own heading: sentences, points of a list, and perhaps a table."""

    title: str
    sentences: tuple[str, ...] = ()
    points: tuple[str, ...] = ()
    table: Table | None = None


@dataclass(frozen=True)
class Card:
    """The card of one version of a target's model; `summary` is what it predicts and for whom."""

    title: str
    summary: str
    grade: str
    parts: tuple[Part, ...]

    def markdown(self) -> str:
        """The card as Markdown."""
        return _template("card.md.j2").render(card=self)

    def html(self) -> str:
        """The card as one HTML page that needs nothing from outside."""
        return _template("card.html.j2").render(card=self)

    def write(self, folder: Path, name: str) -> None:
        """Write `<name>.md` and `<name>.html` in a folder, each replaced whole."""
        folder.mkdir(parents=True, exist_ok=True)
        for ending, text in (("md", self.markdown()), ("html", self.html())):
            write_text_atomically(folder / f"{name}.{ending}", text)


def _cell(text: str) -> str:
    """A text inside a Markdown table: neither a bar nor a line break may end the cell."""
    return " ".join(text.split()).replace("|", "\\|")


@cache
def _template(name: str) -> Template:
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
