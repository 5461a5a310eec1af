"""The propensity: near the true chance, right in its level, and never from the customer himself."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from models.evaluation.metrics import log_loss
from models.learners.cross_fitting import draw_folds
from models.nonresponse.invitations import Invitations
from models.nonresponse.propensity import PropensityModel, fit_propensity

ROWS = 6000


def drawn() -> tuple[Invitations, np.ndarray]:  # type: ignore[type-arg]
    """Invitations whose chance of an answer depends on two features, and that chance."""
    rng = np.random.default_rng(0)
    x, noise = rng.normal(size=(2, ROWS))
    late = rng.random(ROWS) < 0.3
    chance = 1 / (1 + np.exp(1.2 - x + 0.8 * late))
    answered = rng.random(ROWS) < chance
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
    ), chance


@pytest.fixture(scope="module")
def learnt() -> tuple[Invitations, np.ndarray, PropensityModel]:  # type: ignore[type-arg]
    asked, chance = drawn()
    return asked, chance, fit_propensity(asked, draw_folds(asked.customer))


def test_it_is_nearly_as_good_as_the_truth(
    learnt: tuple[Invitations, np.ndarray, PropensityModel],  # type: ignore[type-arg]
) -> None:
    asked, chance, found = learnt
    answered = 1.0 * asked.answered
    even = log_loss(answered, np.full(ROWS, answered.mean()))
    gained = even - log_loss(answered, found.chance)
    assert gained > 0.85 * (even - log_loss(answered, chance))
    assert 0.68 < found.auc < 0.8


def test_its_level_is_right_where_few_and_where_many_answer(
    learnt: tuple[Invitations, np.ndarray, PropensityModel],  # type: ignore[type-arg]
) -> None:
    asked, _, found = learnt
    for tenth in np.array_split(np.argsort(found.chance), 10):
        assert found.chance[tenth].mean() == pytest.approx(asked.answered[tenth].mean(), abs=0.06)


def test_customers_never_asked_get_a_chance_too(
    learnt: tuple[Invitations, np.ndarray, PropensityModel],  # type: ignore[type-arg]
) -> None:
    _, _, found = learnt
    new = pa.table({"x": [-2.0, 2.0], "late": [1.0, 0.0], "noise": [0.0, 0.0]})
    low, high = found.of(new)
    assert low < 0.12
    assert high > 0.55
