"""Reading a company's tables, and refusals of what cannot be read or validated."""

import gzip
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.errors import ConfigRefused, DataRefused, GoodwillError
from support.company_builders import GOOD, Shop


def event(**columns: str):
    """Map a column of events with another expression."""
    return lambda shop: shop.columns.update(events=columns)


def spoil(table: str, old: str, new: str):
    return lambda shop: shop.spoil(table, old, new)


def about(**keys):
    return lambda shop: shop.about.update(keys)


def of_table(name: str, **keys):
    return lambda shop: shop.tables.update({name: keys})


def only_header(shop):
    shop.text["events"] = GOOD["events"].splitlines()[0] + "\n"


def mixed_kinds(shop):
    pq.write_table(pa.table({"a": [1]}), shop.raw / "more.parquet")
    shop.tables["events"] = {"files": ["events.csv", "more.parquet"]}


def not_parquet(shop):
    (shop.raw / "events.parquet").write_bytes(b"PAR1 no, it is not")
    shop.tables["events"] = {"files": "events.parquet"}


#: name: (what is spoilt, the class of the refusal, what its message holds)
BAD = {
    "missing file": (
        of_table("events", files="evnets.csv"), DataRefused,
        ["table events: missing file", "raw/evnets.csv (0 rows read)", "check `root` and `files`",
         "shop.toml"]),
    "glob without a match": (
        of_table("events", files="events_*.parquet"), DataRefused, ["events_*.parquet"]),
    "files of two kinds": (
        mixed_kinds, DataRefused, ["tables.events", "all be Parquet, all be CSV"]),
    "file of no kind": (
        lambda shop: ((shop.raw / "e.pdf").touch(), of_table("events", files="e.pdf")(shop)),
        DataRefused, ["tables.events reads e.pdf", "all be Parquet, all be CSV"]),
    "broken file": (not_parquet, DataRefused, ["tables.events: file events.parquet cannot be read"]),
    "missing column": (
        spoil("events", ",amount,", ",net,"), DataRefused,
        ["tables.events.columns.amount uses a name that the data do not have", "the columns are: ",
         "net"]),
    "missing column in a drop rule": (
        of_table("events", drop={"tests": "is_test"}), DataRefused,
        ["tables.events.drop.'tests' uses a name", "the columns are: customer_id"]),
    "missing source in a query": (
        of_table("events", query="select * from sauce"), DataRefused, ["tables.events.query", "sauce"]),
    "number that is none": (
        spoil("events", ",20,", ",twenty,"), DataRefused,
        ["table events, column amount: wrong type, not a number in 1 of 4 rows; such as 'twenty': "
         "correct the values"]),
    "number column of dates": (
        event(amount="occurred_at::date"), DataRefused,
        ["table events, column amount: all rows are of type DATE; cast it to a number"]),
    "time column of numbers": (
        event(occurred_at="amount"), DataRefused,
        ["table events, column occurred_at: amount gives numbers, not times; numbers from -3 to 25.5 "
         "are no count of days"]),
    "flag that is none": (
        spoil("tickets", "true", "perhaps"), DataRefused,
        ["table tickets, column reopened: wrong type, not a number in 1 of 2 rows"]),
    "unparsable dates": (
        spoil("events", "2024-02-01 08:00:00", "32/13/2024"), DataRefused,
        ["table events, column occurred_at: unparsable dates in 1 of 4 rows; such as '32/13/2024': "
         "write them as",
         "strptime"]),
    "mixed time zones": (
        spoil("events", "2024-02-01 08:00:00", "2024-02-01T08:00:00+05:00"), DataRefused,
        ["table events, column occurred_at: mixed time zones (none, +05:00) in 1 of 4 rows; "
         "give every time an offset or none", "company.time_zone"]),
    "two foreign offsets": (
        lambda shop: (spoil("surveys", "09:00:00", "09:00:00-03:00")(shop),
                      spoil("surveys", "09:00:00,,", "09:00:00-02:00,,")(shop)), DataRefused,
        ["table surveys, column sent_at: mixed time zones (-02:00, -03:00) in 1 of 2 rows"]),
    "duplicate customer versions": (
        spoil("customers", "B,2024-01-01", "A,2024-01-01"), DataRefused,
        ["table customers, column valid_from: duplicate customer versions in 2 of 2 rows; "
         "keep one row for each customer_id and valid_from"]),
    "customer without a date": (
        spoil("customers", "B,2024-01-01", "B,"), DataRefused,
        ["table customers, column valid_from: no value in 1 of 2 rows"]),
    "events of unknown customers": (
        spoil("events", "B,2024-02", "Z,2024-02"), DataRefused,
        ["table events, column customer_id: unknown customers in 1 of 4 rows; "
         "add them to the customers table, or drop their rows"]),
    "nobody's event": (
        spoil("events", "B,2024-02", ",2024-02"), DataRefused,
        ["table events, column customer_id: no value in 1 of 4 rows; every row needs one"]),
    "event without a kind": (
        spoil("events", "return", ""), DataRefused, ["column kind: no value in 1 of 4 rows"]),
    "future dates": (
        spoil("events", "2024-03-01", "2999-03-01"), DataRefused,
        ["table events, column occurred_at: future dates, after 20", "in 1 of 4 rows; "
         "records cannot come from the future", "company.data_end"]),
    "answer from the future": (
        spoil("surveys", "2024-02-02", "2999-02-02"), DataRefused,
        ["table surveys, column answered_at: future dates", "1 of 2 rows"]),
    "after the declared end": (
        about(data_end="2024-02-15T00:00:00Z"), DataRefused,
        ["table events, column occurred_at: future dates, after 2024-02-15 00:00 UTC in 1 of 4"]),
    "infinite amount": (
        spoil("events", ",20,", ",inf,"), DataRefused,
        ["table events, column amount: not a finite number in 1 of 4 rows"]),
    "scale without extent": (
        spoil("surveys", "4,1,5", "4,5,5"), DataRefused,
        ["table surveys, column scale_high: a scale without extent, its worst and its best answer are "
         "the same or not finite in 1 of 2 rows; map scale_low to the worst"]),
    "score outside its scale": (
        spoil("surveys", "4,1,5", "6,1,5"), DataRefused,
        ["table surveys, column score: score outside its scale in 1 of 2 rows; correct the scale"]),
    "score without an answer": (
        spoil("surveys", "2024-02-02 10:00:00", ""), DataRefused,
        ["table surveys, column answered_at: a score without the time of the answer in 1 of 2 rows"]),
    "answered before it was sent": (
        spoil("surveys", "2024-02-02 10", "2024-02-01 08"), DataRefused,
        ["column answered_at: answered before it was sent in 1 of 2 rows"]),
    "unknown instrument": (
        spoil("surveys", "csat", "smiley"), DataRefused,
        ["column instrument: unknown instrument in 1 of 2 rows; map it to one of csat, nps, ces"]),
    "weight of nothing": (
        lambda shop: shop.columns.update(surveys={"weight": "score - 4"}), DataRefused,
        ["column weight: weight is not positive in 1 of 2 rows"]),
    "closed before it was opened": (
        spoil("tickets", "2024-02-05", "2024-02-01"), DataRefused,
        ["table tickets, column closed_at: closed_at before opened_at in 1 of 2 rows"]),
    "empty table": (
        only_header, DataRefused,
        ["table events is empty: 0 rows; check its files, or remove tables.events from shop.toml"]),
    "everything dropped": (
        of_table("events", drop={"all of it": "true"}), DataRefused,
        ["table events is empty: 0 rows (4 removed by drop rules)"]),
    "unknown key": (
        about(tmie_zone="UTC"), ConfigRefused, ["unknown key company.tmie_zone", "time_zone"]),
    "syntax error": (
        event(amount="amount +"), DataRefused,
        ["tables.events.columns.amount is not a valid SQL expression", "shop.toml"]),
    "empty expression": (
        event(amount=""), DataRefused, ["tables.events.columns.amount is not a valid SQL expression"]),
    "comment in an expression": (
        event(amount="amount -- net"), DataRefused, ["is not a valid SQL expression"]),
    "unknown function": (
        event(amount="nett(amount)"), DataRefused, ["tables.events.columns.amount", "nett"]),
    "error while running": (
        event(amount="cast(channel as integer)"), DataRefused, ["tables.events.columns cannot be read"]),
    "second statement": (
        event(amount="1); drop table typed_customers; --"), DataRefused,
        ["tables.events.columns.amount is not a valid SQL expression"]),
    "second statement that writes": (
        event(kind="'x'); copy (select 1) to 'stolen.csv'; select (1"), DataRefused,
        ["tables.events.columns.kind is not a valid SQL expression"]),
    "statement broken out of": (
        event(amount="1) as x from reshaped --"), DataRefused,
        ["tables.events.columns.amount is not a valid SQL expression"]),
    "second statement in a drop rule": (
        of_table("events", drop={"old": "false), false); drop table good_customers; --"}), DataRefused,
        ["tables.events.drop.'old' is not a valid SQL expression"]),
    "second statement in a query": (
        of_table("events", query="select * from source; drop table good_customers"), DataRefused,
        ["tables.events.query is not a valid SQL expression", "several statements"]),
}  # fmt: skip


