"""Markdown tables and the docstrings that go into them."""

import inspect
from collections.abc import Iterable, Sequence
from typing import Any


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; pipes and line ends in cells are escaped."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(_cell(c) for c in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def doc(thing: Any) -> str:
    """A docstring without its indentation."""
    return inspect.getdoc(thing) or ""


def _cell(value: object) -> str:
    return " ".join(str(value).split()).replace("|", "\\|")
