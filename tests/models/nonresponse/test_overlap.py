"""Overlap with the respondents, and estimates for all customers."""

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


def build_model() -> NonresponseModel:
    """Four invitations to A, B, C and D; the first two answered, D's is old.

    Every customer is predicted as half promoter, half detractor: 0 points.
    """
    invitations = Invitations(
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
    propensity = np.array([0.5, 0.4, 0.1, 0.9])
    outcome = replace(NO_MODEL, out_of_fold=np.tile([0.5, 0.0, 0.5], (4, 1)))
    weights = IpwWeights(propensity, np.array([1.0, 1.0, 0.0, 0.0]), 0)
    return NonresponseModel(
        TARGETS["nps"],
        invitations,
        PropensityModel(NO_MODEL, 1.0, 0.0, propensity, 0.5),
        outcome,
        weights,
    )


def test_only_customers_with_a_respondents_propensity_are_covered() -> None:
    snapshot = pa.table({"customer_id": ["A", "C", "D", "E"]})
    found = measure_overlap(build_model(), snapshot, np.array([0.5, 0.39, 0.6, 0.45]))
    assert found.covered.tolist() == [True, False, False, True]
    assert found.share == 0.5
    assert (found.customers, found.invited, found.answered) == (4, 2, 1)


def test_without_customers_there_is_no_share() -> None:
    empty = pa.table({"customer_id": pa.array([], pa.string())})
    found = measure_overlap(build_model(), empty, np.zeros(0))
    assert np.isnan(found.share)
    assert found.invited == 0


def test_predictions_are_shifted_by_the_mean_residual() -> None:
    shares = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    found = estimate_all_customers(build_model(), ANSWER_METRICS["nps"][0], shares)
    # Predicted 0, observed 100 and 0: 50 too low. All customers: mean of 100, -100, 0, 100.
    assert found.value == pytest.approx(25.0 + 50.0)
    assert found.error > 0