@pytest.fixture(scope="module")
def good_history(tmp_path_factory) -> Path:
    """The history of the unchanged company."""
    shop = Shop(tmp_path_factory.mktemp("good"))
    shop.run()
    return shop.workspace.history("shop")


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_and_the_former_history_stays(
    name, good_history, shop: Shop, tmp_path, monkeypatch
):
    spoil_it, refusal, messages = BAD[name]
    shutil.copytree(good_history, shop.workspace.history("shop"))
    before = shop.digest()
    assert "history/history.json" in before
    monkeypatch.chdir(tmp_path)
    spoil_it(shop)
    with pytest.raises(GoodwillError) as refused:
        shop.run()
    assert type(refused.value) is refusal
    assert refused.value.exit_code == 3
    for message in messages:
        assert message in str(refused.value)
    assert shop.digest() == before, "nothing overwritten, nothing left behind"
    assert not (tmp_path / "stolen.csv").exists()


def test_the_unchanged_company_is_accepted(shop):
    manifest = shop.run()
    assert manifest.rows == {"customers": 2, "events": 4, "surveys": 2, "tickets": 2}
    assert (manifest.dropped, manifest.quarantined) == ({}, {})
    assert shop.stored("tickets")["reopened"].to_pylist() == [1.0, None]
    assert shop.stored("events")["amount"].to_pylist() == [10, -3, 20, 25.5]


