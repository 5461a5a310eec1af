"""Snapshots that are missing, old, truncated, replaced under load, or of another company."""

import json
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from features.settings import Workspace
from support.served_company import WORKERS, Served, error_code, eventually, figure, served
from support.steady_load import post, steady_load

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(240)]

OLDER = timedelta(days=30)
REPLACEMENTS = 10


@pytest.fixture(scope="module")
def now(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    def remember(workspace: Workspace) -> None:
        file = workspace.features("sample") / "snapshot.parquet"
        shutil.copy(file, file.with_suffix(".right"))

    with served(tmp_path_factory.mktemp("snapshot") / "home", remember) as running:
        yield running


def replace_snapshot(now: Served, content: pa.Table | bytes) -> None:
    """Replace the snapshot atomically, as `goodwill features` does."""
    new = now.snapshot.with_suffix(".new")
    if isinstance(content, bytes):
        new.write_bytes(content)
    else:
        pq.write_table(content, new)
    new.replace(now.snapshot)


def right(now: Served) -> Path:
    return now.snapshot.with_suffix(".right")


def older(table: pa.Table) -> pa.Table:
    """The same features with an earlier cutoff."""
    cutoff = pc.subtract(table["cutoff"], pa.scalar(OLDER, pa.duration("us")))
    place = table.column_names.index("cutoff")
    return table.set_column(place, "cutoff", cutoff.cast(table["cutoff"].type))


def restore_snapshot(now: Served) -> None:
    loaded = now.reloads("snapshot", "loaded")
    replace_snapshot(now, right(now).read_bytes())
    eventually(lambda: now.reloads("snapshot", "loaded") >= loaded + WORKERS)


def assert_old_snapshot_stays(now: Served, replace: object) -> None:
    before, workers = now.score(), now.workers()
    kept = now.reloads("snapshot", "kept")
    assert callable(replace)
    replace()
    eventually(lambda: now.reloads("snapshot", "kept") == kept + WORKERS)
    time.sleep(1.2)  # it was noted once, not every second
    assert now.reloads("snapshot", "kept") == kept + WORKERS
    assert now.reloads("service", "failed") == 0
    for _ in range(3 * WORKERS):
        answer = now.score()
        assert answer["scores"] == before["scores"]
        assert answer["as_of"] == before["as_of"]
    assert now.get("/readyz").status_code == 200
    assert now.workers() == workers
    restore_snapshot(now)


def test_a_removed_snapshot_stays_in_use(now: Served) -> None:
    assert_old_snapshot_stays(now, now.snapshot.unlink)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.999])
def test_a_truncated_snapshot_is_not_used(now: Served, share: float) -> None:
    content = right(now).read_bytes()
    assert_old_snapshot_stays(
        now, lambda: replace_snapshot(now, content[: int(share * len(content))])
    )


def test_an_empty_snapshot_is_not_used(now: Served) -> None:
    table = pq.read_table(right(now))
    assert_old_snapshot_stays(now, lambda: replace_snapshot(now, table.slice(0, 0)))


@pytest.mark.parametrize("kind", ["other-columns", "same-columns"])
def test_a_snapshot_of_another_company_is_not_used(now: Served, kind: str) -> None:
    table = pq.read_table(right(now))
    metadata = json.loads(table.schema.metadata[b"goodwill"])
    ids = pa.array([f"other-{i}" for i in range(table.num_rows)])
    other = table.set_column(table.column_names.index("customer_id"), "customer_id", ids)
    if kind == "other-columns":
        other = other.select(other.column_names[: len(other.column_names) // 2])
    changed = {**metadata, "company": "another", "fingerprint": "0" * 64}
    other = other.replace_schema_metadata({b"goodwill": json.dumps(changed).encode()})
    assert_old_snapshot_stays(now, lambda: replace_snapshot(now, other))


def test_an_older_snapshot_has_its_date(now: Served) -> None:
    before = now.score()
    replace_snapshot(now, older(pq.read_table(right(now))))
    eventually(lambda: all(now.score()["as_of"] != before["as_of"] for _ in range(6)))
    answer = now.score()
    moments = [datetime.fromisoformat(a["as_of"]) for a in (before, answer)]
    assert moments[0] - moments[1] == OLDER
    age = (datetime.now(UTC) - moments[1]).total_seconds()
    assert answer["feature_age_seconds"] == pytest.approx(age, abs=60)
    gauge = now.metric("goodwill_feature_age_seconds")
    assert gauge == pytest.approx(age, abs=60)
    restore_snapshot(now)


def test_replacing_the_snapshot_under_load_fails_no_call(now: Served) -> None:
    table = pq.read_table(right(now))
    two = (table, older(table))
    known = {now.score()["as_of"]: now.score()["scores"]}
    replace_snapshot(now, two[1])
    eventually(lambda: all(now.score()["as_of"] not in known for _ in range(6)))
    known[now.score()["as_of"]] = now.score()["scores"]
    body = post("/v1/scores", {"customer_ids": now.ids[:5]})
    with steady_load(now.server.url, 40, lambda _: body) as load:
        for number in range(REPLACEMENTS):
            replace_snapshot(now, two[number % 2])
            time.sleep(0.8)
    assert set(load.statuses()) == {200}
    answers = [json.loads(reply.body) for reply in load.replies]
    assert {answer["as_of"] for answer in answers} == set(known)
    assert all(answer["scores"] == known[answer["as_of"]] for answer in answers)
    figure("snapshot replaced: calls without a failure", len(answers))
    figure("snapshot replaced: p99 in ms", round(1000 * load.percentile(0.99)))
    restore_snapshot(now)


@pytest.mark.parametrize("fault", ["missing", "half"])
def test_without_a_snapshot_the_service_waits_for_one(tmp_path: Path, fault: str) -> None:
    def away(workspace: Workspace) -> None:
        file = workspace.features("sample") / "snapshot.parquet"
        shutil.copy(file, file.with_suffix(".right"))
        if fault == "missing":
            file.unlink()
        else:
            file.write_bytes(file.read_bytes()[:5000])

    with served(tmp_path / "home", away, wait_for="/livez") as now:
        workers = now.workers()
        assert now.get("/livez").status_code == 200
        refused = now.post("/v1/scores", {"customer_ids": now.ids[:1]})
        assert (refused.status_code, error_code(refused.content)) == (503, "not_ready")
        assert "snapshot" in refused.text
        replace_snapshot(now, right(now).read_bytes())
        eventually(lambda: all(now.get("/readyz").status_code == 200 for _ in range(4 * WORKERS)))
        assert len(now.score()["scores"]) == 5
        assert now.workers() == workers
