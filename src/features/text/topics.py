"""Topics of comments: delivery, quality, price and others; a text may have several.

Found by word stems in three languages (`features/text/lexicons/topics.toml`); a topic depends on its
own text only.
"""

import re
from collections.abc import Sequence
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from features.text.language_id import detect_language
from features.text.lexicon import normalise, read_word_lists, to_simplified

#: The topics, in the order of the columns of `find_topics`.
TOPICS = (
    "delivery", "quality", "price", "service", "staff", "billing", "website", "packaging",
)  # fmt: skip


@lru_cache(maxsize=2)  # each topic is a column: analyse a table's texts once for all of them
def find_topics(texts: tuple[str | None, ...]) -> NDArray[np.float64]:
    """1.0 where a text (row) is about a topic (column), else 0.0; shape (texts, topics).

    NaN for None, for blank texts and for languages that are not analysed.
    """
    found = np.array([_find(text) for text in texts], dtype=np.float64)
    return found.reshape(len(texts), len(TOPICS))


def mentions_topic(texts: Sequence[str | None], name: str) -> NDArray[np.float64]:
    """1.0 for the texts about a topic, 0.0 for others, NaN as in `find_topics`."""
    return find_topics(tuple(texts))[:, TOPICS.index(name)]


def _find(text: str | None) -> tuple[float, ...]:
    language = detect_language(text) if text else None
    if text is None or language is None:
        return (float("nan"),) * len(TOPICS)
    if language == "zh":  # department names are often English in a Chinese text
        text = to_simplified(text)
        return tuple(
            float(any(_mentions(text, name, other) for other in ("zh", "en"))) for name in TOPICS
        )
    return tuple(float(_mentions(text, name, language)) for name in TOPICS)


def _mentions(text: str, name: str, language: str) -> bool:
    return (
        _pattern(name, language).search(text if language == "zh" else normalise(text)) is not None
    )


@cache
def _pattern(name: str, language: str) -> re.Pattern[str]:
    """Any of a topic's word stems; `=` ends a whole word, `_` is a space."""
    stems = [
        re.escape(s.replace("_", " ")) for s in read_word_lists("topics")[name][language].split()
    ]
    if language == "zh":
        return re.compile("|".join(stems))
    whole = [s.replace("=", r"\b") for s in stems]
    return re.compile(rf"\b(?:{'|'.join(whole)})")
