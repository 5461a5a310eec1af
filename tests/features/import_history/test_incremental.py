"""An incremental import gives the same history as an import of all files."""

import tempfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import ConfigRefused
from features.history_store import Manifest
from features.import_history import import_table
from features.import_history.run_import import import_history
from features.progress import Steps
from features.row_audit import read_row_audit
from features.settings import Workspace
from support.company_builders import Shop

HEADER = "customer_id,occurred_at,kind,amount,channel\n"
DAYS = {
    1: "A,2024-01-05 10:00:00,order,10,web\nB,2024-01-05 12:00:00,order,20.5,shop\n",
    2: "A,2024-01-06 09:00:00,return,-3,web\nA,2024-01-06 09:00:00,order,4,web\n",
    3: "B,2024-01-07 08:00:00,order,25,\n",
}


class Daily(Shop):
    """A shop whose events are one file for each day."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.tables["events"] = {"files": "events_*.csv", "daily": True}
        self.text["customers"] += "C,2024-01-01,east,9\n"
        self.notes: list[str] = []

    def day(self, number: int, rows: str | None = None) -> "Daily":
        rows = DAYS[number] if rows is None else rows
        (self.raw / f"events_2024-01-{number + 4:02}.csv").write_text(HEADER + rows, "utf-8")
        return self

    def run(self) -> Manifest:
        steps = Steps(console=_Silent(self.notes))  # type: ignore[arg-type]
        return import_history(self.company(), self.workspace, steps)

    def whole(self) -> Manifest:
        """The result of importing all files, in a separate workspace."""
        other = Workspace(self.home / "whole")
        manifest = import_history(self.company(), other, Steps(console=_Silent([])))  # type: ignore[arg-type]
        for table in manifest.rows:
            grown, read = (
                pq.read_table(w.history("shop") / f"{table}.parquet")
                for w in (self.workspace, other)
            )
            assert grown.equals(read), table
        ours, theirs = read_row_audit(self.workspace, "shop"), read_row_audit(other, "shop")
        assert ours is not None
        assert theirs is not None
        assert sorted(map(str, ours.lines)) == sorted(map(str, theirs.lines))
        return manifest

    def noted(self, word: str) -> bool:
        return any(word in note for note in self.notes)


class _Silent:
    """A console that records the lines."""

    def __init__(self, notes: list[str]) -> None:
        self.notes = notes

    def print(self, text: object, **_: object) -> None:
        self.notes.append(str(text))

    def status(self, _: str):
        from rich.console import Console

        return Console(quiet=True).status("")


@pytest.fixture
def daily(tmp_path: Path) -> Daily:
    return Daily(tmp_path)


def test_only_new_files_are_read(daily, monkeypatch):
    daily.day(1).day(2).run()
    assert not daily.noted("new files")
    seen: list[object] = []
    honest = import_table.read_table

    def watched(con, company, name, *rest):
        seen.append((name, company.tables[name].files))
        return honest(con, company, name, *rest)

    monkeypatch.setattr(import_table, "read_table", watched)
    grown = daily.day(3).run()
    assert ("events", ["events_2024-01-07.csv"]) in seen
    assert daily.noted("reading 1 new files of 3")
    assert grown == daily.whole()
    assert grown.rows["events"] == 5


@pytest.mark.parametrize(
    "rows", ["B,2024-01-07 08:00:00,order,25,\n", "B,2024-01-07,order,25.5,web\n", ""]
)
def test_a_day_whose_types_alone_would_differ(daily, rows):
    """Whole amounts, a column without values, dates without times, no rows."""
    daily.day(1).day(2).run()
    manifest = daily.day(3, rows).run()
    assert daily.noted("reading 1 new files of 3")
    assert not daily.noted("reading every file")
    assert manifest == daily.whole()


def test_an_import_without_new_files_changes_nothing(daily):
    first = daily.day(1).day(2).run()
    again = daily.run()
    assert daily.noted("reading 0 new files of 2")
    assert again == first == daily.whole()


@pytest.mark.parametrize(
    ("what", "why"),
    [
        (lambda d: d.day(1, DAYS[1] + DAYS[1]), "1 changed, first events_2024-01-05.csv"),
        (lambda d: (d.raw / "events_2024-01-05.csv").unlink(), "1 gone, first events_2024-01-05"),
        (lambda d: d.columns.update(events={"amount": "amount * 2"}), "the company's file"),
        (lambda d: d.day(3, "Z,2024-01-07 08:00:00,order,1,web\n"), "break the contract"),
        (lambda d: d.day(3, "B,2024-01-07 08:00:00,order,a,web\n"), "amount is VARCHAR in the new"),
        (lambda d: d.day(3, "B,2024-01-07 08:00:00+01:00,order,1.5,web\n"), "occurred_at"),
        (lambda d: d.text.update(customers=d.text["customers"].replace("C,2024-01-01,east,9\n", "")),
         "1 customers of the last import are gone"),
    ],
)  # fmt: skip
def test_everything_is_read_when_new_files_are_not_enough(daily, what, why):
    daily.about["max_bad_share"] = 0.9
    daily.day(1).day(2).run()
    what(daily)
    if not daily.noted("events_2024-01-07"):
        daily.day(3) if not (daily.raw / "events_2024-01-07.csv").exists() else None
    manifest = daily.run()
    assert daily.noted(f"reading every file: {why}") or daily.noted(why), daily.notes
    assert manifest == daily.whole()


def test_quarantined_rows_force_a_full_import(daily):
    daily.about["max_bad_share"] = 0.9
    daily.day(1).day(2, "Z,2024-01-06 08:00:00,order,1.5,web\n").run()
    daily.text["customers"] += "Z,2024-01-01,west,1\n"
    manifest = daily.day(3).run()
    assert daily.noted("1 rows of events were quarantined")
    assert manifest.rows["events"] == 4
    assert manifest == daily.whole()


def test_a_daily_source_without_a_new_file_is_named_while_another_has_one(daily):
    daily.tables["events"] = {
        "files": None,
        "sources": {"happened": "events_*.csv", "back": "returns_*.csv"},
        "query": "select * from happened union all by name select * from back",
        "daily": True,
        "may_be_empty": ["back"],
    }
    (daily.raw / "returns_1.csv").write_text("customer_id,occurred_at,kind\n", encoding="utf-8")
    daily.day(1).run()
    assert not daily.noted("no new file")
    daily.run()
    assert not daily.noted("no new file"), "nothing is new"
    daily.day(2).run()
    assert daily.noted("no new file of events, back")
    assert not daily.noted("no new file of events, happened")


def test_a_union_with_another_source_is_read_whole_and_adds_nothing_twice(daily):
    """Contracts that come in one file were added again each night."""
    daily.tables["events"] = {
        "files": None,
        "sources": {"days": "events_*.csv", "contracts": "contracts.csv"},
        "daily": ["days"],
        "query": "select * from days union all by name select * from contracts",
    }
    signed = "A,2024-01-02 10:00:00,contract,0,web\nB,2024-01-03 10:00:00,contract,0,web\n"
    (daily.raw / "contracts.csv").write_text(HEADER + signed, "utf-8")
    daily.day(1).run()
    for _ in range(2):  # no file is new
        assert daily.run().rows["events"] == 4
    assert daily.day(2).run().rows["events"] == 6
    daily.whole()
    assert daily.noted("gives 2 rows without any file of its daily sources (days)")


def test_daily_sources_joined_with_a_lookup_source(daily):
    daily.tables["events"] = {
        "files": None,
        "sources": {"happened": "events_*.csv", "back": "returns_*.csv", "shops": "shops.csv"},
        "daily": ["happened", "back"],
        "query": "select h.* exclude (channel), s.name as channel from happened h left join shops s "
        "on s.channel = h.channel union all by name select *, 'return' as kind from back",
        "drop": {"tiny": "amount = 4"},
    }
    (daily.raw / "shops.csv").write_text("channel,name\nweb,online\nshop,store\n", "utf-8")
    returns = daily.raw / "returns_1.csv"
    returns.write_text("customer_id,occurred_at,amount\nA,2024-01-06 11:00:00,-2.5\n", "utf-8")
    daily.day(1).day(2).run()
    manifest = daily.day(3).run()
    assert daily.noted("reading 1 new files of 5")
    assert manifest == daily.whole()
    assert manifest.rows["events"] == 5
    (daily.raw / "shops.csv").write_text("channel,name\nweb,web shop\nshop,store\n", "utf-8")
    manifest = daily.run()
    assert daily.noted("1 changed, first shops.csv")
    assert manifest == daily.whole()


@given(
    days=st.lists(st.sampled_from(sorted(DAYS)), min_size=1, max_size=3, unique=True),
    extra=st.lists(st.sampled_from("AB"), max_size=3),
)
@settings(max_examples=6, deadline=None)
@pytest.mark.slow
def test_daily_imports_equal_one_full_import(days, extra):
    with tempfile.TemporaryDirectory() as home:
        daily = Daily(Path(home))
        for number in days:
            rows = DAYS[number] + "".join(f"{c},2024-01-08 10:00:00,order,7.5,web\n" for c in extra)
            manifest = daily.day(number, rows).run()
        assert manifest == daily.whole()


@pytest.mark.parametrize(
    ("table", "settings", "why"),
    [
        ("events", {"daily": ["sauce"]}, "sauce is not a source of files; did you mean source"),
        ("events", {"daily": True, "duplicates": "remove"}, "daily cannot be combined"),
        ("customers", {"daily": True}, "versions of a customer are compared across files"),
    ],
)
def test_an_invalid_daily_setting_is_refused(shop, table, settings, why):
    shop.tables[table] = settings
    with pytest.raises(ConfigRefused, match=why):
        shop.company()
