"""The response propensity: close to the truth, calibrated, predicted out of fold."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from models.evaluation.metrics import log_loss
from models.learners.cross_fitting import draw_folds
from models.nonresponse.invitations import Invitations
from models.nonresponse.propensity import PropensityModel, fit_propensity

ROWS = 6000


def draw_invitations() -> tuple[Invitations, np.ndarray]:  # type: ignore[type-arg]
    """Invitations whose response propensity depends on two features, and the true propensity."""
    rng = np.random.default_rng(0)
    x, noise = rng.normal(size=(2, ROWS))
    late = rng.random(ROWS) < 0.3
    propensity = 1 / (1 + np.exp(1.2 - x + 0.8 * late))
    answered = rng.random(ROWS) < propensity
    day = datetime(2026, 1, 1, tzinfo=UTC)
    return Invitations(
        features=pa.table({"x": x, "late": late.astype(float), "noise": noise}),
        ids=tuple(map(str, range(ROWS // 2))),
        customer=np.arange(ROWS) // 2,
        sent=np.zeros(ROWS, np.int64),
        level=np.where(answered, 1.0, np.nan),
        weight=np.ones(ROWS),
        recent=np.ones(ROWS, bool),
        late=np.zeros(ROWS, bool),
        starts=day,
        ends=day,
    ), propensity


@pytest.fixture(scope="module")
def fitted() -> tuple[Invitations, np.ndarray, PropensityModel]:  # type: ignore[type-arg]
    invitations, propensity = draw_invitations()
    return invitations, propensity, fit_propensity(invitations, draw_folds(invitations.customer))


def test_log_loss_is_close_to_that_of_the_truth(
    fitted: tuple[Invitations, np.ndarray, PropensityModel],  # type: ignore[type-arg]
) -> None:
    invitations, propensity, found = fitted
    answered = 1.0 * invitations.answered
    even = log_loss(answered, np.full(ROWS, answered.mean()))
    gained = even - log_loss(answered, found.out_of_fold)
    assert gained > 0.85 * (even - log_loss(answered, propensity))
    assert 0.68 < found.auc < 0.8


def test_it_is_calibrated_in_every_decile(
    fitted: tuple[Invitations, np.ndarray, PropensityModel],  # type: ignore[type-arg]
) -> None:
    invitations, _, found = fitted
    for tenth in np.array_split(np.argsort(found.out_of_fold), 10):
        assert found.out_of_fold[tenth].mean() == pytest.approx(
            invitations.answered[tenth].mean(), abs=0.06
        )


def test_customers_never_invited_have_a_propensity(
    fitted: tuple[Invitations, np.ndarray, PropensityModel],  # type: ignore[type-arg]
) -> None:
    _, _, found = fitted
    new = pa.table({"x": [-2.0, 2.0], "late": [1.0, 0.0], "noise": [0.0, 0.0]})
    low, high = found.predict(new)
    assert low < 0.12
    assert high > 0.55
