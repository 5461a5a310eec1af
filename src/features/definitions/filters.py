"""Filters on the rows of a table that a feature aggregates."""

import zlib
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class HashBucket:
    """One of `of` hash buckets of the values of a text column that are not among its `top` values.

    So a category that was rare, or unknown when the columns were chosen, still counts.
    """

    top: tuple[str, ...]
    number: int
    of: int

    def __str__(self) -> str:
        return f"other values ({self.number + 1} of {self.of})" if self.of > 1 else "other values"

    def holds(self, text: str) -> bool:
        """Whether a text belongs to this bucket; the same on every machine."""
        return text not in self.top and zlib.crc32(text.encode()) % self.of == self.number


Wanted = str | float | HashBucket
Test = Literal["is", "at least", "at most", "known"]


@dataclass(frozen=True)
class Filter:
    """A condition on a row: `column` is one of `values`, respects the `bound`, or has a known value."""

    column: str
    test: Test
    values: tuple[Wanted, ...] = ()
    bound: float = 0.0
