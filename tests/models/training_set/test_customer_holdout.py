"""Customers without dates are split by a hash of their ids, which later snapshots do not move."""

import hashlib

import duckdb
import numpy as np
import pytest

from features.config.company import TargetConfig
from models.targets.registry import TARGETS
from models.training_set.customer_holdout import PLACES, place_sql, places, share_start
from models.training_set.origins import older_origins
from models.training_set.splits import split_by_time

CHURN = TARGETS["churn"]
IDS = [f"c{i}" for i in range(4000)]


def cutoffs(ids: list[str], end: str = "2024-07-01") -> np.ndarray:
    con = duckdb.connect()
    con.execute("set TimeZone = 'UTC'")
    sql = place_sql("id", f"timestamptz '{end}'")
    found = con.execute(
        f"select epoch_us({sql}) from (select unnest($ids) as id, unnest(range(len($ids))) as n) "
        "order by n", {"ids": ids},
    ).fetchall()  # fmt: skip
    return np.array([row[0] for row in found], np.int64)


def config(share: float = 0.2) -> TargetConfig:
    return TargetConfig(test_share=share).model_copy(
        update={"definition": "snapshot", "horizon_days": 0}
    )


def test_the_place_is_the_hash_of_the_id() -> None:
    found = places(cutoffs(IDS[:50]))
    digests = [hashlib.md5(i.encode(), usedforsecurity=False).hexdigest() for i in IDS[:50]]
    wanted = [int(digest[:8], 16) % PLACES for digest in digests]
    assert found.tolist() == wanted


def test_all_rows_lie_in_the_second_before_the_end() -> None:
    found = cutoffs(IDS)
    last = 1_719_792_000_000_000  # 2024-07-01 UTC
    assert found.max() < last
    assert found.min() >= last - PLACES


def test_a_customer_keeps_the_part_in_a_later_snapshot_of_more_customers() -> None:
    before, after = cutoffs(IDS[:3000]), cutoffs(IDS, "2024-08-15")
    first, later = (split_by_time(CHURN, config(), c) for c in (before, after))
    for part in ("fit", "valid", "refit", "test"):
        assert (getattr(first, part) == getattr(later, part)[:3000]).all()


@pytest.mark.parametrize("share", [0.1, 0.2, 0.35])
def test_the_parts_have_their_shares_and_no_customer_in_common(share: float) -> None:
    cutoff = cutoffs(IDS)
    split = split_by_time(CHURN, config(share), cutoff)
    assert split.test.mean() == pytest.approx(share, abs=0.03)
    assert (split.test ^ split.refit).all()
    assert (split.fit ^ split.valid ^ split.test).all()
    assert split.valid.sum() / split.refit.sum() == pytest.approx(0.2, abs=0.03)


@pytest.mark.parametrize(("share", "parts"), [(0.2, 4), (0.1, 4), (0.35, 1), (0.6, 0)])
def test_parts_before_the_test_are_tested_on_all_others(share: float, parts: int) -> None:
    cutoff = cutoffs(IDS)
    split = split_by_time(CHURN, config(share), cutoff)
    found = older_origins(CHURN, config(share), cutoff, split)
    assert len(found) == parts
    tested = split.test.astype(int) + sum(
        (o.test.astype(int) for o in found), np.zeros(len(IDS), int)
    )
    assert tested.max() == 1
    for origin in found:
        assert (origin.learn == ~origin.test).all()
        assert origin.test.mean() == pytest.approx(share, abs=0.03)


def test_the_start_of_a_share_is_exact() -> None:
    cutoff = np.array([5 * PLACES + 3, 5 * PLACES + 999_999])
    assert share_start(cutoff, 0.25) == 5 * PLACES + 750_000
