"""Reload results by part, and customers with categories that a model does not know."""

from types import SimpleNamespace
from typing import Any, cast

import pyarrow as pa

from models.bundles.bundle import Bundle
from models.learners.feature_encoder import Encoder
from serve.scoring.loaded_state import PARTS, count_unknown_categories, reload_results

TARGET, OTHER = PARTS[0], PARTS[1]
NO_FILES: tuple[object, ...] = (None,) * len(PARTS)
WORDS = {"region": ("north", "south"), "plan": ("basic",)}
ENCODER = Encoder(("orders", "region", "plan"), cast(Any, WORDS))
ROWS = pa.table(
    {
        "orders": [1.0, 2.0, 3.0, 4.0],
        "region": pa.array(["north", "moon", "mars", None]).dictionary_encode(),
        "plan": pa.array(["basic", "basic", "gold", None]),
    }
)


def stamps(**parts: int) -> tuple[object, ...]:
    return tuple(parts.get(part) for part in PARTS)


def bundle(**test_shares: float) -> Bundle:
    """The used parts of a bundle, with the shares of unknown categories in its test rows."""
    manifest = SimpleNamespace(unknown_categories=test_shares)
    return cast(
        Bundle, SimpleNamespace(estimator=SimpleNamespace(encoder=ENCODER), manifest=manifest)
    )


def test_without_a_change_there_are_no_results() -> None:
    same = stamps(**{TARGET: 1, "snapshot": 1})
    assert reload_results(same, same, {TARGET}, {TARGET}) == {}


def test_a_new_version_is_loaded_and_a_broken_one_keeps_the_old() -> None:
    before, after = stamps(**{TARGET: 1, OTHER: 1}), stamps(**{TARGET: 2, OTHER: 2})
    results = reload_results(before, after, {TARGET, OTHER}, {TARGET})
    assert results == {TARGET: "loaded", OTHER: "kept"}


def test_a_broken_first_version_fails() -> None:
    assert reload_results(NO_FILES, stamps(**{TARGET: 1}), set(), set()) == {TARGET: "failed"}


def test_a_new_snapshot_is_loaded_and_a_removed_one_is_kept() -> None:
    present = stamps(snapshot=1)
    assert reload_results(NO_FILES, present, set(), {"snapshot"}) == {"snapshot": "loaded"}
    assert reload_results(present, NO_FILES, {"snapshot"}, set()) == {"snapshot": "kept"}


def test_a_removed_part_that_was_never_loaded_is_left_out() -> None:
    assert reload_results(stamps(**{TARGET: 1}), NO_FILES, set(), set()) == {}


def test_customers_with_an_unknown_category_are_counted_once() -> None:
    assert count_unknown_categories({"churn": bundle()}, ROWS) == {"churn": 2}


def test_unknown_categories_in_chunks_and_in_empty_tables() -> None:
    chunks = pa.concat_tables([ROWS, ROWS])
    assert count_unknown_categories({"churn": bundle()}, chunks) == {"churn": 4}
    assert count_unknown_categories({"churn": bundle()}, ROWS.slice(0, 0)) == {"churn": 0}


def test_columns_with_many_unknown_categories_in_the_test_rows_are_left_out() -> None:
    few_regions, many_regions = bundle(plan=0.9, region=0.01), bundle(region=0.9)
    assert count_unknown_categories({"nps": few_regions}, ROWS) == {"nps": 2}
    assert count_unknown_categories({"nps": many_regions}, ROWS) == {"nps": 1}
