"""What a complaint is about: the category given, one learned from the others' texts, or its topic.

Learning is by pieces of words (runs of two to four characters), which need no dictionary and read
Chinese and English alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from features.text.topics import TOPICS, find_topics

#: Fewer texts with a category than this teach nothing; a category needs this many of its own.
FEWEST_TEXTS, FEWEST_OF_ONE = 100, 10
#: A learned category is taken from this probability on.
MIN_PROBABILITY = 0.5
UNKNOWN = "unknown"


@dataclass(frozen=True)
class CategoryClassifier:
    """A reader of complaints, and how often it was right about texts it had not seen.

    `accuracy` is by cross-validation over distinct texts, `usual` the share of the commonest
    category: what a reader gets right who reads nothing.
    """

    model: Any = field(repr=False)
    texts: int
    accuracy: float
    usual: float

    def read(self, texts: Sequence[str]) -> tuple[list[str], np.ndarray]:
        """The likeliest category of each text, and how likely it is."""
        if not texts:
            return [], np.empty(0)
        chance = self.model.predict_proba(list(texts))
        return [str(c) for c in self.model.classes_[chance.argmax(axis=1)]], chance.max(axis=1)


def fit_classifier(texts: Sequence[str | None], given: Sequence[str | None]) -> CategoryClassifier | None:
    """Learn categories from the texts that have one; None where too few do.

    Equal texts are taken once: phrases that come again would be known by heart.
    """
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    pairs = {t: c for t, c in zip(texts, given, strict=True) if t and t.strip() and c}
    counts = {c: list(pairs.values()).count(c) for c in set(pairs.values())}
    kept = {t: c for t, c in pairs.items() if counts[c] >= FEWEST_OF_ONE}
    if len(kept) < FEWEST_TEXTS or len(set(kept.values())) < 2:
        return None
    X, y = list(kept), np.array(list(kept.values()))
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    unseen = cross_val_predict(_reader(), X, y, cv=folds)
    usual = max(counts[c] for c in set(kept.values())) / len(y)
    return CategoryClassifier(_reader().fit(X, y), len(y), float(np.mean(unseen == y)), float(usual))


def _reader() -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    pieces = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True)
    return make_pipeline(pieces, LogisticRegression(C=10.0, max_iter=500))


@dataclass(frozen=True)
class AssignedCategories:
    """The category of each complaint and where it comes from: given, learned, topic or unknown."""

    names: list[str]
    origins: list[str]
    learned: CategoryClassifier | None

    def counts(self) -> dict[str, int]:
        """How many categories come from where."""
        order = ("given", "learned", "topic", UNKNOWN)
        return {o: n for o in order if (n := self.origins.count(o))}


def assign_categories(texts: Sequence[str | None], given: Sequence[str | None]) -> AssignedCategories:
    """The category of each complaint.

    Given ones stand. The others are read: by what those with a category teach, where it is sure,
    else by the topics the text is about (the first in the order of `TOPICS`), else `unknown`.
    """
    names = [c or UNKNOWN for c in given]
    origins = ["given" if c else UNKNOWN for c in given]
    open_ = [i for i, c in enumerate(given) if not c and (texts[i] or "").strip()]
    learned = fit_classifier(texts, given) if open_ else None
    if learned is not None and learned.accuracy > learned.usual:
        said, chance = learned.read([str(texts[i]) for i in open_])
        for place, name, sure in zip(open_, said, chance, strict=True):
            if sure >= MIN_PROBABILITY:
                names[place], origins[place] = name, "learned"
    left = [i for i in open_ if origins[i] == UNKNOWN]
    for place, about in zip(left, find_topics(tuple(texts[i] for i in left)), strict=True):
        if np.nansum(about) > 0:
            names[place], origins[place] = TOPICS[int(np.nanargmax(about))], "topic"
    return AssignedCategories(names, origins, learned)
