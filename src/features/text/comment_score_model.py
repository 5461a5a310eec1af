"""The tone of a comment: the score it sounds like, learnt from the company's own survey answers.

A ridge regression on hashed runs of one to four characters, so any language and spelling will do. It
is made twice, each time from one half of the texts, and a text is read by the model of the other
half: no text, nor a copy of it, is read by a model that learnt from it. What is kept are weights of
hashes: not a word, and nothing that executes.
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

FILE = "tone.json"
#: Hashes of character runs fall into so many places.
PLACES = 2**13
#: The longest run of characters, and of a comment as much as is read.
LONGEST_RUN, LONGEST_TEXT = 4, 2_000
#: So many scored comments are needed, at least a quarter of them in either half.
LEAST = 200
#: How strongly the weights are held back.
RIDGE = 0.5


@dataclass(frozen=True)
class CommentScoreModel:
    """Reads comments as scores of 0 to 100.

    `fitted_until` (microseconds since 1970, UTC): every answer it learnt from was known before.
    `comments` counts them. `halves` are the weights for texts of either half, `levels` what a text
    without any known run of characters gets.
    """

    fitted_until: int
    comments: int
    levels: tuple[float, float]
    halves: tuple[tuple[float, ...], tuple[float, ...]]

    @classmethod
    def fit(
        cls, texts: Sequence[str], levels: Floats, weights: Floats, fitted_until: int
    ) -> "CommentScoreModel | None":
        """Learn from scored comments (levels 0 to 100); None where there is too little to learn.

        That is fewer than LEAST comments, hardly a different one, or the same score throughout.
        """
        half = split_halves(texts)
        counts = np.bincount(half, minlength=2)
        few = len(texts) < LEAST or counts.min() < LEAST / 4
        if few or any(np.ptp(levels[half == h]) == 0 for h in (0, 1)):
            return None
        runs = _runs(texts)
        made = [_ridge(runs[half != h], levels[half != h], weights[half != h]) for h in (0, 1)]
        return cls(fitted_until, len(texts), (made[0][0], made[1][0]), (made[0][1], made[1][1]))

    def of(self, texts: Sequence[str | None]) -> Floats:
        """The score each text sounds like, 0 to 100; NaN for None and blank texts."""
        said = [text or "" for text in texts]
        if not said:
            return np.zeros(0)
        half = split_halves(said)
        runs = _runs(said)
        read = np.where(half == 0, runs @ self._weights[0], runs @ self._weights[1])
        found = np.clip(read + np.array(self.levels)[half], 0.0, 100.0)
        return np.where([not text.strip() for text in said], np.nan, found)

    @cached_property
    def _weights(self) -> tuple[Floats, Floats]:
        return np.array(self.halves[0]), np.array(self.halves[1])

    @cached_property
    def digest(self) -> str:
        """What tells this tone from any other."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:16]

    def to_json(self) -> str:
        """Plain numbers; reading them back makes the same tone bit for bit."""
        content = {
            "fitted_until": self.fitted_until,
            "comments": self.comments,
            "levels": self.levels,
            "halves": self.halves,
        }
        return json.dumps(content, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "CommentScoreModel":
        """Raises DataRefused when the text holds no tone."""
        try:
            raw: dict[str, Any] = json.loads(text)
            levels, halves = tuple(map(float, raw["levels"])), raw["halves"]
            first, second = (tuple(map(float, half)) for half in halves)
            made = cls(
                int(raw["fitted_until"]),
                int(raw["comments"]),
                (levels[0], levels[1]),
                (first, second),
            )
        except (ValueError, KeyError, TypeError, IndexError) as err:
            raise DataRefused(f"this is no tone of comments: {err}") from None
        if {len(first), len(second)} != {PLACES} or not np.isfinite([*first, *second]).all():
            raise DataRefused(
                f"a tone of comments has twice {PLACES} finite weights, these are {len(first)} and "
                f"{len(second)}"
            )
        return made

    @classmethod
    def read(cls, folder: Path) -> "CommentScoreModel | None":
        """The tone kept beside the features, None where there is none."""
        path = folder / FILE
        return cls.from_json(path.read_text(encoding="utf-8")) if path.is_file() else None


def write_comment_score_model(tone: CommentScoreModel | None, folder: Path) -> None:
    """Keep a tone beside the features it made, replacing the former one atomically."""
    if tone is None:
        (folder / FILE).unlink(missing_ok=True)
        return
    write_text_atomically(folder / FILE, tone.to_json())


def model_digest(tone: CommentScoreModel | None) -> str | None:
    """What tells a tone from any other, None for no tone."""
    return tone.digest if tone else None


def split_halves(texts: Sequence[str]) -> NDArray[np.int64]:
    """The half of each text, 0 or 1: the same for copies that differ in case, width or spaces."""
    return np.array(
        [zlib.crc32(_folded(text).encode("utf-8", "replace")) & 1 for text in texts], np.int64
    )


def _folded(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).casefold()
    return "".join(c for c in text if c.isalnum()) or "".join(text.split())


def _runs(texts: Sequence[str]) -> Any:
    """How often each place of hashed character runs occurs, of length 1; a sparse matrix."""
    folded = [unicodedata.normalize("NFKC", text[:LONGEST_TEXT]).casefold() for text in texts]
    return _hashing().transform(text.encode("utf-8", "replace").decode() for text in folded)


@cache
def _hashing() -> Any:
    from sklearn.feature_extraction.text import HashingVectorizer

    return HashingVectorizer(
        analyzer="char_wb", ngram_range=(1, LONGEST_RUN), n_features=PLACES, lowercase=False
    )


def _ridge(runs: Any, levels: Floats, weights: Floats) -> tuple[float, tuple[float, ...]]:
    """Level and weights of a ridge regression, rounded as they are stored."""
    from sklearn.linear_model import Ridge

    model = Ridge(alpha=RIDGE, solver="sparse_cg", tol=1e-6).fit(runs, levels, weights)
    rounded = tuple(float(f"{w:.4g}") for w in model.coef_)
    return float(f"{model.intercept_:.6g}"), rounded
