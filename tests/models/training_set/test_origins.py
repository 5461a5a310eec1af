"""Rolling origins: what they learn is ripe, and the label windows keep apart where they can."""

from datetime import UTC, datetime

import numpy as np
import pytest

from features.config.company import TargetConfig
from features.history.history_table import DAY
from models.targets.registry import TARGETS
from models.training_set import origins as module
from models.training_set.origins import older_origins, windows_overlap
from models.training_set.splits import split_answers, split_calendar

CHURN = TARGETS["churn"]


def months(count, customers=400):
    """Cutoffs every 30 days, with as many rows each."""
    return np.repeat(np.arange(count, dtype=np.int64) * 30 * DAY, customers)


@pytest.mark.parametrize(
    ("cutoffs", "horizon", "days"),
    [
        (20, 90, [480, 390, 300]),  # three months apart; the latest, day 570, is the test
        (12, 90, [270, 210, 150]),  # two months apart: windows overlap
        (8, 90, [180, 150, 120]),  # closer still: one month apart
        (7, 90, [150, 120]),  # on day 90 there is a quarter of the labels
    ],
)
def test_calendar_origins_are_a_horizon_apart_where_four_fit(cutoffs, horizon, days):
    cutoff = months(cutoffs)
    config = TargetConfig(horizon_days=horizon, definition="cancel")
    found = older_origins(CHURN, config, cutoff, split_calendar(cutoff, horizon))
    starts = [round((o.start - datetime(1970, 1, 1, tzinfo=UTC)).days) for o in found]
    assert starts == days
    for origin in found:
        assert (cutoff[origin.learn] + horizon * DAY).max() <= cutoff[origin.test].min()
        assert len(np.unique(cutoff[origin.test])) == 1


def test_a_short_history_has_fewer_origins_or_none():
    config = TargetConfig(horizon_days=90, definition="cancel")
    cutoff = months(7)
    assert len(older_origins(CHURN, config, cutoff, split_calendar(cutoff, 90))) == 2
    few = months(7, customers=module.MIN_ROWS - 1)
    days = [o.learn.sum() for o in older_origins(CHURN, config, few, split_calendar(few, 90))]
    assert min(days) >= module.MIN_ROWS


def test_parts_of_answers_before_the_test_follow_each_other():
    cutoff = np.arange(4000, dtype=np.int64) * DAY // 10
    config = TargetConfig(horizon_days=30, test_share=0.2)
    split = split_answers(cutoff, 30, 0.2)
    found = older_origins(TARGETS["nps"], config, cutoff, split)
    assert [int(o.test.sum()) for o in found] == [400, 400, 400, 400]
    tested = np.sum([o.test for o in found], axis=0)
    assert tested.max() == 1
    assert not (tested.astype(bool) & split.test).any()
    for origin in found:
        assert (cutoff[origin.learn] + 30 * DAY).max() <= cutoff[origin.test].min()


def test_windows_overlap_when_origins_are_closer_than_the_horizon():
    starts = [datetime(2026, month, 1, tzinfo=UTC) for month in (7, 4, 1)]
    assert not windows_overlap(starts, 90)
    assert windows_overlap(starts, 91)
    assert not windows_overlap(starts[:1], 91)


def test_parts_of_answers_end_where_the_test_begins_at_a_date():
    cutoff = np.arange(4000, dtype=np.int64) * DAY // 10
    config = TargetConfig(horizon_days=30, test_from=datetime(1970, 12, 27, tzinfo=UTC))
    split = split_answers(cutoff, 30, 0.2, config.test_from)
    assert split.test.mean() == 0.1
    found = older_origins(TARGETS["nps"], config, cutoff, split)
    assert [int(o.test.sum()) for o in found] == [200, 200, 200, 200]
    assert not any((o.test & split.test).any() for o in found)
