"""Which customers the answers can speak for, and what is said of all of them."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from models.learners.cross_fitting import CrossFittedModels
from models.nonresponse.estimate import ANSWER_METRICS, NonresponseModel
from models.nonresponse.invitations import Invitations
from models.nonresponse.ipw_weights import IpwWeights
from models.nonresponse.overlap import estimate_all_customers, measure_overlap
from models.nonresponse.propensity import PropensityModel
from models.targets.registry import TARGETS

DAY = datetime(2026, 1, 1, tzinfo=UTC)
NO_MODEL = CrossFittedModels((), np.zeros(0))


def hand_made() -> NonresponseModel:
    """Four invitations to A, B, C and D; the first two answered, D's is old.

    Everybody's predicted shares are a half promoter, a half detractor: 0 points.
    """
    asked = Invitations(
        features=pa.table({"x": np.zeros(4)}),
        ids=("A", "B", "C", "D"),
        customer=np.arange(4),
        sent=np.zeros(4, np.int64),
        level=np.array([2.0, 1.0, np.nan, 2.0]),
        weight=np.ones(4),
        recent=np.array([True, True, True, False]),
        late=np.zeros(4, bool),
        starts=DAY,
        ends=DAY,
    )
    chance = np.array([0.5, 0.4, 0.1, 0.9])
    outcome = replace(NO_MODEL, unseen=np.tile([0.5, 0.0, 0.5], (4, 1)))
    weights = IpwWeights(chance, np.array([1.0, 1.0, 0.0, 0.0]), 0)
    return NonresponseModel(
        TARGETS["nps"], asked, PropensityModel(NO_MODEL, 1.0, 0.0, chance, 0.5), outcome, weights
    )


def test_only_those_as_likely_as_somebody_who_answered_are_covered() -> None:
    snapshot = pa.table({"customer_id": ["A", "C", "D", "E"]})
    found = measure_overlap(hand_made(), snapshot, np.array([0.5, 0.39, 0.6, 0.45]))
    assert found.inside.tolist() == [True, False, False, True]
    assert found.share == 0.5
    assert (found.customers, found.asked, found.answered) == (4, 2, 1)


def test_no_customer_is_no_share() -> None:
    nobody = pa.table({"customer_id": pa.array([], pa.string())})
    found = measure_overlap(hand_made(), nobody, np.zeros(0))
    assert np.isnan(found.share)
    assert found.asked == 0


def test_predictions_for_all_are_shifted_by_what_they_were_wrong_about() -> None:
    shares = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    found = estimate_all_customers(hand_made(), ANSWER_METRICS["nps"][0], shares)
    # Predicted 0 where 100 and 0 were said: 50 too low. All customers: mean of 100, -100, 0, 100.
    assert found.value == pytest.approx(25.0 + 50.0)
    assert found.error > 0
