"""What the field describes, and where it is: every row has a place, or says what is missing."""

import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest

PROJECT = Path(__file__).parents[1]
PAGE = (PROJECT / "docs/reference/coverage.md").read_text(encoding="utf-8")
#: The rows the field's texts were read into.
ROWS, CORE, SUPPORTING, OUTSIDE = 157, 58, 87, 12
STATES = ("covered", "library", "partly", "later")


class Row(NamedTuple):
    """One thing the field describes: what it is, the files it lives in, and how far it is done."""

    number: int
    core: bool
    what: str
    modules: list[str]
    tests: list[str]
    shown: list[str]
    state: str
    words: str

    @property
    def places(self) -> list[str]:
        """Every path the row names, from the project's root."""
        return [
            *(f"src/{path}" for path in self.modules),
            *(f"tests/{path}" for path in self.tests),
            *self.shown,
        ]


def paths(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def row(line: str) -> Row:
    number, core, what, modules, tests, shown, said = (
        cell.strip() for cell in line.strip().strip("|").split("|")
    )
    state, _, words = said.partition(":")
    return Row(
        int(number), core == "●", what, paths(modules), paths(tests), paths(shown),
        state.strip(), words.strip(),
    )  # fmt: skip


FOUND = [row(line) for line in PAGE.splitlines() if re.match(r"\| \d+ \|", line)]


def outside() -> list[int]:
    """The numbers of the one line about what belongs to other products."""
    line = PAGE.split("## Outside")[1]
    return [int(number) for number in re.findall(r"\d+", line)]


def test_every_number_is_there_once() -> None:
    assert sorted([r.number for r in FOUND] + outside()) == list(range(1, ROWS + 1))


def test_core_supporting_and_outside_are_as_many_as_were_read() -> None:
    core = sum(r.core for r in FOUND)
    assert (core, len(FOUND) - core, len(outside())) == (CORE, SUPPORTING, OUTSIDE)


def test_every_path_exists() -> None:
    named = [(r.number, path) for r in FOUND for path in r.places]
    assert named
    assert [(n, path) for n, path in named if not (PROJECT / path).is_file()] == []


@pytest.mark.parametrize("state", ["covered", "library"])
def test_done_rows_name_module_test_and_document(state: str) -> None:
    done = [r for r in FOUND if r.state == state]
    assert [r.number for r in done if not (r.modules and r.tests and r.shown) or r.words] == []


def test_partial_rows_have_a_place_and_say_what_is_missing() -> None:
    partly = [r for r in FOUND if r.state == "partly"]
    assert [r.number for r in partly if not r.places or not r.words] == []


def test_later_rows_name_no_place_and_give_the_reason() -> None:
    later = [r for r in FOUND if r.state == "later"]
    assert [r.number for r in later if r.places or not r.words] == []


def test_the_counts_at_the_top_are_those_of_the_tables() -> None:
    shown = {
        state: (int(core), int(supporting))
        for state, core, supporting in re.findall(
            r"^\| (covered|library|partly|later) \|[^|]+\| (\d+) \| (\d+) \|$", PAGE, re.MULTILINE
        )
    }
    counted = Counter((r.state, r.core) for r in FOUND)
    assert shown == {s: (counted[s, True], counted[s, False]) for s in STATES}
    assert sum(counted.values()) == sum(map(sum, shown.values()))


def test_every_row_has_a_short_description_of_its_own() -> None:
    assert [r.number for r in FOUND if not r.what or len(r.what) > 60] == []
    assert [what for what, n in Counter(r.what for r in FOUND).items() if n > 1] == []
