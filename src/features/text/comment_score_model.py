"""Comment score model: predicts the score of a comment, learnt from the company's own survey answers.

A ridge regression on hashed character n-grams (1 to 4 characters), so it works for any language and
spelling. It is fitted twice, once on each half of the texts, and a text is scored by the model of the
other half: no text, nor a copy of it, is scored by a model that learnt from it. The file holds only
weights of hashes: no words, and nothing that executes.
"""

import hashlib
import json
import unicodedata
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.atomic_write import write_text_atomically
from features.errors import DataRefused

Floats = NDArray[np.float64]

FILE = "comment_score_model.json"
#: How many features the n-grams are hashed to.
N_FEATURES = 2**13
#: The longest n-gram, and how many characters of a comment are used.
MAX_NGRAM, MAX_CHARACTERS = 4, 2_000
#: How many scored comments are needed, at least a quarter of them in each half.
MIN_COMMENTS = 200
#: The strength of the ridge penalty.
RIDGE = 0.5


@dataclass(frozen=True)
class CommentScoreModel:
    """Scores comments from 0 to 100.

    `fitted_until` (microseconds since 1970, UTC): every answer used for fitting was known before it.
    `comments` is their number. `halves` are the weights for the texts of each half, `levels` the
    intercepts: the score of a text without any known n-gram.
    """

    fitted_until: int
    comments: int
    levels: tuple[float, float]
    halves: tuple[tuple[float, ...], tuple[float, ...]]

    @classmethod
    def fit(
        cls, texts: Sequence[str], levels: Floats, weights: Floats, fitted_until: int
    ) -> "CommentScoreModel | None":
        """Fit to scored comments (levels 0 to 100); None where they are too few or too alike.

        That is fewer than MIN_COMMENTS, almost all of them equal, or all with the same score.
        """
        half = split_halves(texts)
        counts = np.bincount(half, minlength=2)
        few = len(texts) < MIN_COMMENTS or counts.min() < MIN_COMMENTS / 4
        if few or any(np.ptp(levels[half == h]) == 0 for h in (0, 1)):
            return None
        ngrams = _count_ngrams(texts)
        (first_level, first), (second_level, second) = (
            _fit_ridge(ngrams[half != h], levels[half != h], weights[half != h]) for h in (0, 1)
        )
        return cls(fitted_until, len(texts), (first_level, second_level), (first, second))

    def predict(self, texts: Sequence[str | None]) -> Floats:
        """Predict the score of each text, 0 to 100; NaN for None and blank texts."""
        filled = [text or "" for text in texts]
        if not filled:
            return np.zeros(0)
        half = split_halves(filled)
        ngrams = _count_ngrams(filled)
        weighted = np.where(half == 0, ngrams @ self._weights[0], ngrams @ self._weights[1])
        scores = np.clip(weighted + np.array(self.levels)[half], 0.0, 100.0)
        return np.where([not text.strip() for text in filled], np.nan, scores)

    @cached_property
    def _weights(self) -> tuple[Floats, Floats]:
        return np.array(self.halves[0]), np.array(self.halves[1])

    @cached_property
    def digest(self) -> str:
        """A hash that identifies this model."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:16]

    def to_json(self) -> str:
        """The model as JSON numbers; reading them back gives the same model bit for bit."""
        content = {
            "fitted_until": self.fitted_until,
            "comments": self.comments,
            "levels": self.levels,
            "halves": self.halves,
        }
        return json.dumps(content, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "CommentScoreModel":
        """Read a model from JSON; raises DataRefused for a text that holds none."""
        try:
            raw: dict[str, Any] = json.loads(text)
            levels, halves = tuple(map(float, raw["levels"])), raw["halves"]
            first, second = (tuple(map(float, half)) for half in halves)
            model = cls(
                int(raw["fitted_until"]),
                int(raw["comments"]),
                (levels[0], levels[1]),
                (first, second),
            )
        except (ValueError, KeyError, TypeError, IndexError) as err:
            raise DataRefused(f"this is not a comment score model: {err}") from None
        if {len(first), len(second)} != {N_FEATURES} or not np.isfinite([*first, *second]).all():
            raise DataRefused(
                f"a comment score model has two sets of {N_FEATURES:,} finite weights; this one has "
                f"{len(first):,} and {len(second):,}"
            )
        return model

    @classmethod
    def read(cls, folder: Path) -> "CommentScoreModel | None":
        """Read the model stored with the features; None where there is none."""
        path = folder / FILE
        return cls.from_json(path.read_text(encoding="utf-8")) if path.is_file() else None


def write_comment_score_model(model: CommentScoreModel | None, folder: Path) -> None:
    """Store a model with the features computed from it, in place of the former one."""
    if model is None:
        (folder / FILE).unlink(missing_ok=True)
        return
    write_text_atomically(folder / FILE, model.to_json())


def model_digest(model: CommentScoreModel | None) -> str | None:
    """The hash that identifies a model, None for no model."""
    return model.digest if model else None


def split_halves(texts: Sequence[str]) -> NDArray[np.int64]:
    """The half of each text, 0 or 1: the same for copies that differ in case, width or spaces."""
    return np.array(
        [zlib.crc32(_normalised(text).encode("utf-8", "replace")) & 1 for text in texts], np.int64
    )


def _normalised(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).casefold()
    return "".join(c for c in text if c.isalnum()) or "".join(text.split())


def _count_ngrams(texts: Sequence[str]) -> Any:
    """Counts of hashed n-grams, each row scaled to length 1; a sparse matrix (texts, N_FEATURES)."""
    normalised = [unicodedata.normalize("NFKC", text[:MAX_CHARACTERS]).casefold() for text in texts]
    return _vectorizer().transform(text.encode("utf-8", "replace").decode() for text in normalised)


@cache
def _vectorizer() -> Any:
    from sklearn.feature_extraction.text import HashingVectorizer

    return HashingVectorizer(
        analyzer="char_wb", ngram_range=(1, MAX_NGRAM), n_features=N_FEATURES, lowercase=False
    )


def _fit_ridge(ngrams: Any, levels: Floats, weights: Floats) -> tuple[float, tuple[float, ...]]:
    """Intercept and weights of a ridge regression, rounded as they are stored."""
    from sklearn.linear_model import Ridge

    model = Ridge(alpha=RIDGE, solver="sparse_cg", tol=1e-6).fit(ngrams, levels, weights)
    rounded = tuple(float(f"{w:.4g}") for w in model.coef_)
    return float(f"{model.intercept_:.6g}"), rounded
