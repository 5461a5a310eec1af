"""An import that has lost rows is refused: the rules, the limits, and how a loss is accepted."""

import json
from collections.abc import Callable
from datetime import date, timedelta

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.config.company import load_company
from features.config.import_limits import ImportLimits
from features.data_quality.check_tables import DataQualityReport
from features.errors import ConfigRefused, DataRefused
from features.import_history.accepted_losses import AcceptedLoss
from features.import_history.daily_rows import DailyRows, count_imported_rows, day_number
from features.import_history.loss_check import compare_rows
from features.import_history.loss_rules import Loss, find_lost_rows, find_small_days
from features.import_history.run_import import import_history, run_dry_import
from features.import_history.usual_rows import easter
from features.progress import Steps, silent_steps
from features.terminal_table import Indented
from support.company_builders import Shop

LIMITS = ImportLimits()
#: A Monday.
START = day_number("2025-01-06")
HEADER = "customer_id,occurred_at,kind,amount,channel\n"


def daily(kinds: dict[str, dict[int, int]], table: str = "events") -> DailyRows:
    """A table with so many rows of each kind on each day."""
    whole: dict[int, int] = {}
    for days in kinds.values():
        for day, n in days.items():
            whole[day] = whole.get(day, 0) + n
    counts: dict[str | None, dict[int, int]] = {None: whole, **kinds}
    return DailyRows(table, sum(whole.values()), counts, counts)


def steady(days: int, rows: Callable[[date], int], first: int = START) -> dict[int, int]:
    """Rows of each of so many days, from the first one on."""
    return {d: rows(date(1970, 1, 1) + timedelta(days=d)) for d in range(first, first + days)}


def weekdays(day: date) -> int:
    """A business week with a short Saturday."""
    return {5: 30, 6: 0}.get(day.weekday(), 100)


def lost(
    former: dict[str, dict[int, int]], now: dict[str, dict[int, int]], **limits: object
) -> list[str]:
    found = find_lost_rows(daily(former), daily(now), ImportLimits(**limits))  # type: ignore[arg-type]
    return [str(loss) for loss in found]


ORDERS = {START + d: 50 for d in range(20)}


def test_a_tenth_of_the_rows_is_a_loss():
    tenth = dict.fromkeys(ORDERS, 5)
    assert lost({"order": ORDERS}, {"order": tenth}) == [
        "events, 20 days from 2025-01-06 to 2025-01-25: 900 of 1,000 stored rows are gone (90%), "
        "100 are left"
    ]


def test_more_rows_and_small_corrections_are_no_loss():
    corrected = {**ORDERS, START: 40, START + 5: 42, START + 7: 70}
    assert lost({"order": ORDERS}, {"order": corrected}) == [], "18 of 1,000 rows"
    assert lost({"order": ORDERS}, {"order": corrected}, lost_share=0.01)


def test_a_kind_that_is_gone_is_named():
    both = {"order": ORDERS, "visit": {START: 9, START + 1: 9}}
    assert lost(both, {"order": ORDERS}) == [
        "events of kind 'visit', 2 days from 2025-01-06 to 2025-01-07: 18 of 18 stored rows are "
        "gone (100%), 0 are left"
    ]


def test_rows_that_move_to_another_kind_are_lost_there():
    both = {"order": ORDERS, "visit": dict(ORDERS)}
    renamed = {"order": ORDERS, "call": dict(ORDERS)}
    assert [line[:22] for line in lost(both, renamed)] == ["events of kind 'visit'"]


def test_a_day_that_is_gone_is_a_loss_however_long_the_history():
    long = {START + d: 50 for d in range(900)}
    assert lost(
        {"order": long}, {"order": {d: n for d, n in long.items() if d != START + 400}}
    ) == ["events, 2026-02-10: 50 of 50 stored rows are gone (100%), 0 are left"]


def test_a_few_rows_never_count():
    assert lost({"order": {START: 11}}, {"order": {START + 1: 1}}) == []
    assert lost({"order": {START: 11}}, {"order": {START + 1: 1}}, least_rows=5)


def test_the_worst_kinds_of_a_table_are_named():
    kinds = {name: dict(ORDERS) for name in ("order", "return", "visit", "login")}
    left = {name: dict.fromkeys(ORDERS, n) for name, n in zip(kinds, (50, 40, 10, 0), strict=True)}
    (line,) = lost(kinds, left)
    assert "2,000 of 4,000 stored rows are gone (50%: login 100%, visit 80%, return 20%)" in line


