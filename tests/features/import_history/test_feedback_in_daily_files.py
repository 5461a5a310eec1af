"""Feedback and daily files: an order counts once whatever arrives first, and in every kind of import."""

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.data_quality.check_tables import DataQualityReport
from features.history_store import Manifest
from features.import_history.incremental import plan_incremental_import
from features.import_history.run_import import import_history
from features.ingest.applied_feedback import read_call_outcomes
from features.ingest.feedback import Feedback, feedback_files, store_feedback
from features.ingest.feedback_calls import withdraw_call
from features.ingest.time_bounds import latest_allowed
from features.progress import silent_steps
from features.row_audit import read_row_audit
from features.settings import Workspace
from support.company_builders import Shop

HEADER = "customer_id,occurred_at,kind,amount,channel\n"


class DailyShop(Shop):
    """A shop of daily files whose CRM sends the orders as feedback, too."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.about["data_end"] = "2024-04-01T00:00:00Z"
        self.tables["events"] = {"files": "events_*.csv", "daily": True}
        self.write(0, ["A,2024-01-02 10:00:00,order,10.5,web"])

    def write(self, day: int, rows: list[str]) -> None:
        (self.raw / f"events_{day:02}.csv").write_text(HEADER + "\n".join(rows) + "\n", "utf-8")

    def send(self, key: str, *events: dict[str, Any]) -> None:
        store_feedback(self.workspace.feedback("shop"), Feedback(key, events))

    def is_equal_to_a_full_import(self, grown: Manifest) -> bool:
        """Whether a history grown day by day is that of an import of all files and calls at once."""
        other = Workspace(self.home / "whole")
        other.feedback("shop").parent.mkdir(parents=True, exist_ok=True)
        if not other.feedback("shop").exists():
            other.feedback("shop").symlink_to(self.workspace.feedback("shop"))
        for file in other.history("shop").glob("files.json"):
            file.unlink()  # so that this one is never incremental
        whole = import_history(self.company(), other, silent_steps())
        ours, theirs = (
            [pq.read_table(file) for file in sorted(w.history("shop").rglob("*.parquet"))]
            for w in (self.workspace, other)
        )
        audits = [read_row_audit(w, "shop") for w in (self.workspace, other)]
        lines = [sorted(map(str, audit.lines)) for audit in audits if audit]
        return grown == whole and ours == theirs and lines[0] == lines[1]


def event(minute: int, amount: float = 20.0, **changes: Any) -> dict[str, Any]:
    moment = datetime(2024, 3, 2, 9, minute, tzinfo=UTC).isoformat()
    return {
        "customer_id": "B", "occurred_at": moment, "kind": "order", "amount": amount,
        "channel": "phone",
    } | changes  # fmt: skip


def row(minute: int, amount: float = 20.0) -> str:
    channel = "" if amount > 20 else "shop"  # an empty one comes from the feedback
    return f"B,2024-03-02 09:{minute:02}:00,order,{amount},{channel}"


@pytest.fixture
def shop(tmp_path: Path) -> DailyShop:
    return DailyShop(tmp_path)


def test_an_order_that_came_as_feedback_and_in_a_later_file_counts_once(shop: DailyShop) -> None:
    shop.run()
    shop.send("k", event(0), event(5))
    assert shop.run().rows["events"] == 3
    shop.write(1, [row(0), row(30)])
    company = shop.company()
    plan, _, reason = plan_incremental_import(company, shop.workspace, latest_allowed(company))
    assert plan is not None, reason
    grown = shop.run()
    assert grown.rows["events"] == 4
    assert shop.is_equal_to_a_full_import(grown)
    (call,) = read_call_outcomes(shop.workspace.history("shop")).values()
    assert call.states == {"imported": 1, "in the table": 1}
    report = DataQualityReport.read(shop.workspace, "shop")
    assert report is not None
    assert any("1 of 2 events that came as feedback" in f.says for f in report.findings)


@pytest.mark.slow
def test_a_completed_row_is_restored_before_the_next_files(shop: DailyShop) -> None:
    shop.send("k", event(0, 20.25), event(0, 20.25))
    shop.write(1, [row(0, 20.25)])
    assert shop.run().rows["events"] == 3
    assert shop.stored("events")["channel"].to_pylist() == ["web", "phone", "phone"]
    shop.write(2, [row(0, 20.25), "A,2024-03-03 10:00:00,order,1.5,web"])
    grown = shop.run()
    assert grown.rows["events"] == 4
    assert shop.is_equal_to_a_full_import(grown)


def test_an_implausible_value_stops_no_import(shop: DailyShop) -> None:
    shop.send("k", event(0, 1e308), event(1, 1e13), event(2))
    for day in (1, 2, 3):
        shop.write(day, [f"A,2024-02-0{day} 10:00:00,order,1.5,web"])
        grown = shop.run()
        company = shop.company()
        plan, _, reason = plan_incremental_import(company, shop.workspace, latest_allowed(company))
        assert plan is not None, reason
    assert shop.is_equal_to_a_full_import(grown)
    assert grown.rows["events"] == 5
    assert max(shop.stored("events")["amount"].to_pylist()) == 20.0
    report = DataQualityReport.read(shop.workspace, "shop")
    assert report is not None
    (finding,) = [f for f in report.findings if f.check == "implausible feedback"]
    assert (finding.severity, finding.rows, finding.column) == ("error", 2, "amount")


def test_a_withdrawn_call_leaves_at_the_next_import(shop: DailyShop) -> None:
    shop.send("k", event(0))
    assert shop.run().rows["events"] == 2
    folder = shop.workspace.feedback("shop")
    withdraw_call(folder, feedback_files(folder)[0].stem, "a test", "ada")
    grown = shop.run()
    assert grown.rows["events"] == 1
    assert shop.is_equal_to_a_full_import(grown)


def test_an_event_that_waited_for_its_customer_comes_with_it(shop: DailyShop) -> None:
    shop.send("k", event(0, customer_id="N"))
    assert shop.run().rows["events"] == 1
    shop.text["customers"] += "N,2024-01-01,east,9\n"
    assert shop.run().rows["events"] == 2


@pytest.mark.slow
def test_a_history_without_the_outcomes_of_feedback_is_read_in_full(shop: DailyShop) -> None:
    """One that was written before the outcomes were stored."""
    shop.send("k", event(0))
    shop.run()
    folder = shop.workspace.history("shop") / "feedback"
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    shop.write(1, [row(0)])
    grown = shop.run()
    assert grown.rows["events"] == 2
    assert shop.is_equal_to_a_full_import(grown)


ORDERS = st.lists(
    st.tuples(
        st.integers(0, 6),  # minute
        st.sampled_from([20.0, 20.25]),  # amount
        st.sampled_from(["feedback", "table", "both"]),
        st.integers(0, 2),  # day of the feedback
        st.integers(0, 2),  # day of the table's row
    ),
    max_size=7,
)


@pytest.mark.slow
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ORDERS)
def test_each_order_counts_once_whatever_arrives_first(orders: Any) -> None:
    """Orders at least two minutes apart or equal: each is known by feedback, the table, or both."""
    with tempfile.TemporaryDirectory() as home:
        shop = DailyShop(Path(home))
        expected: dict[tuple[int, float], list[int]] = {}
        for day in range(3):
            rows = []
            for number, (minute, amount, where, sent_on, written_on) in enumerate(orders):
                key = (minute * 2, amount)
                counts = expected.setdefault(key, [0, 0])
                if where != "table" and sent_on == day:
                    shop.send(f"k{number}", event(*key))
                    counts[0] += 1
                if where != "feedback" and written_on == day:
                    rows.append(row(*key))
                    counts[1] += 1
            if rows:
                shop.write(day + 1, rows)
            grown = shop.run()
            assert grown.rows["events"] == 1 + sum(map(max, expected.values()))
        assert shop.is_equal_to_a_full_import(grown)


def test_a_call_of_the_old_format_is_imported(shop: DailyShop) -> None:
    shop.send("k", event(0))
    (path,) = feedback_files(shop.workspace.feedback("shop"))
    record = json.loads(path.read_text("utf-8"))
    old = {name: record[name] for name in ("received_at", "sha256", "events")}
    path.write_text(json.dumps(old), "utf-8")
    assert shop.run().rows["events"] == 2
