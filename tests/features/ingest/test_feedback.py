"""Feedback is stored exactly once and becomes events known from when it was received."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from features.import_history.incremental import ImportState
from features.ingest.feedback import (
    Feedback,
    IdempotencyConflict,
    add_feedback,
    feedback_digest,
    feedback_files,
    store_feedback,
)
from features.row_audit import RowAudit, read_row_audit
from support.company_builders import Shop

EVENT = {"customer_id": "A", "occurred_at": "2025-06-12T07:00:00Z", "kind": "campaign"}
END = datetime(2025, 7, 1, tzinfo=UTC)


def test_a_call_is_stored_once(tmp_path: Path) -> None:
    first, again = (store_feedback(tmp_path / "f", Feedback("k", [EVENT])) for _ in range(2))
    assert (first.events, first.repeated) == (1, False)
    assert (again.events, again.repeated, again.received_at) == (1, True, first.received_at)
    assert len(feedback_files(tmp_path / "f")) == 1
    assert not list((tmp_path / "f").glob("*.new"))


def test_different_content_with_the_same_key_is_refused(tmp_path: Path) -> None:
    store_feedback(tmp_path, Feedback("k", [EVENT]))
    with pytest.raises(IdempotencyConflict, match="different content"):
        store_feedback(tmp_path, Feedback("k", [EVENT | {"kind": "cancel"}]))
    assert len(feedback_files(tmp_path)) == 1


def test_keys_with_any_characters_have_separate_files(tmp_path: Path) -> None:
    for key in ("../../etc/passwd", "a/b", "é", "🙂", "x" * 5000):
        assert not store_feedback(tmp_path, Feedback(key, [EVENT])).repeated
    assert len(feedback_files(tmp_path)) == 5
    assert {p.parent for p in tmp_path.rglob("*")} == {tmp_path}


def test_twenty_concurrent_calls_store_it_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(20) as pool:
        kept = [*pool.map(lambda _: store_feedback(tmp_path, Feedback("k", [EVENT])), range(20))]
    assert sum(not one.repeated for one in kept) == 1
    assert len(feedback_files(tmp_path)) == 1


def test_the_digest_changes_with_each_call(tmp_path: Path) -> None:
    stamps = [feedback_digest(tmp_path)]
    for key in ("a", "a", "b"):
        store_feedback(tmp_path, Feedback(key, [EVENT]))
        stamps.append(feedback_digest(tmp_path))
    assert stamps[0] == ""
    assert len(set(stamps)) == 3


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    """An import with one customer and one event."""
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    con.execute("create temp table good_customers as select 'A' as customer_id")
    con.execute(
        "create temp table good_events as select 'A' as customer_id, "
        "timestamptz '2025-01-01' as occurred_at, timestamptz '2025-01-01' as known_at, "
        "'order' as kind, 5.0::double as amount, null::double as quantity, null::varchar as channel, "
        "null::varchar as category, null::timestamptz as due_at"
    )
    return con


def test_events_are_known_from_when_they_were_received(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    store_feedback(tmp_path, Feedback("k", [EVENT | {"amount": 3.0, "channel": "phone"}]))
    assert add_feedback(con, tmp_path, RowAudit(), END) == 0
    table = con.sql("select * from good_events where kind = 'campaign'").to_arrow_table()
    (row,) = table.to_pylist()
    assert row["occurred_at"] == datetime(2025, 6, 12, 7, tzinfo=UTC)
    assert before < row["known_at"] <= datetime.now(UTC)
    assert (row["amount"], row["channel"], row["due_at"]) == (3.0, "phone", None)


def test_events_that_cannot_be_imported_wait_and_are_counted(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    late = EVENT | {"occurred_at": END.isoformat()}
    store_feedback(tmp_path, Feedback("k", [EVENT, EVENT | {"customer_id": "B"}, late]))
    ledger = RowAudit()
    assert add_feedback(con, tmp_path, ledger, END) == 2
    assert [(line.step, line.rows) for line in ledger.lines] == [
        ("read", 3), ("drop", 1), ("drop", 1),
    ]  # fmt: skip
    assert con.execute("select count(*) from good_events").fetchall() == [(2,)]


def test_without_feedback_nothing_happens(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    ledger = RowAudit()
    assert add_feedback(con, tmp_path / "none", ledger, END) == 0
    assert ledger.lines == []


def test_content_of_a_feedback_file(tmp_path: Path) -> None:
    store_feedback(tmp_path, Feedback("k", [EVENT]))
    record = json.loads(feedback_files(tmp_path)[0].read_text("utf-8"))
    assert set(record) == {"received_at", "sha256", "events"}
    assert record["events"][0]["customer_id"] == "A"


def test_feedback_is_imported_once(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.about["data_end"] = "2024-04-01T00:00:00Z"
    folder = shop.workspace.feedback("shop")
    event = {"customer_id": "A", "occurred_at": "2024-03-02T09:00:00+00:00", "kind": "campaign"}
    for _ in range(2):
        store_feedback(folder, Feedback("crm-1", [event]))
    for _ in range(2):
        assert shop.run().rows["events"] == 5
    events = pq.read_table(shop.workspace.history("shop") / "events.parquet").to_pylist()
    (row,) = [e for e in events if e["kind"] == "campaign"]
    assert row["known_at"] > row["occurred_at"]
    ledger = read_row_audit(shop.workspace, "shop")
    assert ledger is not None
    assert ledger.row_count("events") == 5


def test_new_feedback_forces_a_full_import(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.tables["events"] = {"files": "events*.csv", "daily": True}
    shop.run()
    former = ImportState.read(shop.workspace.history("shop"))
    store_feedback(
        shop.workspace.feedback("shop"),
        Feedback("k", [EVENT | {"occurred_at": "2024-03-02T09:00:00Z"}]),
    )
    assert shop.run().rows["events"] == 5
    assert (
        shop.run().rows["events"] == 5
    )  # nothing new: grown from the stored rows, feedback in them
    basis = ImportState.read(shop.workspace.history("shop"))
    assert former is not None
    assert basis is not None
    assert former.feedback == ""
    assert basis.feedback == feedback_digest(shop.workspace.feedback("shop"))