def test_sources_that_keep_some_days_may_lose_older_ones():
    now = {d: n for d, n in ORDERS.items() if d > START}
    (loss,) = find_lost_rows(daily({"order": ORDERS}), daily({"order": now}), LIMITS)
    assert loss.is_oldest
    year = {START + d: 50 for d in range(40)}
    window = {d + 1: n for d, n in year.items() if d + 1 > START}
    kept = ImportLimits(keeps_days=40)
    assert not find_lost_rows(daily({"order": year}), daily({"order": window}), kept)


def test_customers_are_compared_as_a_whole():
    def loss(rows: int) -> list[Loss]:
        return find_lost_rows(DailyRows("customers", 1000), DailyRows("customers", rows), LIMITS)

    assert [str(x) for x in loss(100)] == [
        "customers: 900 of 1,000 stored rows are gone (90%), 100 are left"
    ]
    assert loss(985) == []


def test_a_table_without_rows_is_a_loss_of_any_size():
    empty = DailyRows("events", 0, {None: {}}, {None: {}})
    (loss,) = find_lost_rows(daily({"order": {START: 3}}), empty, LIMITS)
    assert str(loss) == "events: no row at all, the history has 3"


def small(
    history: dict[int, int], new: dict[int, int], limits: ImportLimits = LIMITS, kind: str = "order"
) -> list[str]:
    """The losses found when the new days are imported after a history."""
    since = max(history)
    former, now = daily({kind: history}), daily({kind: {**history, **new}})
    return [str(x) for x in find_small_days(former, now, since, max([since, *new]), limits, 1)]


QUARTER = steady(13 * 7, weekdays)
MONDAY = START + 13 * 7


@pytest.mark.parametrize(
    ("rows", "refused"), [(0, True), (10, True), (45, True), (55, False), (100, False)]
)
def test_a_new_day_below_half_of_the_usual_rows_is_a_loss(rows, refused):
    found = small(QUARTER, {MONDAY: rows})
    expected = f"events, 2025-04-07: {rows} rows, about 100 are usual"
    assert found == ([expected] if refused else [])


def test_weekends_have_their_own_usual_rows():
    assert small(QUARTER, {MONDAY + d: weekdays(date(2025, 4, 7 + d)) for d in range(7)}) == []
    week = {MONDAY + d: 30 for d in range(5)}
    assert small(QUARTER, week) == [
        "events, 5 days from 2025-04-07 to 2025-04-11: 150 rows, about 500 are usual"
    ]


def test_a_missing_day_between_others_is_a_loss():
    assert small(QUARTER, {MONDAY: 100, MONDAY + 1: 0, MONDAY + 2: 100}) == [
        "events, 2025-04-08: 0 rows, about 100 are usual"
    ]


def test_several_small_days_add_up():
    few = steady(13 * 7, lambda _: 6)
    assert small(few, {MONDAY: 0}) == [], "six missing rows say nothing"
    assert small(few, {MONDAY + d: int(d == 5) for d in range(7)}) == [
        "events, 7 days from 2025-04-07 to 2025-04-13: 1 rows, about 42 are usual"
    ]


def test_a_short_or_bursty_history_has_no_usual_rows():
    assert small(steady(30, weekdays), {START + 30: 0}) == []
    campaigns = steady(26 * 7, lambda day: 900 if day.day == 1 else 1)
    assert small(campaigns, {START + 26 * 7: 0}) == []


def test_the_year_s_end_is_as_in_the_former_year():
    def closed_at_christmas(day: date) -> int:
        return 2 if "12-24" <= f"{day:%m-%d}" <= "12-31" else weekdays(day)

    first = day_number("2025-12-24") - START
    assert small(steady(first, weekdays), {START + first: 0}) == [], "unknown in the first year"
    second = day_number("2026-12-24") - START
    holidays = steady(second, closed_at_christmas)
    assert small(holidays, {START + second: 2}) == []
    assert small(steady(second, weekdays), {START + second: 2}) == [
        "events, 2026-12-24: 2 rows, about 100 are usual"
    ]


def test_easter_is_found_where_it_was_not_last_year():
    easter = {date(2025, 4, 18), date(2025, 4, 21), date(2026, 4, 3)}
    closed = steady(day_number("2026-04-03") - START, lambda d: 0 if d in easter else weekdays(d))
    assert small(closed, {day_number("2026-04-03"): 0}) == [], "Good Friday"
    assert small(closed, {day_number("2026-04-03"): 100, day_number("2026-04-04"): 0}) != []


