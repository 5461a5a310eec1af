"""Exercises are read from a notebook: title, question, the code of the answer and its remark."""

import sys
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

sys.path.append(str(Path(__file__).parents[2] / "docs" / "generators"))
from exercises import Exercise, exercises

FOLDED = """## Exercise 1: How many?

Count the orders.

<details>
<summary>Answer</summary>

```python
count = 3

count
```

Three is *few*.

</details>"""


def test_an_exercise_has_a_question_and_a_folded_answer() -> None:
    notebook = new_notebook(
        cells=[new_markdown_cell("## Summary"), new_code_cell("1"), new_markdown_cell(FOLDED)]
    )
    assert exercises(notebook) == [
        Exercise("How many?", "Count the orders.", "count = 3\n\ncount", "Three is *few*.")
    ]


@pytest.mark.parametrize(
    "answer", [FOLDED.replace("details", "div"), FOLDED.replace("```python", "```")]
)
def test_an_exercise_without_a_folded_answer_is_refused(answer: str) -> None:
    with pytest.raises(ValueError, match="no folded answer in '## Exercise 1: How many"):
        exercises(new_notebook(cells=[new_markdown_cell(answer)]))
