"""Settings of an evaluation are checked when they are read."""

import pytest

from features.errors import ConfigRefused
from insight.evaluation.evaluation_settings import SECTIONS, read_evaluation_settings
from insight.value.value_score import DEFAULT_DIMENSIONS
from support.evaluation_company import company


def test_defaults_without_any_section() -> None:
    found = read_evaluation_settings(company())
    assert found.value.dimensions == DEFAULT_DIMENSIONS
    assert (found.own_value, found.own_risks) == (False, False)
    assert set(found.tiers.policies) == set(found.tiers.names)


def test_own_metrics_and_risks_are_noted() -> None:
    own = {"dimensions": {"power": {"weight": 1.0, "measures": {"revenue": 1.0}}}}
    found = read_evaluation_settings(company(value=own, quadrant={"risks": {"exposure": 1000.0}}))
    assert (found.own_value, found.own_risks) == (True, True)


REFUSED = {
    "unknown section": ({"tires": {}}, r"unknown section insight\.tires.*tiers"),
    "unknown key": ({"loop": {"target": {}}}, r"unknown key insight\.loop\.target.*targets"),
    "weights": (
        {"value": {"dimensions": {
            "power": {"weight": 0.5, "measures": {"revenue": 1.0}},
            "loyalty": {"weight": 0.2, "measures": {"orders": 1.0}},
        }}},
        r"sum to 0\.7; they should sum to 1.*power = 0\.714, loyalty = 0\.286",
    ),
    "measure": (
        {"value": {"dimensions": {"power": {"weight": 1.0, "measures": {"revenu": 1.0}}}}},
        r"unknown measure .*revenu.*revenue",
    ),
    "policy": (
        {"tiers": {"names": ["A", "B", "C", "D"], "cuts": [0.1, 0.3, 0.6]}},
        r"tier D has no policy.*insight\.tiers\.policies\.D",
    ),
    "not reciprocal": (
        {"value": {"dimensions": {
            "power": {"weight": 0.5, "measures": {"revenue": 1.0}},
            "loyalty": {"weight": 0.5, "measures": {"orders": 1.0}},
        }, "weights": "ahp", "ahp": {
            "items": ["power", "loyalty"], "raters": {"anna": [[1, 3], [3, 1]]},
        }}},
        r"anna.*power.*loyalty",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("insight", "message"), REFUSED.values(), ids=list(REFUSED))
def test_invalid_settings_are_refused(insight: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigRefused, match=rf"(?s){message}"):
        read_evaluation_settings(company(**insight))


def test_sections_have_settings() -> None:
    assert set(SECTIONS) >= {"satisfaction", "value", "tiers", "stars", "loop", "complaints"}
