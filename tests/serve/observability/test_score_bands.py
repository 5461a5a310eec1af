"""Scores are counted in the band of their scale; missing scores in no band."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.targets.registry import TARGETS
from serve.observability.score_bands import NONE, count_bands
from serve.schemas.score_schemas import CustomerScore, Output


def band(outputs: dict[str, Output]) -> str:
    """The band of one customer."""
    (found,) = count_bands([CustomerScore("a", {"churn": outputs}, {})])["churn"]
    return found


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        ({"probability": 0.0}, "0 to 0.1"),
        ({"probability": 0.1}, "0.1 to 0.2"),
        ({"probability": 0.999}, "0.9 to 1"),
        ({"probability": 1.0}, "0.9 to 1"),
        ({"score": 0.0, "low": 0.0}, "0 to 10"),
        ({"score": 71.2}, "70 to 80"),
        ({"score": 100.0}, "90 to 100"),
        ({"class": "passive", "detractor": 0.5, "passive": 0.5, "promoter": 0.0}, "-60 to -40"),
        ({"class": "promoter", "detractor": 0.0, "passive": 0.0, "promoter": 1.0}, "80 to 100"),
        ({"class": "detractor", "detractor": 1.0, "passive": 0.0, "promoter": 0.0}, "-100 to -80"),
        ({"expected": 12.5, "segment": "top"}, "top"),
        ({"expected": None, "segment": None}, NONE),
        ({"probability": None}, NONE),
        ({"probability": math.nan}, NONE),
        ({"class": None, "detractor": None, "passive": None, "promoter": None}, NONE),
        ({"expected": 12.5}, NONE),
    ],
)
def test_the_band_of_a_prediction(outputs: dict[str, Output], expected: str) -> None:
    assert band(outputs) == expected


@given(st.floats(0, 1))
def test_a_probability_lies_in_its_band(probability: float) -> None:
    low, high = map(float, band({"probability": probability}).split(" to "))
    assert low <= probability < high or probability == high == 1
    assert high - low == pytest.approx(0.1)


@pytest.mark.parametrize("target", TARGETS.values(), ids=lambda t: t.name)
def test_every_target_has_a_band(target: object) -> None:
    names = TARGETS[target.name].outputs  # type: ignore[attr-defined]
    full: dict[str, Output] = {**dict.fromkeys(names, 0.5), "segment": "low"}
    assert band({name: full[name] for name in names}) != NONE


def test_customers_are_counted_by_target_and_band() -> None:
    scores = [
        CustomerScore("a", {"churn": {"probability": 0.05}, "value": {"segment": "top"}}, {}),
        CustomerScore("b", {"churn": {"probability": 0.01}, "value": {"segment": "low"}}, {}),
    ]
    assert count_bands(scores) == {"churn": {"0 to 0.1": 2}, "value": {"top": 1, "low": 1}}


def test_no_customers_give_no_bands() -> None:
    assert count_bands([]) == {}


@given(st.lists(st.none() | st.floats(0, 100), min_size=1, max_size=60))
def test_each_customer_is_counted_once(values: list[float | None]) -> None:
    scores = [CustomerScore("a", {"satisfaction": {"score": value}}, {}) for value in values]
    counted = count_bands(scores)["satisfaction"]
    assert counted.total() == len(values)
    assert counted[NONE] == values.count(None)
