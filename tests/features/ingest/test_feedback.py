"""Feedback is stored exactly once and becomes events known from when it was received."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from features.import_history.incremental import ImportState
from features.ingest.feedback import (
    Feedback,
    IdempotencyConflict,
    feedback_digest,
    feedback_files,
    store_feedback,
)
from features.ingest.feedback_calls import read_calls
from features.row_audit import read_row_audit
from support.company_builders import Shop

EVENT = {"customer_id": "A", "occurred_at": "2025-06-12T07:00:00Z", "kind": "campaign"}


def test_a_call_is_stored_once(tmp_path: Path) -> None:
    first, again = (store_feedback(tmp_path / "f", Feedback("k", [EVENT])) for _ in range(2))
    assert (first.events, first.repeated) == (1, False)
    assert (again.events, again.repeated, again.received_at) == (1, True, first.received_at)
    assert len(feedback_files(tmp_path / "f")) == 1
    assert not list((tmp_path / "f").glob("*.new"))


def test_a_call_is_readable_by_the_group_of_the_nightly_import(tmp_path: Path) -> None:
    former = os.umask(0o077)
    try:
        store_feedback(tmp_path, Feedback("k", [EVENT]))
    finally:
        os.umask(former)
    (path,) = feedback_files(tmp_path)
    assert path.stat().st_mode & 0o777 == 0o640


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


def test_content_of_a_feedback_file(tmp_path: Path) -> None:
    store_feedback(tmp_path, Feedback("k", [EVENT], client="crm", request_id="r-1"))
    record = json.loads(feedback_files(tmp_path)[0].read_text("utf-8"))
    assert set(record) == {"format", "received_at", "client", "request_id", "sha256", "events"}
    assert (record["format"], record["client"], record["request_id"]) == (2, "crm", "r-1")
    assert record["events"][0]["customer_id"] == "A"


def test_a_retry_may_have_another_client_and_request_id(tmp_path: Path) -> None:
    store_feedback(tmp_path, Feedback("k", [EVENT], client="crm", request_id="r-1"))
    assert store_feedback(tmp_path, Feedback("k", [EVENT], client="new", request_id="r-2")).repeated
    (call,) = read_calls(tmp_path)
    assert (call.client, call.request_id) == ("crm", "r-1")


def test_a_retry_of_a_call_in_the_old_format_is_found(tmp_path: Path) -> None:
    """Files of version 0.6 have no format, client and request id."""
    store_feedback(tmp_path, Feedback("k", [EVENT], client="crm", request_id="r-1"))
    (path,) = feedback_files(tmp_path)
    record = json.loads(path.read_text("utf-8"))
    for name in ("format", "client", "request_id"):
        del record[name]
    path.write_text(json.dumps(record), "utf-8")
    assert store_feedback(tmp_path, Feedback("k", [EVENT], client="crm")).repeated
    (call,) = read_calls(tmp_path)
    assert (call.client, call.request_id, len(call.events)) == ("", "", 1)


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


def test_new_feedback_is_in_an_incremental_import(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.tables["events"] = {"files": "events*.csv", "daily": True}
    shop.run()
    former = ImportState.read(shop.workspace.history("shop"))
    store_feedback(
        shop.workspace.feedback("shop"),
        Feedback("k", [EVENT | {"occurred_at": "2024-03-02T09:00:00Z"}]),
    )
    assert shop.run().rows["events"] == 5
    assert shop.run().rows["events"] == 5  # nothing new: grown from the stored rows
    basis = ImportState.read(shop.workspace.history("shop"))
    assert former is not None
    assert basis is not None
    assert former.feedback == ""
    assert basis.feedback == feedback_digest(shop.workspace.feedback("shop"))
