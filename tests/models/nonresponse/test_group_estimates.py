"""Groups corrected by their own answers and silence, by hand."""

from datetime import UTC, datetime
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from features.errors import ConfigRefused
from models.nonresponse.estimate import ANSWER_METRICS, NonresponseModel
from models.nonresponse.group_estimates import estimate_by_group, grouping_attributes
from models.nonresponse.invitations import Invitations
from models.nonresponse.ipw_weights import IpwWeights
from models.targets.registry import TARGETS

CSAT = ANSWER_METRICS["satisfaction"][0]


def study_by_hand() -> NonresponseModel:
    """Six invitations in the north, two in the south: in the north the content half answered."""
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
    shares[np.arange(rows), [4, 4, 4, 0, 0, 0, 2, 2]] = 1.0  # the model knows the silent are cross
    answered = ~np.isnan(level)
    weights = IpwWeights(np.full(rows, 0.5), answered.astype(float), 0)
    outcome = SimpleNamespace(unseen=shares)
    return NonresponseModel(TARGETS["satisfaction"], asked, None, outcome, weights)  # type: ignore[arg-type]


def test_a_group_is_corrected_by_its_own_answers_and_silence() -> None:
    groups, hidden = estimate_by_group(study_by_hand(), CSAT, "channel", fewest=1)
    assert set(groups) == {"mail", "phone"}
    assert hidden == 0
    mail = groups["mail"]  # two content, one half so, one silent
    assert (mail["asked"], mail["answered"], mail["said"]["value"]) == (
        4,
        3,
        pytest.approx(250 / 3),
    )
    phone = groups["phone"]
    assert (phone["asked"], phone["answered"], phone["said"]["value"]) == (4, 1, 100.0)


def test_by_region_the_silent_of_the_north_are_heard() -> None:
    groups, hidden = estimate_by_group(study_by_hand(), CSAT, "crm_region", fewest=1)
    north = groups["north"]
    assert (north["asked"], north["answered"], north["said"]["value"]) == (6, 3, 100.0)
    assert north["everybody_asked"]["value"] == pytest.approx(50.0)
    assert north["everybody_asked"]["low"] < 50 < north["everybody_asked"]["high"]
    assert hidden == 0


def test_with_a_small_group_the_next_is_hidden() -> None:
    assert estimate_by_group(study_by_hand(), CSAT, "crm_region", fewest=2) == ({}, 2)


def test_texts_of_several_values_and_the_channel_are_cut_by() -> None:
    assert grouping_attributes(study_by_hand()) == ["crm_region", "channel"]


def test_a_feature_that_is_not_there_is_refused() -> None:
    with pytest.raises(
        ConfigRefused, match="no feature crm_regoin to cut by; did you mean crm_region"
    ):
        estimate_by_group(study_by_hand(), CSAT, "crm_regoin")
