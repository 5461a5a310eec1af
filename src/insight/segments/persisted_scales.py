"""What stays between two nights: the scale of the score, its weights, the borders and the star scale.

Plain JSON with a version; a tier, a star and a score of two nights with the same version compare.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from features.atomic_write import write_text_atomically
from features.errors import DataRefused
from insight.segments.star_rating import StarScale
from insight.segments.tier_thresholds import TierThresholds
from insight.value.value_score import ValueScale
from insight.value.weights import DimensionWeights


@dataclass(frozen=True)
class PersistedScales:
    """The yardsticks of one reference day; without stars where their chances could not be told.

    `made_for` names the settings they were drawn for: under others they are of no use.
    """

    as_of: datetime
    scale: ValueScale
    weights: DimensionWeights
    borders: TierThresholds
    stars: StarScale | None
    made_for: str = ""

    @property
    def version(self) -> str:
        """Eight letters worked out from all of it."""
        return hashlib.sha256(self._text().encode()).hexdigest()[:8]

    def write(self, file: Path) -> None:
        """Write the file, whole or not at all."""
        write_text_atomically(file, self._text())

    def _text(self) -> str:
        return json.dumps(
            {
                "as_of": self.as_of.isoformat(),
                "scale": {name: values.tolist() for name, values in self.scale.reference.items()},
                "weights": asdict(self.weights),
                "borders": asdict(self.borders),
                "stars": asdict(self.stars) if self.stars else None,
                "made_for": self.made_for,
            }
        )


def read_persisted_scales(file: Path) -> PersistedScales:
    """The yardsticks as they were written. Raises DataRefused when the file lacks or is damaged."""
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        weights = told["weights"]
        weights["interval"] = {n: tuple(ends) for n, ends in weights["interval"].items()}
        return PersistedScales(
            datetime.fromisoformat(told["as_of"]),
            ValueScale({name: np.array(values, float) for name, values in told["scale"].items()}),
            DimensionWeights(**weights),
            TierThresholds(*(tuple(told["borders"][key]) for key in ("names", "at"))),
            _stars(told["stars"]),
            str(told.get("made_for", "")),
        )
    except FileNotFoundError:
        raise DataRefused(f"no file {file.name}: draw the tiers on a reference day first") from None
    except (ValueError, KeyError, TypeError, AttributeError) as err:
        raise DataRefused(
            f"{file.name} cannot be read ({type(err).__name__}: {err}); delete it and draw "
            "the tiers anew"
        ) from None


def _stars(told: dict[str, list[float]] | None) -> StarScale | None:
    if told is None:
        return None
    return StarScale(*(tuple(told[key]) for key in ("scores", "rates", "chances")))
