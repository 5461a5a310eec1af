"""The map for newcomers names files that exist, each by the one name it has."""

import re
from pathlib import Path

PROJECT = Path(__file__).parents[2]
PAGE = (PROJECT / "docs/background/where-to-change-what.md").read_text(encoding="utf-8")


def test_thirty_questions_lead_to_files_that_exist() -> None:
    named = re.findall(r"^\| .+ \| `(src/[\w/]+\.py)` \|$", PAGE, re.MULTILINE)
    assert len(named) == 30
    assert [n for n in named if not (PROJECT / n).is_file()] == []


def test_no_two_files_of_a_package_share_a_name() -> None:
    for package in ("features", "models", "insight", "serve"):
        names = [p.name for p in (PROJECT / "src" / package).rglob("*.py") if p.name[:2] != "__"]
        assert sorted({n for n in names if names.count(n) > 1}) == []
