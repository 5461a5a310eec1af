"""What a comment feels like: sentiment in Chinese, English and Portuguese, without a download.

A score depends on its own text only, so it can leak nothing. How words are weighed is said in
`features.text.lexicon`, what a text is about in `features.text.topics`.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from features.text.language_id import language, latin_language
from features.text.lexicon import faces, lexicon_of, scale

_LATIN_WORDS = re.compile(r"[a-zA-Z\u00c0-\u024f][a-zA-Z\u00c0-\u024f'’ ,.!-]*")


def sentiment(texts: Sequence[str | None]) -> NDArray[np.float64]:
    """Sentiment of each text, from -1 (bitter) to 1 (delighted); 0 where no word has any feeling.

    NaN for None, for blank texts and for languages that are not read: nothing to measure.
    """
    return np.array([_one(text) for text in texts], dtype=np.float64)


@lru_cache(maxsize=100_000)
def _one(text: str | None) -> float:
    if text is None or not text.strip():
        return float("nan")
    spoken = language(text)
    if spoken is None:
        felt = faces(text) if not any(c.isalpha() for c in text) else None
        return float("nan") if felt is None else scale(felt)
    feeling = lexicon_of(spoken).feeling(text)
    if spoken == "zh":  # "服务 very good": what is not Chinese is read on its own
        beside = " ".join(_LATIN_WORDS.findall(text))
        other = latin_language(beside)
        feeling += lexicon_of(other).feeling(beside) if other else 0.0
    return scale(feeling)
