"""Rolling origins: the earlier moments at which a target is judged, besides the latest test.

An origin is a moment: all labels ripe before it train, and the rows after it test. One moment says
little about the next: seasons and growth move base rates and rankings between them. Customers without
dates are judged in parts instead: each part is tested on models of all the others.
"""

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from features.config.company import TargetConfig
from features.history.history_table import DAY
from models.targets.target import Target
from models.training_set.customer_holdout import share_start
from models.training_set.splits import Split, instant

Mask = NDArray[np.bool_]
#: Origins with the latest test: at least these make a judgement, at most these are worth their time.
ENOUGH_ORIGINS, MOST_ORIGINS = 4, 5
#: Rows to train an older origin on: at least so many, and this share of those of the latest test. A
#: model of fewer, from the first months of a history, says nothing of the one that is judged.
MIN_ROWS, MIN_SHARE = 300, 1 / 3


@dataclass(frozen=True)
class Origin:
    """A moment of judgement: masks of the rows that train and test, and the first tested cutoff."""

    start: datetime
    learn: Mask
    test: Mask


def older_origins(
    target: Target, config: TargetConfig, cutoff: NDArray[np.int64], split: Split
) -> tuple[Origin, ...]:
    """The origins before the test of `split`, the latest first; none where the history is short.

    On a calendar, origins are a horizon apart, so that their label windows do not overlap; where that
    leaves fewer than four, they are closer. Answers are tested in parts half as large as the test.
    Parts of a snapshot are as large as the test, and have no customer in common.
    """
    if config.is_snapshot:
        return _customer_parts(cutoff, config.test_share)
    span = target.span_days(config) * DAY
    least = max(MIN_ROWS, MIN_SHARE * split.refit.sum())
    if target.on_calendar:
        moments = _calendar_moments(cutoff, span, config.horizon_days * DAY, least)
    else:
        share = float(split.test.mean()) if config.test_from else config.test_share
        moments = _answer_moments(cutoff, share)
    found = [
        Origin(instant(start), cutoff + span <= start, (cutoff >= start) & (cutoff < end))
        for start, end in moments
    ]
    return tuple(origin for origin in found if origin.learn.sum() >= least)


def _customer_parts(cutoff: NDArray[np.int64], share: float) -> tuple[Origin, ...]:
    """Parts of the customers before the test, the last first."""
    count = min(MOST_ORIGINS, int(1 / share + 1e-9))
    ends = [share_start(cutoff, place * share) for place in range(1, count + 1)]
    parts = [(start, (cutoff >= start) & (cutoff < end)) for end, start in pairwise(ends)]
    return tuple(Origin(instant(start), ~part, part) for start, part in parts if part.any())


def windows_overlap(starts: list[datetime], horizon_days: int) -> bool:
    """Whether label windows of origins overlap, so that their outcomes are partly the same."""
    ordered = sorted(starts)
    return any((b - a).days < horizon_days for a, b in pairwise(ordered))


def _calendar_moments(
    cutoff: NDArray[np.int64], span: int, horizon: int, least: float
) -> list[tuple[int, int]]:
    """Cutoffs before the last one, at the widest step up to a horizon that gives enough of them."""
    distinct, counts = np.unique(cutoff, return_counts=True)
    ripe = np.array([counts[distinct + span <= c].sum() for c in distinct])
    first = int(np.searchsorted(ripe, least))
    last = len(distinct) - 1
    widest = int(last - np.searchsorted(distinct, distinct[last] - horizon, side="right")) + 1
    for step in range(widest, 0, -1):
        places = range(last - step, first - 1, -step)
        if len(places) + 1 >= ENOUGH_ORIGINS or step == 1:
            return [(int(distinct[i]), int(distinct[i]) + 1) for i in places[: MOST_ORIGINS - 1]]
    return []


def _answer_moments(cutoff: NDArray[np.int64], test_share: float) -> list[tuple[int, int]]:
    """Parts of the answers before the test, each half as many as the test has."""
    width = test_share / 2
    shares = [1 - test_share - place * width for place in range(MOST_ORIGINS)]
    ends = [int(np.quantile(cutoff, share, method="lower")) for share in shares if share > 0]
    return [(start, end) for end, start in pairwise(ends) if start < end]
