"""The reasons of many customers as a table, column by column: a cause is put into words once."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.formatting import short_signed
from models.explain import effect_text
from models.explain.attributions import attribute_scores
from models.explain.feature_groups import strongest_groups
from models.explain.previous_window import PreviousValues
from models.explain.reasons import Explainer, FeatureValues, Language

Ints = NDArray[np.int64]

SCHEMA = pa.schema(
    {
        "customer_id": pa.string(),
        "target": pa.string(),
        "rank": pa.int64(),
        "feature": pa.string(),
        "contribution": pa.float64(),
        "text_en": pa.string(),
        "text_zh": pa.string(),
    }
)
#: How cause and effect are joined, and the effect in words.
SAYING: dict[Language, tuple[str, Callable[[str, str, str], str]]] = {
    "en": (": ", effect_text.in_english),
    "zh": ("：", effect_text.in_chinese),
}


def reason_table(
    reasoner: Explainer, features: pa.Table, top: int, before: PreviousValues | None = None
) -> pa.Table:
    """The reasons of one target for each row of a feature table, strongest first.

    They are those of `Reasoner.reasons`.
    """
    if not features.num_rows:
        return SCHEMA.empty_table()
    explained = attribute_scores(reasoner.bundle, features)
    totals = reasoner.factors.totals(explained.parts)
    order = strongest_groups(totals, top)
    points = np.take_along_axis(totals, order, axis=1)
    speakers = np.take_along_axis(reasoner.factors.speakers(explained.parts, totals), order, axis=1)
    row, rank = np.nonzero(points)  # by customer, and what moved nothing stands last
    points, speakers = points[row, rank], speakers[row, rank]
    values = FeatureValues(features, before or {})
    by = [short_signed(p) for p in points.tolist()]
    said: dict[Language, list[str]] = {
        language: _texts(reasoner, (row, speakers), values, by, language) for language in SAYING
    }
    target = pa.DictionaryArray.from_arrays(np.zeros(len(row), np.int32), [reasoner.bundle.target])
    columns = {
        "customer_id": features["customer_id"].combine_chunks().cast(pa.string()).take(row),
        "target": target.cast(pa.string()),
        "rank": rank + 1,
        "feature": pa.array(explained.columns, pa.string()).take(speakers),
        "contribution": points,
        "text_en": said["en"],
        "text_zh": said["zh"],
    }
    return pa.table(columns, SCHEMA)


def _texts(
    reasoner: Explainer, places: tuple[Ints, Ints], values: FeatureValues, by: list[str], language: Language
) -> list[str]:
    """A sentence for each reason, told by its row and column; `by` is its effect as written."""
    causes: dict[tuple[int, float | str | None, float | None], str] = {}
    names = [*reasoner.columns]
    joint, effect_of = SAYING[language]
    target, currency = reasoner.bundle.target, reasoner.currency
    texts = []
    for row, column, written in zip(places[0].tolist(), places[1].tolist(), by, strict=True):
        name = names[column]
        now, then = values.now(name, row), values.before(name, row)
        cause = causes.get((column, now, then))
        if cause is None:
            cause = reasoner.cause(reasoner.columns[name], now, then, language)
            causes[column, now, then] = cause
        texts.append(f"{cause}{joint}{effect_of(target, written, currency)}")
    return texts
