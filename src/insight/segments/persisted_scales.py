"""Reference scales stored between runs: value scale, weights, tier thresholds and star scale.

Plain JSON with a version; tiers, stars and scores of two runs with the same version are comparable.
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
    """The scales of one reference day; `stars` is None if they could not be fitted.

    `made_for` is a digest of the settings they were fitted for; they are not valid under other settings.
    """

    as_of: datetime
    scale: ValueScale
    weights: DimensionWeights
    thresholds: TierThresholds
    stars: StarScale | None
    made_for: str = ""

    @property
    def version(self) -> str:
        """Eight hexadecimal digits of the hash of the content."""
        return hashlib.sha256(self._text().encode()).hexdigest()[:8]

    def write(self, file: Path) -> None:
        """Write the file atomically."""
        write_text_atomically(file, self._text())

    def _text(self) -> str:
        return json.dumps(
            {
                "as_of": self.as_of.isoformat(),
                "scale": {name: values.tolist() for name, values in self.scale.reference.items()},
                "weights": asdict(self.weights),
                "borders": asdict(self.thresholds),
                "stars": asdict(self.stars) if self.stars else None,
                "made_for": self.made_for,
            }
        )


def read_persisted_scales(file: Path) -> PersistedScales:
    """Read stored scales. Raises DataRefused for a missing or damaged file."""
    try:
        raw = json.loads(file.read_text(encoding="utf-8"))
        weights = raw["weights"]
        weights["interval"] = {n: tuple(ends) for n, ends in weights["interval"].items()}
        return PersistedScales(
            datetime.fromisoformat(raw["as_of"]),
            ValueScale({name: np.array(values, float) for name, values in raw["scale"].items()}),
            DimensionWeights(**weights),
            TierThresholds(*(tuple(raw["borders"][key]) for key in ("names", "at"))),
            _read_star_scale(raw["stars"]),
            str(raw.get("made_for", "")),
        )
    except FileNotFoundError:
        raise DataRefused(f"no file {file.name}: draw the tiers on a reference day first") from None
    except (ValueError, KeyError, TypeError, AttributeError) as err:
        raise DataRefused(
            f"{file.name} cannot be read ({type(err).__name__}: {err}); delete it and draw "
            "the tiers again"
        ) from None


def _read_star_scale(raw: dict[str, list[float]] | None) -> StarScale | None:
    if raw is None:
        return None
    return StarScale(*(tuple(raw[key]) for key in ("scores", "rates", "chances")))
