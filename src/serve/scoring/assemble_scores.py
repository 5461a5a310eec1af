"""Turn the outputs of models, one column each, into one score per customer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.config.snapshot_settings import WEAKER_EVIDENCE
from models.bundles.bundle import Bundle
from models.bundles.predict import OUTPUTS
from models.explain.previous_window import PreviousValues
from models.targets.target import Outputs
from serve.schemas.score_schemas import CustomerScore, Language, Output, ScoreReason
from serve.scoring.explanations import Explanations
from serve.scoring.scorer import ScoreBatch

Value = TypeVar("Value")


@dataclass(frozen=True)
class CustomerBatch:
    """The customers of a call: ids, outputs by target, and feature rows (built only for reasons).

    `unknown` are requested ids that the snapshot does not hold.
    """

    ids: list[str]
    as_of: datetime
    outputs: Callable[[str], Outputs]
    features: Callable[[], pa.Table]
    unknown: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class ScoreOptions:
    """The options of a call; `targets` None means all.

    `previous` are the values of the preceding windows, None to derive them from longer windows.
    """

    targets: Sequence[str] | None
    reasons: int
    language: Language
    previous: PreviousValues | None = None


def assemble_scores(
    bundles: Mapping[str, Bundle],
    explanations: Explanations,
    customers: CustomerBatch,
    options: ScoreOptions,
) -> ScoreBatch:
    """Build the score of each customer of a call."""
    chosen = [t for t in bundles if options.targets is None or t in options.targets]
    predictions = _by_customer({t: _rows(t, customers.outputs(t)) for t in chosen}, customers)
    found = {}
    if options.reasons and customers.ids:
        rows, top, language = customers.features(), options.reasons, options.language
        found = {t: explanations.reasons(t, rows, top, language, options.previous) for t in chosen}
    reasons: list[dict[str, list[ScoreReason]]] = _by_customer(found, customers)
    scores = [*map(CustomerScore, customers.ids, predictions, reasons)]
    versions = {t: bundles[t].version for t in chosen}
    weaker = any(bundles[t].manifest.definition == "snapshot" for t in versions)
    warnings = [WEAKER_EVIDENCE] if weaker else []
    return ScoreBatch(customers.as_of, scores, customers.unknown, versions, warnings=warnings)


def to_json_values(values: NDArray[Any]) -> list[Output]:
    """Convert an output to values that JSON can hold; NaN, or a curve with NaN, becomes None."""
    listed: list[Output] = np.asarray(values).tolist()
    if values.dtype.kind != "f" or not np.isnan(values).any():
        return listed
    unknown = np.isnan(values) if values.ndim == 1 else np.isnan(values).any(axis=1)
    return [None if missing else value for value, missing in zip(listed, unknown, strict=True)]


def _rows(target: str, outputs: Outputs) -> list[dict[str, Output]]:
    names = OUTPUTS[target]
    columns = [to_json_values(outputs[name]) for name in names]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _by_customer(
    found: Mapping[str, Sequence[Value]], customers: CustomerBatch
) -> list[dict[str, Value]]:
    """Turn sequences by target into one mapping by target per customer."""
    if not found:
        return [{} for _ in customers.ids]
    return [dict(zip(found, row, strict=True)) for row in zip(*found.values(), strict=True)]