def test_easter_sundays():
    days = [easter(year) for year in (2000, 2010, 2011, 2025, 2026, 2038)]
    assert list(map(str, days)) == [
        "2000-04-23", "2010-04-04", "2011-04-24", "2025-04-20", "2026-04-05", "2038-04-25",
    ]  # fmt: skip


def test_quiet_days_may_have_any_number_of_rows():
    limits = ImportLimits(quiet_days=("2025-04-05..2025-04-07",))
    assert small(QUARTER, {MONDAY: 0}, limits) == []
    assert small(QUARTER, {MONDAY: 0, MONDAY + 1: 0}, limits) != []
    assert ImportLimits(quiet_days=("12-24..01-01",)).is_quiet(date(2030, 1, 1))
    assert not ImportLimits(quiet_days=("05-01",)).is_quiet(date(2030, 5, 2))
    with pytest.raises(ValueError, match="'Christmas' is no day or period"):
        ImportLimits(quiet_days=("Christmas",))


def test_rows_that_arrive_late_are_not_missing():
    """Every night brings a third of its day; the rest comes a day later."""
    history = {**QUARTER, MONDAY: 33}
    now = {**QUARTER, MONDAY: 100, MONDAY + 1: 30}
    args = daily({"a": history}), daily({"a": now}), MONDAY, MONDAY + 1
    assert find_small_days(*args, LIMITS, 1) == []
    complete = daily({"a": {**QUARTER, MONDAY: 100}})
    assert find_small_days(complete, *args[1:], LIMITS, 1) != []


def test_irregular_tables_are_checked_up_to_their_own_last_day():
    surveys = steady(13 * 7, lambda _: 50)
    former = {"events": daily({"a": QUARTER}), "surveys": daily({"csat": surveys}, "surveys")}
    now = {**former, "events": daily({"a": {**QUARTER, MONDAY: 100}})}
    args = former, now, MONDAY - 1, MONDAY
    assert [x.table for x in compare_rows(*args, LIMITS)] == ["surveys"]
    assert compare_rows(*args, ImportLimits(irregular=("surveys",))) == []


ROWS = st.lists(
    st.tuples(st.sampled_from(["order", "visit"]), st.integers(0, 40), st.integers(0, 86_399)),
    min_size=60, max_size=200,
)  # fmt: skip


def counted(rows: list[tuple[str, int, int]], shop: Shop) -> DailyRows:
    """The rows (kind, day, second) counted in DuckDB."""
    second = [(START + day) * 86_400 + s for _, day, s in rows]
    times = pa.array([s * 1_000_000 for s in second], pa.timestamp("us", "UTC"))
    table = pa.table({"kind": [r[0] for r in rows], "occurred_at": times, "known_at": times})
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    con.register("good_events", table)
    return count_imported_rows(con, load_company(shop.home / "shop.toml"), ["events"])["events"]