def test_unmapped_columns_get_their_default(shop):
    shop.run()
    assert shop.stored("surveys")["dimension"].to_pylist() == ["overall"] * 2
    assert shop.stored("surveys")["weight"].to_pylist() == [1.0] * 2
    assert shop.stored("tickets")["kind"].to_pylist() == ["complaint"] * 2
    events = shop.stored("events")
    assert events["known_at"].equals(events["occurred_at"])
    assert events["due_at"].null_count == 4


FIRST, *LINES = GOOD["events"].splitlines(keepends=True)


@pytest.mark.slow
def test_all_file_formats_give_the_same_history(shop):
    manifest = shop.run()
    (shop.raw / "part_1.csv").write_text(FIRST + "".join(LINES[:2]))
    (shop.raw / "part_2.csv").write_text(FIRST + "".join(LINES[2:]))
    with gzip.open(shop.raw / "all.csv.gz", "wt") as out:
        out.write(GOOD["events"])
    pq.write_table(shop.stored("events"), shop.raw / "events.parquet")
    for files in ("part_*.csv", ["part_1.csv", "part_2.csv"], "all.csv.gz", "events.parquet",
                  str(shop.raw / "events.parquet")):  # fmt: skip
        shop.tables["events"] = {"files": files}
        again = shop.run()
        assert again.fingerprint == manifest.fingerprint, files


def test_a_folder_with_brackets_in_its_name(tmp_path):
    shop = Shop(tmp_path / "data *(1)")
    assert shop.run().rows["events"] == 4


def test_a_query_joins_several_sources(shop):
    (shop.raw / "prices.csv").write_text("channel,rate\nweb,2\nshop,3\n")
    shop.tables["events"] = {
        "files": None,
        "sources": {"sales": "events.csv", "prices": "prices.csv"},
        "query": "select s.*, rate from sales s left join prices using (channel) -- done",
    }
    shop.columns["events"] = {"amount": "amount * rate"}
    shop.run()
    assert shop.stored("events")["amount"].to_pylist() == [20, -6, 60, None]


def test_a_dropped_row_counts_for_its_first_rule(shop):
    shop.tables["events"] = {
        "drop": {"returns": "kind = 'return'", "web": "channel = 'web'", "none": "amount > 1e9"}
    }
    manifest = shop.run()
    assert manifest.dropped == {"events": {"returns": 1, "web": 1, "none": 0}}
    assert manifest.rows["events"] == 2, "a channel that is null is no web channel"


@pytest.mark.parametrize(
    ("zone", "text", "utc"),
    [
        ("UTC", "2024-05-31 13:45:00", "2024-05-31 13:45:00"),
        ("Europe/Berlin", "2024-01-31 13:45:00", "2024-01-31 12:45:00"),
        ("Europe/Berlin", "2024-07-31 13:45:00", "2024-07-31 11:45:00"),
        ("Europe/Berlin", "2024-03-31 01:59:59", "2024-03-31 00:59:59"),  # an hour is left out
        ("Europe/Berlin", "2024-03-31 03:00:00", "2024-03-31 01:00:00"),
        ("Europe/Berlin", "2024-10-27 01:59:59", "2024-10-26 23:59:59"),  # an hour comes twice
        ("Europe/Berlin", "2024-10-27 03:00:00", "2024-10-27 02:00:00"),
        ("America/Sao_Paulo", "2018-11-04 12:00:00", "2018-11-04 14:00:00"),
        ("Asia/Kolkata", "2024-05-31T00:00:00", "2024-05-30 18:30:00"),
        ("Asia/Kolkata", "2024-05-31", "2024-05-30 18:30:00"),
        ("Asia/Kolkata", "2024-05-31T13:45:00Z", "2024-05-31 13:45:00"),
        ("Asia/Kolkata", "2024-05-31T13:45:00+02:00", "2024-05-31 11:45:00"),
        ("Asia/Kolkata", "2024-05-31 13:45:00-0330", "2024-05-31 17:15:00"),
        ("Asia/Kolkata", "2024-05-31 13:45:00.250+02", "2024-05-31 11:45:00"),
    ],
)
def test_times_are_instants(shop, zone, text, utc):
    """Naive times are in the company's zone with daylight saving time; offsets win; dates are midnight.

    Read as texts and, where a file has types, as what DuckDB takes them for.
    """
    shop.about["time_zone"] = zone
    shop.text = {"events": FIRST + f"A,{text},order,1,web\n"}
    for expression in ("occurred_at", "occurred_at::varchar"):
        shop.columns["events"] = {"occurred_at": expression}
        shop.run()
        assert shop.moments("events", "occurred_at") == [utc]
        assert shop.moments("events", "known_at") == [utc]


