"""What a comment is about: delivery, quality, price and others, several in one text.

By the beginnings of words in three languages (`features/lexicons/topics.toml`); a topic depends on
its own text only.
"""

import re
from collections.abc import Sequence
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from features.text.language_id import language
from features.text.lexicon import plain, read_data, simplified

#: What can be told apart, in the order of the columns of `topics`.
TOPICS = (
    "delivery", "quality", "price", "service", "staff", "billing", "website", "packaging",
)  # fmt: skip


@lru_cache(maxsize=2)  # each topic is a column of its own: a table's texts are read once for all
def topics(texts: tuple[str | None, ...]) -> NDArray[np.float64]:
    """1.0 where a text (row) is about a topic (column), else 0.0; shape (texts, topics).

    NaN for None, for blank texts and for languages that are not read.
    """
    found = np.array([_one(text) for text in texts], dtype=np.float64)
    return found.reshape(len(texts), len(TOPICS))


def topic(texts: Sequence[str | None], name: str) -> NDArray[np.float64]:
    """1.0 for the texts about a topic, 0.0 for others, NaN where there is nothing to read."""
    return topics(tuple(texts))[:, TOPICS.index(name)]


def _one(text: str | None) -> tuple[float, ...]:
    spoken = language(text) if text else None
    if text is None or spoken is None:
        return (float("nan"),) * len(TOPICS)
    if spoken == "zh":  # names of departments are often English in a Chinese text
        text = simplified(text)
        return tuple(float(any(_said(text, name, own) for own in ("zh", "en"))) for name in TOPICS)
    return tuple(float(_said(text, name, spoken)) for name in TOPICS)


def _said(text: str, name: str, spoken: str) -> bool:
    return _pattern(name, spoken).search(text if spoken == "zh" else plain(text)) is not None


@cache
def _pattern(name: str, spoken: str) -> re.Pattern[str]:
    """Any of a topic's word beginnings; `=` ends a whole word, `_` is a space."""
    stems = [re.escape(s.replace("_", " ")) for s in read_data("topics")[name][spoken].split()]
    if spoken == "zh":
        return re.compile("|".join(stems))
    whole = [s.replace("=", r"\b") for s in stems]
    return re.compile(rf"\b(?:{'|'.join(whole)})")
