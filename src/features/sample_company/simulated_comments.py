"""Customer comments of the sample company, in Chinese and English.

A comment consists of an opening, a statement on a topic and a closing; see
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
VARIANTS = 120  # per language, sentiment and topic; shorter lists repeat
SHAPE = (len(LANGUAGES), len(SENTIMENTS), len(TOPICS) + 1, VARIANTS)
OTHER_TOPIC = len(TOPICS)


def worst_topic(rng: np.random.Generator, problems: FloatArray) -> IntArray:
    """The topic with the largest problem plus noise; `OTHER_TOPIC` where all are small.

    `problems` has shape (rows, topics).
    """
    noisy = problems + 0.25 * rng.gumbel(size=problems.shape)
    worst = np.argmax(noisy, axis=1)
    return np.where(noisy.max(axis=1) < 0.35, OTHER_TOPIC, worst)


def sentiment_of_score(score: FloatArray, nps: bool) -> IntArray:
    """Index in `SENTIMENTS` of a CSAT (1-5) or NPS (0-10) answer."""
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
    """Draw a text for each row of `about` (is Chinese, sentiment, topic); null if not written."""
    chinese, sentiment, topic = about
    texts = all_texts()
    variant = rng.integers(0, VARIANTS, len(topic))
    index = (chinese.astype(np.int64), sentiment, topic, variant)
    chosen = texts[np.ravel_multi_index(index, SHAPE)]
    return pa.array(chosen, pa.string(), mask=~written)


@cache
def all_texts() -> NDArray[np.object_]:
    """Every possible text, flattened from `SHAPE`."""
    texts = [
        text
        for language in LANGUAGES
        for sentiment in SENTIMENTS
        for topic in (*TOPICS, "other")
        for text in _variants(language, sentiment, topic)
    ]
    return np.array(texts, dtype=object)


def _variants(language: str, sentiment: str, topic: str) -> list[str]:
    gap = " " if language == "en" else ""
    texts = [
        gap.join((opening, statement, closing)).strip()
        for opening in OPENINGS[language]
        for statement in STATEMENTS[language][sentiment][topic]
        for closing in CLOSINGS[language][sentiment]
    ]
    return [texts[variant % len(texts)] for variant in range(VARIANTS)]
