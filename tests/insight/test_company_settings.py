"""A subject reads its section of the company's file; mistakes are named with what would be right."""

from typing import Any, Literal

import pytest
from pydantic import Field

from features.config.company import Company, load_company
from features.config.toml_section import TomlSection
from features.errors import ConfigRefused
from insight.company_settings import read_section

TOML = """
[company]
name = "shop"
[tables.events]
files = "events.csv"
columns = { customer_id = "who", occurred_at = "moment", kind = "'order'" }
[insight.tea]
minutes = 4
[insight.tea.cups.blue]
size = 3
"""


class Cup(TomlSection):
    """A cup."""

    size: int = 2


class Tea(TomlSection):
    """How tea is made."""

    minutes: int = Field(default=3, ge=1)
    kind: Literal["green", "black"] = "green"
    cups: dict[str, Cup] = Field(default_factory=dict)
    spare: list[Cup] = Field(default_factory=list)


def company(insight: dict[str, Any]) -> Company:
    mapping = {"files": "events.csv", "columns": {}}
    return Company.model_validate(
        {"company": {"name": "shop"}, "tables": {"events": mapping}, "insight": insight}
    )


def test_a_section_is_read_from_the_file(tmp_path):
    path = tmp_path / "shop.toml"
    path.write_text(TOML, encoding="utf-8")
    tea = read_section(load_company(path), "tea", Tea)
    assert (tea.minutes, tea.kind, tea.cups["blue"].size) == (4, "green", 3)


def test_without_a_section_the_defaults_hold():
    assert read_section(company({}), "tea", Tea) == Tea()


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"minuets": 3}, "unknown key insight.tea.minuets; did you mean minutes? known: minutes"),
        ({"cups": {"red": {"sise": 1}}}, "unknown key insight.tea.cups.red.sise; did you mean size?"),
        ({"spare": [{"sise": 1}]}, "unknown key insight.tea.spare.0.sise; did you mean size?"),
        ({"minutes": 0}, "insight.tea.minutes: Input should be greater than or equal to 1 (got 0)"),
        ({"kind": "red"}, "insight.tea.kind: 'red' is not one of 'green' or 'black'"),
        (5, "insight.tea is 5; it should be a section [insight.tea] with keys minutes"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_what_would_be_right(raw, message):
    with pytest.raises(ConfigRefused) as refused:
        read_section(company({"tea": raw}), "tea", Tea)
    assert "company.toml" in str(refused.value)
    assert message in str(refused.value)


def test_every_mistake_is_named_at_once():
    with pytest.raises(ConfigRefused, match=r"minuets(?s:.)*sugar"):
        read_section(company({"tea": {"minuets": 3, "sugar": 1}}), "tea", Tea)
