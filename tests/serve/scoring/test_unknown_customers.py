"""A customer counts once, whatever column holds the unknown word; without a word he does not count."""

from types import SimpleNamespace
from typing import Any, cast

import pyarrow as pa

from models.bundles.bundle import Bundle
from models.learners.feature_encoder import Encoder
from serve.scoring.loaded_state import count_unknown_categories

WORDS = {"region": ("north", "south"), "plan": ("basic",)}
ENCODER = Encoder(("orders", "region", "plan"), cast(Any, WORDS))


def bundle(**judged: float) -> Bundle:
    """As much of a bundle as is looked at; `judged` are shares of unknown words in its test rows."""
    manifest = SimpleNamespace(unknown_categories=judged)
    return cast(
        Bundle, SimpleNamespace(estimator=SimpleNamespace(encoder=ENCODER), manifest=manifest)
    )


ROWS = pa.table(
    {
        "orders": [1.0, 2.0, 3.0, 4.0],
        "region": pa.array(["north", "moon", "mars", None]).dictionary_encode(),
        "plan": pa.array(["basic", "basic", "gold", None]),
    }
)


def test_customers_with_an_unknown_word_are_counted_once() -> None:
    assert count_unknown_categories({"churn": bundle()}, ROWS) == {"churn": 2}


def test_chunks_and_no_rows_at_all() -> None:
    assert count_unknown_categories({"churn": bundle()}, pa.concat_tables([ROWS, ROWS])) == {"churn": 4}
    assert count_unknown_categories({"churn": bundle()}, ROWS.slice(0, 0)) == {"churn": 0}


def test_a_column_that_was_as_strange_when_judged_tells_nothing() -> None:
    assert count_unknown_categories({"nps": bundle(plan=0.9, region=0.01)}, ROWS) == {"nps": 2}
    assert count_unknown_categories({"nps": bundle(region=0.9)}, ROWS) == {"nps": 1}
