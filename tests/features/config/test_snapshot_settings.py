"""The `[snapshot]` section, `columns = "*"` and `test_from`: what a company file may say."""

from pathlib import Path

import pytest

from features.config.company import Company, load_company
from features.errors import ConfigRefused
from models.targets.registry import check_names

CUSTOMERS = """
[tables.customers]
files = "people.csv"
columns = { customer_id = "id", "*" = "*" }
"""
EVENTS = """
[tables.events]
files = "events.csv"
columns = { customer_id = "id", occurred_at = "day", kind = "kind" }
"""
SNAPSHOT = """
[snapshot]
label = "gone = 'yes'"
"""


def company(folder: Path, *sections: str) -> Company:
    path = folder / "acme.toml"
    path.write_text('[company]\nname = "acme"\n' + "".join(sections), encoding="utf-8")
    return load_company(path)


def refusal(folder: Path, *sections: str) -> str:
    with pytest.raises(ConfigRefused) as refused:
        company(folder, *sections)
    assert refused.value.exit_code == 3
    return str(refused.value)


def test_a_snapshot_needs_five_lines_and_learns_churn_without_a_horizon(tmp_path: Path) -> None:
    found = company(tmp_path, CUSTOMERS, SNAPSHOT)
    churn = found.target("churn")
    assert churn.is_snapshot
    assert (churn.horizon_days, churn.gap_days, churn.test_share) == (0, 0, 0.2)


def test_customers_alone_are_refused_with_the_way_to_a_snapshot(tmp_path: Path) -> None:
    assert "needs a [snapshot] section with its label" in refusal(tmp_path, CUSTOMERS)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (EVENTS, "customers must be the only table"),
        ('[targets.churn]\ndefinition = "silence"\n', "'silence' needs events with dates"),
    ],
)
def test_what_contradicts_a_snapshot_is_refused(tmp_path: Path, more: str, why: str) -> None:
    assert why in refusal(tmp_path, CUSTOMERS, SNAPSHOT, more)


def test_a_snapshot_has_no_valid_from(tmp_path: Path) -> None:
    dated = CUSTOMERS.replace('"id",', '"id", valid_from = "since",')
    assert "valid_from cannot be mapped" in refusal(tmp_path, dated, SNAPSHOT)


def test_the_star_is_for_customers_and_except_needs_it(tmp_path: Path) -> None:
    star = EVENTS.replace('"id",', '"id", "*" = "*",')
    assert '"*" is for customers' in refusal(tmp_path, star)
    listed = EVENTS + 'except = ["price"]\n'
    assert 'there is no "*"' in refusal(tmp_path, listed)
    wrong = CUSTOMERS.replace('"*" = "*"', '"*" = "age"')
    assert 'write "*" = "*"' in refusal(tmp_path, wrong, SNAPSHOT)


def test_the_test_of_answers_begins_at_a_date_or_holds_a_share(tmp_path: Path) -> None:
    dated = "[targets.nps]\ntest_from = 2024-05-01\n"
    found = company(tmp_path, EVENTS, dated).target("nps").test_from
    assert found is not None
    assert f"{found:%Y-%m-%d}" == "2024-05-01"
    both = refusal(tmp_path, EVENTS, dated + "test_share = 0.3\n")
    assert "give one of them" in both


def test_a_target_on_the_calendar_has_no_test_from(tmp_path: Path) -> None:
    found = company(tmp_path, EVENTS, "[targets.value]\ntest_from = 2024-05-01\n")
    with pytest.raises(ConfigRefused, match=r"calendar\.test_cutoff"):
        check_names(found)
