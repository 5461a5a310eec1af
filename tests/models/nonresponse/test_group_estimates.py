"""Corrected estimates by group, and suppression of small groups, on literal rows."""

from datetime import UTC, datetime
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import ConfigRefused
from models.nonresponse.estimate import ANSWER_METRICS, NonresponseModel
from models.nonresponse.group_estimates import (
    estimate_by_group,
    grouping_attributes,
    suppress_small_groups,
)
from models.nonresponse.invitations import Invitations
from models.nonresponse.ipw_weights import IpwWeights
from models.targets.registry import TARGETS

CSAT = ANSWER_METRICS["satisfaction"][0]


def build_model() -> NonresponseModel:
    """Six invitations in the north, two in the south; in the north the satisfied half answered."""
    level = np.array([4.0, 4.0, 4.0, np.nan, np.nan, np.nan, 2.0, np.nan])
    rows = len(level)
    asked = Invitations(
        features=pa.table({
            "crm_region": ["north"] * 6 + ["south"] * 2, "crm_seats": [1.0] * rows,
            "crm_country": ["x"] * rows,
        }),
        channel=np.array(["mail", "phone"] * 4, object),
        ids=tuple(f"C{i}" for i in range(rows)), customer=np.arange(rows), sent=np.zeros(rows, np.int64),
        level=level, weight=np.ones(rows), recent=np.ones(rows, bool), late=np.zeros(rows, bool),
        starts=datetime(2025, 1, 1, tzinfo=UTC), ends=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    shares = np.zeros((rows, 5))
    shares[np.arange(rows), [4, 4, 4, 0, 0, 0, 2, 2]] = (
        1.0  # non-respondents are predicted dissatisfied
    )
    answered = ~np.isnan(level)
    weights = IpwWeights(np.full(rows, 0.5), answered.astype(float), 0)
    outcome = SimpleNamespace(out_of_fold=shares)
    return NonresponseModel(TARGETS["satisfaction"], asked, None, outcome, weights)  # type: ignore[arg-type]


def test_groups_have_their_own_counts_and_answers() -> None:
    groups, hidden = estimate_by_group(build_model(), CSAT, "channel", fewest=1)
    assert set(groups) == {"mail", "phone"}
    assert hidden == 0
    mail = groups["mail"]  # two satisfied, one neutral, one without an answer
    assert (mail["asked"], mail["answered"], mail["said"]["value"]) == (
        4,
        3,
        pytest.approx(250 / 3),
    )
    phone = groups["phone"]
    assert (phone["asked"], phone["answered"], phone["said"]["value"]) == (4, 1, 100.0)


def test_the_estimate_of_a_group_includes_its_nonrespondents() -> None:
    groups, hidden = estimate_by_group(build_model(), CSAT, "crm_region", fewest=1)
    north = groups["north"]
    assert (north["asked"], north["answered"], north["said"]["value"]) == (6, 3, 100.0)
    assert north["everybody_asked"]["value"] == pytest.approx(50.0)
    assert north["everybody_asked"]["low"] < 50 < north["everybody_asked"]["high"]
    assert hidden == 0


def test_a_second_group_is_suppressed_with_a_small_one() -> None:
    assert estimate_by_group(build_model(), CSAT, "crm_region", fewest=2) == ({}, 2)


def test_grouping_by_texts_with_several_values_and_by_channel() -> None:
    assert grouping_attributes(build_model()) == ["crm_region", "channel"]


def test_an_unknown_feature_is_refused() -> None:
    with pytest.raises(
        ConfigRefused, match="no feature crm_regoin to group by; did you mean crm_region"
    ):
        estimate_by_group(build_model(), CSAT, "crm_regoin")


@pytest.mark.parametrize(
    ("answered", "hidden"),
    [
        ([30, 40, 50], [False, False, False]),
        ([30, 5, 50, 40], [True, True, False, False]),  # otherwise the total discloses the 5
        ([30, 12, 50, 15], [False, True, False, True]),  # 27 together are enough
        ([30, 4, 50, 3], [True, True, False, True]),  # 7 together are too few
        ([30, 0, 50], [False, True, False]),  # no answer to disclose
        ([5], [True]),
        ([], []),
    ],
)
def test_small_groups_are_suppressed(answered: list[int], hidden: list[bool]) -> None:
    assert suppress_small_groups(answered, 20).tolist() == hidden


@given(st.lists(st.integers(0, 60), max_size=12), st.integers(2, 30))
def test_the_total_never_discloses_a_small_group(answered: list[int], fewest: int) -> None:
    hidden = suppress_small_groups(answered, fewest)
    shown = [n for n, out in zip(answered, hidden, strict=True) if not out]
    left = sum(answered) - sum(shown)
    assert all(n >= fewest for n in shown)
    assert left == 0 or left >= fewest or not shown
