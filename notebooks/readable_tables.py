"""Tables of the notebooks: headings in words, numbers rounded to what a reader can use."""

import math
from collections.abc import Mapping

import pandas as pd


def headed(
    table: pd.DataFrame, headings: Mapping[str, str], rows: str | None = None
) -> pd.DataFrame:
    """The columns named in `headings`, in that order, under headings in words.

    Columns that the table does not have are left out: not every company has every score. `rows` is
    the heading of the index. Raises ValueError if the table has none of the columns.
    """
    present = {name: text for name, text in headings.items() if name in table}
    if not present:
        raise ValueError(f"the table has none of {list(headings)}; it has {list(table.columns)}")
    made = table[list(present)].rename(columns=present)
    return made if rows is None else made.rename_axis(rows)


def rounded(value: float) -> str:
    """A number with about three digits: 0.123, 4.56, 78.9, 2019, 12,345."""
    if not math.isfinite(value):
        return "" if math.isnan(value) else str(value)
    size = abs(value)
    places = 0 if size >= 100 or float(value).is_integer() else 1 if size >= 10 else 2
    places = places if size >= 1 or value == 0 else 3
    return f"{value:,.{places}f}" if size >= 10_000 else f"{value:.{places}f}"


def use_in_tables() -> None:
    """Let pandas show numbers rounded, and long texts in full."""
    pd.set_option("display.float_format", rounded)
    pd.set_option("display.max_colwidth", 120)
