"""Categories of complaints: given, predicted by a text classifier, or derived from the topic.

The classifier uses character n-grams of two to four characters, which need no dictionary and work for
Chinese and English.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from features.text.topics import TOPICS, find_topics

#: Categorised texts needed to fit a classifier, in total and per category.
FEWEST_TEXTS, FEWEST_OF_ONE = 100, 10
#: Probability from which a predicted category is used.
MIN_PROBABILITY = 0.5
UNKNOWN = "unknown"


@dataclass(frozen=True)
class CategoryClassifier:
    """A text classifier of complaints, with its accuracy on unseen texts.

    `accuracy` is cross-validated over distinct texts, `baseline` the share of the most common category.
    """

    model: Any = field(repr=False)
    texts: int
    accuracy: float
    baseline: float

    def predict(self, texts: Sequence[str]) -> tuple[list[str], np.ndarray]:
        """Return the most likely category of each text, and its probability."""
        if not texts:
            return [], np.empty(0)
        chance = self.model.predict_proba(list(texts))
        return [str(c) for c in self.model.classes_[chance.argmax(axis=1)]], chance.max(axis=1)


def fit_classifier(
    texts: Sequence[str | None], given: Sequence[str | None]
) -> CategoryClassifier | None:
    """Fit a classifier to the texts with a category; None if there are too few.

    Duplicate texts are used once: they would leak between the folds.
    """
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    pairs = {t: c for t, c in zip(texts, given, strict=True) if t and t.strip() and c}
    counts = {c: list(pairs.values()).count(c) for c in set(pairs.values())}
    kept = {t: c for t, c in pairs.items() if counts[c] >= FEWEST_OF_ONE}
    if len(kept) < FEWEST_TEXTS or len(set(kept.values())) < 2:
        return None
    X, y = list(kept), np.array(list(kept.values()))
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    predicted = cross_val_predict(_pipeline(), X, y, cv=folds)
    usual = max(counts[c] for c in set(kept.values())) / len(y)
    return CategoryClassifier(
        _pipeline().fit(X, y), len(y), float(np.mean(predicted == y)), float(usual)
    )


def _pipeline() -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    pieces = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True)
    return make_pipeline(pieces, LogisticRegression(C=10.0, max_iter=500))


@dataclass(frozen=True)
class AssignedCategories:
    """The category of each complaint and its origin: given, learned, topic or unknown."""

    names: list[str]
    origins: list[str]
    classifier: CategoryClassifier | None

    def counts(self) -> dict[str, int]:
        """Count the categories by origin."""
        order = ("given", "learned", "topic", UNKNOWN)
        return {o: n for o in order if (n := self.origins.count(o))}


def assign_categories(
    texts: Sequence[str | None], given: Sequence[str | None]
) -> AssignedCategories:
    """Assign a category to each complaint.

    Given categories are kept. Other texts get the category that the classifier predicts with enough
    probability, else the first of `TOPICS` that the text is about, else `unknown`.
    """
    names = [c or UNKNOWN for c in given]
    origins = ["given" if c else UNKNOWN for c in given]
    uncategorised = [i for i, c in enumerate(given) if not c and (texts[i] or "").strip()]
    classifier = fit_classifier(texts, given) if uncategorised else None
    if classifier is not None and classifier.accuracy > classifier.baseline:
        predicted, chance = classifier.predict([str(texts[i]) for i in uncategorised])
        for index, name, probability in zip(uncategorised, predicted, chance, strict=True):
            if probability >= MIN_PROBABILITY:
                names[index], origins[index] = name, "learned"
    remaining = [i for i in uncategorised if origins[i] == UNKNOWN]
    for index, flags in zip(
        remaining, find_topics(tuple(texts[i] for i in remaining)), strict=True
    ):
        if np.nansum(flags) > 0:
            names[index], origins[index] = TOPICS[int(np.nanargmax(flags))], "topic"
    return AssignedCategories(names, origins, classifier)
