"""One table of a history as sorted arrays, and the times that stand for always and never."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from features.contract import TableContract
from features.text.comment_score_model import CommentScoreModel

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Microseconds in a day.
DAY = 86_400_000_000
#: The time of a missing value: it never comes, so the value is never known.
NEVER = np.iinfo(np.int64).max
#: A time before all others, from which constants are known.
ALWAYS = np.iinfo(np.int64).min // 2


@dataclass(frozen=True)
class HistoryTable:
    """One table of a history, sorted by customer, clock, known and then every other column.

    Columns that are revealed later come last in that order. `offsets[i]:offsets[i + 1]` are the
    rows of customer `i`. Numbers are float64 with NaN for missing, times int64 microseconds with
    NEVER for missing, texts codes into `words` with -1 for missing. Derived columns are added to
    `numbers` when a feature first needs them; `comment_model` computes the column `tone`.
    """

    contract: TableContract
    offsets: Ints
    numbers: dict[str, Floats]
    times: dict[str, Ints]
    codes: dict[str, NDArray[np.int32]]
    words: dict[str, tuple[str, ...]]
    comment_model: CommentScoreModel | None = None

    def __len__(self) -> int:
        return int(self.offsets[-1])

    def with_comment_model(self, model: CommentScoreModel | None) -> "HistoryTable":
        """The same rows with comments scored by another model."""
        if model == self.comment_model:
            return self
        kept = {name: values for name, values in self.numbers.items() if name != "tone"}
        return replace(self, numbers=kept, comment_model=model)

    def known_since(self, reveals: frozenset[str]) -> Ints:
        """When each row is known together with what these time columns reveal: the latest time."""
        moment = self.times[self.contract.known]
        for name in sorted(reveals):
            moment = np.maximum(moment, self.times[name])
        return moment
