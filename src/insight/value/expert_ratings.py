"""Expert ratings of customers: credit, market coverage, internal management."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from features.config.toml_section import TomlSection
from features.errors import DataRefused
from insight.value.rater_agreement import (
    RaterAgreement,
    fit_consensus,
    intraclass_correlation,
    krippendorff_alpha,
)

COLUMNS = ("customer_id", "rater", "item", "score")


class Experts(TomlSection):
    """`[insight.value.experts]`: a CSV file of ratings on an anchored scale.

    Columns: customer_id, rater, item, score. If a rater rates a customer's item twice, the later line
    counts. `file` is relative to the TOML file.
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
    """Read the ratings, one row per customer, rater and item.

    Raises DataRefused for a missing file or column, an empty cell, an item that is not configured, a
    score outside the scale.
    """
    if not file.is_file():
        raise DataRefused(f"no file {file.name} with ratings; columns are {', '.join(COLUMNS)}")
    try:  # as strings: an id can be 007 or NA
        table = pd.read_csv(file, dtype=str, keep_default_na=False)
    except ValueError as err:  # includes parser and encoding errors
        raise DataRefused(
            f"{file.name} cannot be read ({err}); it should be CSV in UTF-8 with the columns "
            f"{', '.join(COLUMNS)}"
        ) from None
    missing = [c for c in COLUMNS if c not in table]
    if missing:
        raise DataRefused(
            f"{file.name} lacks {', '.join(missing)}; it has {', '.join(table.columns)}"
        )
    empty = table[list(COLUMNS[:3])] == ""
    if empty.any(axis=None):
        lines = np.flatnonzero(empty.any(axis=1))
        raise DataRefused(
            f"{len(lines)} lines of {file.name} lack a {' or '.join(COLUMNS[:3])}; the first is line "
            f"{lines[0] + 2}: fill it in or take the line out"
        )
    unknown = sorted(set(table["item"]) - set(settings.items))
    if unknown:
        raise DataRefused(
            f"{file.name} rates {', '.join(unknown)}; the items are {', '.join(settings.items)}"
        )
    score = pd.to_numeric(table["score"], errors="coerce")
    outside = ~score.between(settings.low, settings.high)
    if outside.any():
        line = int(np.flatnonzero(outside)[0])
        raise DataRefused(
            f"{file.name} holds {int(outside.sum())} scores off the scale of {settings.low:g} to "
            f"{settings.high:g}; the first is {table['score'].iloc[line]!r} in line {line + 2}"
        )
    return table.assign(score=score).drop_duplicates(list(COLUMNS[:3]), keep="last")


def combine_ratings(ratings: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Combine the ratings by customer and item, corrected for leniency; return also the leniency.

    The first table has a row per customer, the second a row per rater; columns are items.
    """
    level, lenient = {}, {}
    for item, part in ratings.groupby("item"):
        wide = part.pivot(index="customer_id", columns="rater", values="score")
        level[str(item)], lenient[str(item)] = fit_consensus(wide)
    return pd.DataFrame(level).rename_axis("customer_id"), pd.DataFrame(lenient).rename_axis(
        "rater"
    )


@dataclass(frozen=True)
class ItemAgreement:
    """Agreement of the raters of one item; `icc` is that of a single rater, `alpha` is ordinal.

    Each is None if it is undefined: ICC needs 3 customers rated by all raters, both need ratings that
    differ.
    """

    item: str
    raters: int
    icc: RaterAgreement | None
    alpha: RaterAgreement | None


def measure_agreement(ratings: pd.DataFrame) -> list[ItemAgreement]:
    """Measure the agreement of the raters by item; items without a defined agreement are left out."""
    found = []
    for item, part in ratings.groupby("item"):
        wide = part.pivot(index="customer_id", columns="rater", values="score")
        icc, alpha = (
            _if_defined(wide, one) for one in (intraclass_correlation, krippendorff_alpha)
        )
        if icc or alpha:
            found.append(ItemAgreement(str(item), wide.shape[1], icc, alpha))
    return found


def _if_defined(
    ratings: pd.DataFrame, measure: Callable[[pd.DataFrame], RaterAgreement]
) -> RaterAgreement | None:
    try:
        return measure(ratings)
    except DataRefused:
        return None
