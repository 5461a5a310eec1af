"""Sentiment of comments in Chinese, English and Portuguese, by lexicon, without a download.

A score depends on its own text only, so it cannot leak anything. The lexicon method is in
`features.text.lexicon`, topics in `features.text.topics`.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from features.text.language_id import detect_language, detect_latin_language
from features.text.lexicon import emoji_valence, load_lexicon, scale_valence

_LATIN_WORDS = re.compile(r"[a-zA-Z\u00c0-\u024f][a-zA-Z\u00c0-\u024f'’ ,.!-]*")


def score_sentiment(texts: Sequence[str | None]) -> NDArray[np.float64]:
    """Sentiment of each text, from -1 (bitter) to 1 (delighted); 0 where no word has a valence.

    NaN for None, for blank texts and for languages that are not analysed.
    """
    return np.array([_score(text) for text in texts], dtype=np.float64)


@lru_cache(maxsize=100_000)
def _score(text: str | None) -> float:
    if text is None or not text.strip():
        return float("nan")
    language = detect_language(text)
    if language is None:
        emoji = emoji_valence(text) if not any(c.isalpha() for c in text) else None
        return float("nan") if emoji is None else scale_valence(emoji)
    valence = load_lexicon(language).valence_sum(text)
    if language == "zh":  # "服务 very good": the Latin words are scored separately
        latin = " ".join(_LATIN_WORDS.findall(text))
        second = detect_latin_language(latin)
        valence += load_lexicon(second).valence_sum(latin) if second else 0.0
    return scale_valence(valence)
