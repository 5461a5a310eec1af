"""The reasons of many customers as a table; equal causes are formatted only once."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.formatting import Language, short_signed
from models.explain import sentences_en, sentences_zh
from models.explain.attributions import attribute_scores
from models.explain.previous_window import PreviousValues
from models.explain.reasons import Explainer, FeatureValues, strongest_groups
from models.targets.target import population_mask

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
        "as_of": pa.timestamp("us", "UTC"),
        "version": pa.string(),
    }
)
#: By language: the separator between cause and effect, and the formatter of the effect.
SENTENCES: dict[Language, tuple[str, Callable[[str, str, str], str]]] = {
    "en": (": ", sentences_en.effect_text),
    "zh": ("：", sentences_zh.effect_text),
}


def reason_table(
    explainer: Explainer, features: pa.Table, top: int, previous: PreviousValues | None = None
) -> pa.Table:
    """The reasons of one target for each row of a feature table, strongest first.

    A customer outside the target's population has no score, and no reasons. They equal those of
    `Explainer.reasons`. `as_of` and `version` (of the target's model) are those of the scores that they
    explain.
    """
    inside = population_mask(features, explainer.bundle.population)
    if not inside.all():
        features = features.filter(pa.array(inside))
        previous = {name: values[inside] for name, values in (previous or {}).items()}
    if not features.num_rows:
        return SCHEMA.empty_table()
    attributions = attribute_scores(explainer.bundle, features)
    totals = explainer.groups.totals(attributions.parts)
    order = strongest_groups(totals, top)
    points = np.take_along_axis(totals, order, axis=1)
    leading = np.take_along_axis(
        explainer.groups.leading(attributions.parts, totals), order, axis=1
    )
    row, rank = np.nonzero(points)  # by customer; groups without an effect are last
    points, leading = points[row, rank], leading[row, rank]
    values = FeatureValues(features, previous or {})
    effects = [short_signed(p) for p in points.tolist()]
    texts: dict[Language, list[str]] = {
        language: _texts(explainer, (row, leading), values, effects, language)
        for language in SENTENCES
    }
    target = pa.DictionaryArray.from_arrays(np.zeros(len(row), np.int32), [explainer.bundle.target])
    columns = {
        "customer_id": features["customer_id"].combine_chunks().cast(pa.string()).take(row),
        "target": target.cast(pa.string()),
        "rank": rank + 1,
        "feature": pa.array(attributions.columns, pa.string()).take(leading),
        "contribution": points,
        "text_en": texts["en"],
        "text_zh": texts["zh"],
        "as_of": features["cutoff"].combine_chunks().take(row),
        "version": pa.array([explainer.bundle.version] * len(row), pa.string()),
    }
    return pa.table(columns, SCHEMA)


def _texts(
    explainer: Explainer,
    places: tuple[Ints, Ints],
    values: FeatureValues,
    effects: list[str],
    language: Language,
) -> list[str]:
    """A sentence for each reason, given by row and column; `effects` are formatted numbers."""
    causes: dict[tuple[int, float | str | None, float | None], str] = {}
    names = [*explainer.columns]
    separator, effect_text = SENTENCES[language]
    target, currency = explainer.bundle.target, explainer.currency
    texts = []
    for row, column, effect in zip(places[0].tolist(), places[1].tolist(), effects, strict=True):
        name = names[column]
        now, then = values.now(name, row), values.before(name, row)
        cause = causes.get((column, now, then))
        if cause is None:
            cause = explainer.cause(explainer.columns[name], now, then, language)
            causes[column, now, then] = cause
        texts.append(f"{cause}{separator}{effect_text(target, effect, currency)}")
    return texts
