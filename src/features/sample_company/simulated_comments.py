"""The comments of the sample company's customers, in Chinese and English.

A comment is an opening, a statement on a topic, and a closing: see
`features.sample_company.comment_fragments`.
"""

from functools import cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.sample_company.comment_fragments import CLOSINGS, OPENINGS, STATEMENTS
from features.sample_company.parameters import BoolArray, FloatArray, IntArray
from features.sample_company.weekly_process import TOPICS

LANGUAGES = ("en", "zh")
SENTIMENTS = ("bad", "mixed", "good")
VARIANTS = 120  # of one language, sentiment and topic; the shorter lists begin again
SHAPE = (len(LANGUAGES), len(SENTIMENTS), len(TOPICS) + 1, VARIANTS)
OTHER_TOPIC = len(TOPICS)


def worst_topic(rng: np.random.Generator, hurts: FloatArray) -> IntArray:
    """The topic that hurts most, with some noise; `OTHER_TOPIC` where nothing does.

    `hurts` has shape (rows, topics).
    """
    felt = hurts + 0.25 * rng.gumbel(size=hurts.shape)
    worst = np.argmax(felt, axis=1)
    return np.where(felt.max(axis=1) < 0.35, OTHER_TOPIC, worst)


def sentiment_of_score(score: FloatArray, nps: bool) -> IntArray:
    """Index into `SENTIMENTS` of a CSAT (1-5) or NPS (0-10) answer."""
    mixed, good = (7, 9) if nps else (3, 4)
    return (score >= mixed).astype(np.int64) + (score >= good)


def sentiment_of_ticket(kind: str, size: int) -> IntArray:
    """Complaints are bad, requests are mixed."""
    return np.full(size, 0 if kind == "complaint" else 1)


def draw_comments(
    rng: np.random.Generator,
    about: tuple[BoolArray, IntArray, IntArray],
    written: BoolArray,
) -> pa.Array:
    """A text for each row `about` (Chinese or not, sentiment, topic); null where not written."""
    chinese, sentiment, topic = about
    texts = all_texts()
    variant = rng.integers(0, VARIANTS, len(topic))
    place = (chinese.astype(np.int64), sentiment, topic, variant)
    chosen = texts[np.ravel_multi_index(place, SHAPE)]
    return pa.array(chosen, pa.string(), mask=~written)


@cache
def all_texts() -> NDArray[np.object_]:
    """Every text the grammar makes, flattened from `SHAPE`."""
    texts = [
        text
        for language in LANGUAGES
        for mood in SENTIMENTS
        for topic in (*TOPICS, "other")
        for text in _variants(language, mood, topic)
    ]
    return np.array(texts, dtype=object)


def _variants(language: str, mood: str, topic: str) -> list[str]:
    gap = " " if language == "en" else ""
    texts = [
        gap.join((opening, statement, closing)).strip()
        for opening in OPENINGS[language]
        for statement in STATEMENTS[language][mood][topic]
        for closing in CLOSINGS[language][mood]
    ]
    return [texts[variant % len(texts)] for variant in range(VARIANTS)]
