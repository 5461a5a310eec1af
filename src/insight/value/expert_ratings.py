"""What experts say of a customer that no table holds: credit, market coverage, internal management."""

from pathlib import Path

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from features.config.table_mapping import Strict
from features.errors import DataRefused
from insight.value.rater_agreement import consensus

COLUMNS = ("customer_id", "rater", "item", "score")


class Experts(Strict):
    """`[insight.value.experts]`: a CSV file of ratings on a scale with anchors.

    Its columns are customer_id, rater, item, score; a customer rated twice by the same person on an
    item counts with the later line. `file` is relative to the TOML file.
    """

    file: str
    low: float = 1.0
    high: float = 5.0
    items: list[str] = Field(
        default_factory=lambda: ["customer_credit", "market_coverage", "internal_management"]
    )

    @model_validator(mode="after")
    def _has_a_range(self) -> "Experts":
        if self.low >= self.high:
            raise ValueError(f"low is {self.low:g}, high {self.high:g}; low should be below high")
        return self


def read_ratings(file: Path, settings: Experts) -> pd.DataFrame:
    """The ratings as they were given, a row each, repeated ones once.

    Raises DataRefused for a missing file or column, an empty cell, an item not configured, a score off
    the scale.
    """
    if not file.is_file():
        raise DataRefused(f"no file {file.name} with ratings; columns are {', '.join(COLUMNS)}")
    try:  # as texts: an id can be 007 or NA
        table = pd.read_csv(file, dtype=str, keep_default_na=False)
    except ValueError as err:  # pandas' own and wrong letters are among them
        raise DataRefused(
            f"{file.name} cannot be read ({err}); it should be CSV in UTF-8 with the columns "
            f"{', '.join(COLUMNS)}"
        ) from None
    lacking = [c for c in COLUMNS if c not in table]
    if lacking:
        raise DataRefused(
            f"{file.name} lacks {', '.join(lacking)}; it has {', '.join(table.columns)}"
        )
    empty = table[list(COLUMNS[:3])] == ""
    if empty.any(axis=None):
        lines = np.flatnonzero(empty.any(axis=1))
        raise DataRefused(
            f"{len(lines)} lines of {file.name} lack a {' or '.join(COLUMNS[:3])}; the first is line "
            f"{lines[0] + 2}: fill it in or take the line out"
        )
    odd = sorted(set(table["item"]) - set(settings.items))
    if odd:
        raise DataRefused(
            f"{file.name} rates {', '.join(odd)}; the items are {', '.join(settings.items)}"
        )
    score = pd.to_numeric(table["score"], errors="coerce")
    off = ~score.between(settings.low, settings.high)
    if off.any():
        line = int(np.flatnonzero(off)[0])
        raise DataRefused(
            f"{file.name} holds {int(off.sum())} scores off the scale of {settings.low:g} to "
            f"{settings.high:g}; the first is {table['score'].iloc[line]!r} in line {line + 2}"
        )
    return table.assign(score=score).drop_duplicates(list(COLUMNS[:3]), keep="last")


def rated(ratings: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The consensus by customer and item, leniency taken out, and the leniency by rater and item."""
    level, lenient = {}, {}
    for item, part in ratings.groupby("item"):
        wide = part.pivot(index="customer_id", columns="rater", values="score")
        level[str(item)], lenient[str(item)] = consensus(wide)
    return pd.DataFrame(level).rename_axis("customer_id"), pd.DataFrame(lenient).rename_axis(
        "rater"
    )
