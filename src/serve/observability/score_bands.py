"""Counts scores by band of their scale, so that the metrics show drift."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from serve.schemas.score_schemas import CustomerScore, Output

#: The band of a customer without a score, or of a target without a main score.
NONE = "none"

Outputs = Mapping[str, Output]


@dataclass(frozen=True)
class BandScale:
    """The edges of the bands, and the score of a prediction on this scale."""

    edges: tuple[float, ...]
    score: Callable[[Outputs], Output]

    @cached_property
    def names(self) -> list[str]:
        return [f"{low:g} to {high:g}" for low, high in pairwise(self.edges)]

    def bands(self, predictions: Sequence[Outputs]) -> Iterator[str]:
        """Return the band of each prediction."""
        inner_edges, names = self.edges[1:-1], self.names
        for value in map(self.score, predictions):
            known = isinstance(value, float) and value == value
            yield names[bisect_right(inner_edges, value)] if known else NONE  # type: ignore[type-var]


def count_bands(scores: Sequence[CustomerScore]) -> dict[str, Counter[str]]:
    """Count the customers in each band, by target.

    Bands are value segments, or ten equal parts of a scale: promoter minus detractor in points, a
    probability, a score of 100. A band such as `0.3 to 0.4` includes its lower edge, the last one
    both.
    """
    targets = scores[0].predictions if scores else ()
    return {t: _count([score.predictions[t] for score in scores]) for t in targets}


def _count(predictions: Sequence[Outputs]) -> Counter[str]:
    if "segment" in predictions[0]:
        return Counter(str(p["segment"]) if p["segment"] is not None else NONE for p in predictions)
    scale = next((_SCALES[name] for name in predictions[0] if name in _SCALES), None)
    return Counter(scale.bands(predictions)) if scale else Counter({NONE: len(predictions)})


def _points(outputs: Outputs) -> Output:
    promoter, detractor = outputs["promoter"], outputs["detractor"]
    if isinstance(promoter, float) and isinstance(detractor, float):
        return 100 * (promoter - detractor)
    return None


#: By an output that only targets with this scale have.
_SCALES = {
    "promoter": BandScale(tuple(range(-100, 101, 20)), _points),
    "probability": BandScale(tuple(n / 10 for n in range(11)), lambda out: out["probability"]),
    "score": BandScale(tuple(range(0, 101, 10)), lambda out: out["score"]),
}
