"""The exercises at the end of a notebook, whose answers are folded away."""

import re
from typing import NamedTuple

from nbformat import NotebookNode

HEADING = re.compile(r"## Exercise \d: (.+)")
ANSWER = re.compile(
    r"\n<details>\n<summary>Answer</summary>\n\n```python\n(?P<code>.+?)\n```\n(?P<remark>.*?)\n?</details>\s*$",
    re.DOTALL,
)


class Exercise(NamedTuple):
    """An exercise, the code that answers it, and what the answer shows."""

    title: str
    question: str
    code: str
    remark: str


def exercises(notebook: NotebookNode) -> list[Exercise]:
    """The exercises of a notebook. Raises ValueError for one without a folded answer in Python."""
    return [
        _read(cell.source)
        for cell in notebook.cells
        if cell.cell_type == "markdown" and HEADING.match(cell.source)
    ]


def _read(source: str) -> Exercise:
    heading, answer = HEADING.match(source), ANSWER.search(source)
    if heading is None or answer is None:
        raise ValueError(
            f"no folded answer in {source.splitlines()[0]!r}; it must end with <details>, "
            "<summary>Answer</summary>, a Python code block and </details>"
        )
    return Exercise(
        heading[1],
        source[heading.end() : answer.start()].strip(),
        answer["code"],
        answer["remark"].strip(),
    )