def test_times_in_daylight_saving_changes_are_read(shop):
    shop.about["time_zone"] = "Europe/Berlin"
    shop.text = {"events": FIRST + "A,2024-03-31 02:30:00,x,1,\nA,2024-10-27 02:30:00,x,1,\n"}
    shop.run()
    never, twice = shop.moments("events", "occurred_at")
    assert never in {"2024-03-31 00:30:00", "2024-03-31 01:30:00"}
    assert twice in {"2024-10-27 00:30:00", "2024-10-27 01:30:00"}


def test_a_source_column_with_a_contract_name_does_not_shadow_the_mapping(shop):
    """known_at defaults to occurred_at as mapped, not to a source column of that name."""
    shop.about["time_zone"] = "Europe/Berlin"
    shop.columns["events"] = {"occurred_at": "occurred_at + interval 1 day"}
    shop.run()
    assert shop.moments("events", "occurred_at")[0] == "2024-01-06 09:00:00"
    assert shop.moments("events", "known_at") == shop.moments("events", "occurred_at")


def test_missing_known_at_defaults_to_occurred_at(shop):
    shop.columns["events"] = {
        "known_at": "case when channel = 'web' then occurred_at + interval 2 day end"
    }
    shop.run()
    occurred, known = (shop.moments("events", c) for c in ("occurred_at", "known_at"))
    assert known[:2] == ["2024-01-07 10:00:00", "2024-01-11 12:30:00"]
    assert known[2:] == occurred[2:]


def test_attributes_have_the_type_of_their_values(shop):
    shop.columns["customers"] = {
        "since": "valid_from", "grade": "'x' || size", "vip": "size > 6", "share": "size / 3",
    }  # fmt: skip
    attributes = shop.run().schema.attributes
    assert attributes == {
        "region": "text", "size": "number", "since": "text", "grade": "text", "vip": "number",
        "share": "number",
    }  # fmt: skip
    assert shop.stored("customers")["vip"].to_pylist() == [0.0, 1.0]


def renamed(shop, table, old, new):
    """Give a column another header."""
    shop.text[table] = shop.text[table].replace(old, new, 1)


@pytest.mark.parametrize("header", ["Customer ID", "order", "select", "2024", "a.b", 'the "id"'])
def test_a_bare_name_that_sql_does_not_read_is_refused_and_its_remedy_works(shop, header):
    renamed(shop, "events", "customer_id", '"' + header.replace('"', '""') + '"')
    shop.columns["events"] = {"customer_id": header}
    quoted = '"' + header.replace('"', '""') + '"'
    with pytest.raises(DataRefused) as refused:
        shop.run()
    assert f"write it in double quotes: customer_id = '{quoted}'" in str(refused.value)
    shop.columns["events"] = {"customer_id": quoted}
    assert shop.run().rows["events"] == 4


def test_a_name_that_is_also_a_difference_is_refused_with_both_readings(shop):
    shop.text["events"] = """customer_id,occurred_at,kind,amount,tax,amount-tax
A,2024-01-05 10:00:00,order,10,2,50
A,2024-01-09 12:30:00,return,-3,1,50
B,2024-02-01 08:00:00,order,20,4,50
B,2024-03-01 00:00:00,order,25.5,5,50
"""
    shop.columns["events"] = {"amount": "amount-tax", "channel": "'web'"}
    with pytest.raises(DataRefused) as refused:
        shop.run()
    assert "amount = '\"amount-tax\"'" in str(refused.value)
    assert 'amount = "(amount-tax)"' in str(refused.value)
    shop.columns["events"]["amount"] = '"amount-tax"'
    shop.run()
    assert set(shop.stored("events")["amount"].to_pylist()) == {50.0}
    shop.columns["events"]["amount"] = "(amount-tax)"
    shop.run()
    assert sorted(shop.stored("events")["amount"].to_pylist()) == [-4.0, 8.0, 16.0, 20.5]
