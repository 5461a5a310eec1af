"""The reach of labels, and their digest."""

from datetime import UTC, datetime

import numpy as np

from features.history.history_table import DAY
from models.training_set.label_reach import LabelReach

CUTOFF = np.array([10, 40, 40], np.int64) * DAY
CUSTOMER = np.array([0, 0, 1], np.int64)
LABEL, WEIGHT = np.array([0.0, 1, 0]), np.ones(3)


def test_labels_reach_to_the_end_of_the_last_window():
    assert LabelReach.of(CUTOFF, CUSTOMER, LABEL, WEIGHT, 90).until == datetime(
        1970, 5, 11, tzinfo=UTC
    )


def test_any_other_label_row_is_another_label_set():
    same = LabelReach.of(CUTOFF.copy(), CUSTOMER, LABEL, WEIGHT, 90)
    assert same == LabelReach.of(CUTOFF, CUSTOMER, LABEL, WEIGHT, 90)
    others = (
        (CUTOFF + DAY, CUSTOMER, LABEL, WEIGHT),
        (CUTOFF, CUSTOMER[::-1], LABEL, WEIGHT),
        (CUTOFF, CUSTOMER, 1 - LABEL, WEIGHT),
        (CUTOFF, CUSTOMER, LABEL, WEIGHT * 2),
    )
    digests = {LabelReach.of(*columns, 90).digest for columns in others}
    assert len(digests | {same.digest}) == 5