@pytest.fixture(scope="module")
def zoned(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A company in another time zone."""
    shop = Shop(tmp_path_factory.mktemp("zoned"))
    shop.about["time_zone"] = "Asia/Shanghai"
    shop.toml()
    return shop


@settings(max_examples=25, deadline=None)
@given(rows=ROWS, order=st.randoms(use_true_random=False), share=st.floats(0.25, 0.9))
def test_the_same_rows_are_never_refused_and_missing_ones_always(zoned, rows, order, share):
    former = counted(rows, zoned)
    shuffled = order.sample(rows, len(rows))
    again = counted(shuffled, zoned)
    last = former.last_day
    assert compare_rows({"events": former}, {"events": again}, last, last, LIMITS) == []
    left = counted(shuffled[int(share * len(rows)) + 1 :], zoned)
    assert compare_rows({"events": former}, {"events": left}, last, last, LIMITS)


def test_a_row_counts_on_its_local_day(zoned):
    evening = counted([("order", 0, 86_399)], zoned)
    assert evening.by_day == {None: {START + 1: 1}, "order": {START + 1: 1}}


def test_a_row_is_known_later_than_it_occurred(zoned):
    second = START * 86_400 * 1_000_000
    at = pa.array([second, second, second], pa.timestamp("us", "UTC"))
    days = [second, second + 2 * 86_400 * 1_000_000, second - 9 * 86_400 * 1_000_000]
    known = pa.array(days, pa.timestamp("us", "UTC"))
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    table = pa.table({"kind": ["a", "b", "a"], "occurred_at": at, "known_at": known})
    con.register("good_events", table)
    rows = count_imported_rows(con, load_company(zoned.home / "shop.toml"), ["events"])["events"]
    assert rows.by_day == {None: {START: 3}, "a": {START: 2}, "b": {START: 1}}
    late = {START + 2: 1}
    assert rows.known == {None: {START: 2, **late}, "a": {START: 2}, "b": late}


def event_lines(rows: int, first: date = date(2024, 1, 5), days: int = 30) -> str:
    """Events of customers A and B, spread evenly over days."""
    return HEADER + "".join(
        f"{'AB'[i % 2]},{first + timedelta(days=i * days // rows)} 10:{i % 60:02}:00,order,{i},web\n"
        for i in range(rows)
    )


@pytest.fixture
def full(shop: Shop) -> Shop:
    """A shop with 300 imported events."""
    shop.text["events"] = event_lines(300)
    shop.run()
    return shop


def test_a_refused_import_changes_nothing_and_names_the_remedy(full):
    before = full.digest()
    full.text["events"] = event_lines(30)
    with pytest.raises(DataRefused) as refused:
        full.run()
    assert str(refused.value) == (
        "rows are missing, compared with the stored history, which stays as it is:\n"
        "  - events, 30 days from 2024-01-05 to 2024-02-03: 270 of 300 stored rows are gone (90%), "
        "30 are left\n"
        "  deliver the missing rows and run again; if they are rightly missing, accept that once: "
        'goodwill retrain --accept-loss events --reason "..." (limits: [import_limits] in shop.toml)'
    )
    assert full.digest() == before
    with pytest.raises(DataRefused):
        full.run()


def test_an_accepted_loss_is_recorded_and_holds_once(full):
    full.text["events"] = event_lines(30)
    accepted = AcceptedLoss(("events",), "archived before the audit")
    import_history(full.company(), full.workspace, silent_steps(), accepted=accepted)
    (line,) = full.workspace.accepted_losses("shop").read_text("utf-8").splitlines()
    entry = json.loads(line)
    assert entry["reason"] == "archived before the audit"
    assert entry["who"]
    assert entry["at"].endswith("+00:00")
    (loss,) = entry["losses"]
    assert (loss["table"], loss["kind"], loss["before"], loss["now"]) == ("events", None, 300, 30)
    report = DataQualityReport.read(full.workspace, "shop")
    assert report is not None
    (finding,) = [f for f in report.findings if f.check == "accepted loss"]
    assert finding.says.endswith("30 are left; accepted: archived before the audit")
    full.run()
    full.text["events"] = event_lines(3)
    with pytest.raises(DataRefused, match="27 of 30 stored rows"):
        full.run()


def test_only_the_named_tables_are_accepted(full):
    full.text["events"] = event_lines(30)
    with pytest.raises(DataRefused, match="--accept-loss events"):
        import_history(
            full.company(), full.workspace, silent_steps(), AcceptedLoss(("tickets",), "all closed")
        )
    assert not full.workspace.accepted_losses("shop").exists()
    with pytest.raises(ConfigRefused, match=r"--accept-loss orders: .* it has customers, events"):
        import_history(
            full.company(), full.workspace, silent_steps(), AcceptedLoss(("orders",), "archived")
        )


KNOWN = ("events", "customers")


def test_a_loss_is_accepted_with_a_reason():
    assert AcceptedLoss.from_options((), None, KNOWN) is None
    with pytest.raises(ConfigRefused, match="the reason 'ok' says too little"):
        AcceptedLoss.from_options(("events",), "ok", KNOWN)
    with pytest.raises(ConfigRefused, match="the reason '' says too little"):
        AcceptedLoss.from_options(("events",), None, KNOWN)
    with pytest.raises(ConfigRefused, match="belongs to no table"):
        AcceptedLoss.from_options((), "archived", KNOWN)
    with pytest.raises(ConfigRefused, match="has no such table; it has customers, events"):
        AcceptedLoss.from_options(("orders",), None, KNOWN)
    twice = AcceptedLoss.from_options(("events", "events"), "archived", KNOWN)
    assert twice is not None
    assert twice.tables == ("events",)


def test_a_changed_company_file_is_mentioned(full):
    full.columns["events"] = {"kind": "'visit'"}
    with pytest.raises(DataRefused, match=r"shop\.toml has changed since the last import"):
        full.run()


def test_a_table_that_is_no_longer_mapped_is_no_loss(full):
    notes = Notes()
    del full.text["events"]
    import_history(full.company(), full.workspace, Steps(console=notes))  # type: ignore[arg-type]
    assert "  events is no longer in shop.toml: its 300 rows leave the history" in notes.lines


def test_the_check_can_be_switched_off(full):
    full.text["events"] = event_lines(30)
    full.tail = "[import_limits]\nenabled = false\n"
    assert full.run().rows["events"] == 30


def test_a_dry_run_says_that_an_import_would_be_refused(full):
    full.text["events"] = event_lines(30)
    report = run_dry_import(full.company(), full.workspace, silent_steps())
    assert "270 of 300 stored rows are gone" in report.refusals[0]


def test_many_losses_fit_on_a_screen(shop):
    kinds = [f"kind{i}" for i in range(30)]
    lines = event_lines(900).splitlines(keepends=True)[1:]
    shop.text["events"] = HEADER + "".join(
        line.replace("order", kinds[i % 30]) for i, line in enumerate(lines)
    )
    others = event_lines(90_000).splitlines(keepends=True)[1:]
    shop.text["events"] += "".join(others)
    shop.run()
    shop.text["events"] = HEADER + "".join(others)
    with pytest.raises(DataRefused, match="and 20 more"):
        shop.run()


def test_a_new_daily_file_with_too_few_rows_is_refused(shop):
    shop.text["events"] = HEADER
    shop.tables["events"] = {"files": "events_*.csv", "daily": True}
    (shop.raw / "events_1.csv").write_text(event_lines(3000, date(2024, 1, 8), 100), "utf-8")
    shop.run()
    (shop.raw / "events_2.csv").write_text(event_lines(3, date(2024, 4, 17), 1), "utf-8")
    with pytest.raises(DataRefused, match="events, 2024-04-17: 3 rows, about 30 are usual"):
        shop.run()
    (shop.raw / "events_2.csv").write_text(event_lines(28, date(2024, 4, 17), 1), "utf-8")
    assert shop.run().rows["events"] == 3028


class Notes:
    """A console that keeps its lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def print(self, text: object, **_: object) -> None:
        if isinstance(text, Indented):
            self.lines.append(" " * text.indent + text.text.plain)
        else:
            self.lines.append(str(text))

    def status(self, *_: object) -> "Notes":
        return self

    def __enter__(self) -> "Notes":
        return self

    def __exit__(self, *_: object) -> None: ...

    def update(self, *_: object) -> None: ...

    def stop(self) -> None: ...


@pytest.fixture
def two_sources(shop: Shop) -> Shop:
    """A shop whose events come from two sources, one of which has no row."""
    shop.tables["events"] = {
        "files": None,
        "sources": {"sold": "events.csv", "back": "returns.csv"},
        "query": "select * from sold union all by name select * from back",
    }
    (shop.raw / "returns.csv").write_text(HEADER, encoding="utf-8")
    return shop


def test_an_empty_source_stops_the_first_import(two_sources):
    with pytest.raises(DataRefused) as refused:
        two_sources.run()
    assert str(refused.value) == (
        "rows are missing, nothing is imported:\n"
        "  - events: the source back: returns.csv has no row at all\n"
        "  a source that may be empty is named in tables.events.may_be_empty in shop.toml\n"
        "  deliver the missing rows and run again; if they are rightly missing, accept that once: "
        'goodwill retrain --accept-loss events --reason "..." (limits: [import_limits] in shop.toml)'
    )
    assert not two_sources.workspace.history("shop").exists()
    report = run_dry_import(two_sources.company(), two_sources.workspace, silent_steps())
    assert "the source back: returns.csv has no row at all" in report.refusals[0]


def test_an_empty_source_is_accepted_once_or_expected_by_the_company_file(two_sources):
    accepted = AcceptedLoss(("events",), "no returns in the first month")
    import_history(two_sources.company(), two_sources.workspace, silent_steps(), accepted=accepted)
    report = DataQualityReport.read(two_sources.workspace, "shop")
    assert report is not None
    assert [f.check for f in report.findings if f.says.endswith("first month")] == ["empty source"]
    with pytest.raises(DataRefused, match=r"stored history, which stays.*\n.*back: returns"):
        two_sources.run()
    two_sources.tables["events"]["may_be_empty"] = ["back"]
    assert two_sources.run().rows["events"] == 4
