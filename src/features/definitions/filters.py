"""Which rows of a table a feature looks at."""

import zlib
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class HashBucket:
    """The values of a text column that are not among its `top` ones, dealt into `of` parts by hash.

    So a category that was rare, or unknown when the columns were chosen, still counts somewhere.
    """

    top: tuple[str, ...]
    number: int
    of: int

    def __str__(self) -> str:
        return f"other values ({self.number + 1} of {self.of})" if self.of > 1 else "other values"

    def holds(self, text: str) -> bool:
        """Whether a text falls into this part; the same on every machine."""
        return text not in self.top and zlib.crc32(text.encode()) % self.of == self.number


Wanted = str | float | HashBucket
Test = Literal["is", "at least", "at most", "known"]


@dataclass(frozen=True)
class Filter:
    """What a row must meet: `column` is one of `values`, keeps to the `bound`, or is known."""

    column: str
    test: Test
    values: tuple[Wanted, ...] = ()
    bound: float = 0.0
