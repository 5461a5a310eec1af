"""PostgreSQL as a source, on a real server: types, one snapshot, read-only access, refusals."""

import io
import re
from datetime import UTC, date, datetime, time
from decimal import Decimal

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from features.config.company import load_company
from features.config.postgres_settings import PostgresSettings, find_postgres_address
from features.errors import DataRefused, EnvironmentFailed
from features.import_history.run_import import import_history
from features.ingest.postgres import extract_queries
from features.ingest.read_table import connect_for_import
from features.ingest.source_views import bind_sources, read_postgres_queries
from features.progress import Steps, silent_steps
from features.settings import Workspace
from support.company_builders import GOOD, Shop
from support.postgres_server import Server

TAIL = '[postgres]\nurl_from = "SHOP_DATABASE_URL"\n'
ALL_TYPES = {
    # column: (SQL of its value, DuckDB's type, its value)
    "i2": ("3::smallint", "SMALLINT", 3),
    "i4": ("-7::int", "INTEGER", -7),
    "i8": ("9007199254740993::bigint", "BIGINT", 9007199254740993),
    "f4": ("1.5::real", "FLOAT", 1.5),
    "f8": ("0.1::double precision", "DOUBLE", 0.1),
    "declared": ("12.30::numeric(12,2)", "DECIMAL(12,2)", Decimal("12.30")),
    "whole": ("120000::numeric(20,0)", "DECIMAL(20,0)", Decimal("120000")),
    "ids": ("10000000000000000001::numeric", "HUGEINT", 10000000000000000001),
    "small_ids": ("100::numeric", "BIGINT", 100),
    "open": ("0.000123::numeric", "DOUBLE", 0.000123),
    "wide": ("1.5::numeric(60,20)", "DOUBLE", 1.5),
    "rounded": ("1200::numeric(5,-2)", "BIGINT", 1200),
    "paid": ("1234.5::money", "DOUBLE", 1234.5),
    "yes": ("true", "BOOLEAN", True),
    "a_day": ("date '2024-02-29'", "DATE", date(2024, 2, 29)),
    "naive": ("timestamp '2024-03-31 02:30:00.123456'", "TIMESTAMP",
              datetime(2024, 3, 31, 2, 30, 0, 123456)),  # noqa: DTZ001
    "instant": ("timestamptz '2024-03-31 02:30:00+05:30'", "TIMESTAMP WITH TIME ZONE",
                datetime(2024, 3, 30, 21, 0, tzinfo=UTC)),
    "clock": ("time '10:00:01'", "TIME", time(10, 0, 1)),
    "words": ("'Grüße, 客户 \"x\"\n' || chr(128578)", "VARCHAR", 'Grüße, 客户 "x"\n🙂'),
    "padded": ("'ab'::char(5)", "VARCHAR", "ab"),
    "nothing": ("null::int", "INTEGER", None),
    "nowhere": ("null::numeric", "DOUBLE", None),
    "mood": ("'ok'::mood", "VARCHAR", "ok"),
    "uid": ("'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid", "VARCHAR",
            "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    "js": ("'{\"a\": [1]}'::jsonb", "VARCHAR", '{"a": [1]}'),
    "list": ("array[1, 2]", "VARCHAR", "{1,2}"),
    "lasts": ("interval '1 day 2 hours'", "VARCHAR", "1 day 02:00:00"),
    "net": ("inet '10.0.0.1'", "VARCHAR", "10.0.0.1/32"),
    "span": ("int4range(1, 3)", "VARCHAR", "[1,3)"),
    "raw": ("'\\x00ff'::bytea", "BLOB", b"\x00\xff"),
    'Odd "name"': ("1", "INTEGER", 1),
}  # fmt: skip


@pytest.fixture(scope="module")
def server():
    server = Server()
    server.run(
        "create type mood as enum ('sad', 'ok')",
        "create table vault (id int, secret text)", "insert into vault values (1, 'x')",
        "create function writes() returns int language sql security definer as "
        "'insert into vault values (2) returning 1'",
        "create table empty (customer_id text, occurred_at timestamptz, kind text, amount float8, "
        "channel text)", "grant select on empty to reader",
    )  # fmt: skip
    empty = pc.ConvertOptions(strings_can_be_null=True)
    for name in GOOD:
        server.create_table(
            name, pc.read_csv(io.BytesIO(GOOD[name].encode()), convert_options=empty)
        )
    yield server
    server.remove()


@pytest.fixture(autouse=True)
def _url(server, monkeypatch):
    monkeypatch.setenv("SHOP_DATABASE_URL", server.url())


def settings_of(**keys) -> PostgresSettings:
    return PostgresSettings(url_from="SHOP_DATABASE_URL", **keys)


def recorded_steps(tmp_path) -> tuple[Steps, io.StringIO]:
    output = io.StringIO()
    return Steps(tmp_path / "log.jsonl", Console(file=output, width=300)), output


def extract(tmp_path, queries, steps=None, pause=None, **keys):
    config = settings_of(**keys)
    steps = steps or silent_steps()
    no_pause = [].append
    address = find_postgres_address(config, "shop.toml")
    return extract_queries(address, config, queries, tmp_path / "pg", steps, pause or no_pause)


def shop_of(shop: Shop, **postgres) -> Shop:
    shop.tail += TAIL
    shop.tables |= {name: {"files": None, "postgres": query} for name, query in postgres.items()}
    return shop


def as_source(shop: Shop, query: str):
    """Types and rows of a query as a mapping's SQL sees them."""
    company = shop_of(shop, events=query).company()
    with connect_for_import(shop.workspace, company) as con:
        read_postgres_queries(con, company, shop.workspace, silent_steps())
        bind_sources(con, company, "events", company.tables["events"], shop.workspace)
        described = {r[0]: r[1] for r in con.execute("describe source").fetchall()}
        return described, con.sql("from source").to_arrow_table().to_pylist()


def test_every_type_is_kept_or_becomes_text(shop):
    columns = ", ".join(f'{sql} as "{name.replace(chr(34), chr(34) * 2)}"'
                        for name, (sql, _, _) in ALL_TYPES.items())  # fmt: skip
    types, rows = as_source(shop, f"select {columns}")
    assert types == {name: kind for name, (_, kind, _) in ALL_TYPES.items()}
    assert rows == [{name: value for name, (_, _, value) in ALL_TYPES.items()}]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.one_of(st.none(), st.decimals(allow_nan=False, allow_infinity=False, places=6,
                min_value=-(10**12), max_value=10**12), st.integers(-(10**17), 10**17).map(Decimal)),
                min_size=1, max_size=30))  # fmt: skip
def test_numbers_are_the_nearest_doubles(server, tmp_path_factory, numbers):
    """Numeric values, through text and back, equal what Python parses from the same digits."""
    values = ", ".join(
        f"({i}, {'null' if n is None else n}::numeric)" for i, n in enumerate(numbers)
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHOP_DATABASE_URL", server.url())
        shop = Shop(tmp_path_factory.mktemp("numbers"))
        _, rows = as_source(shop, f"select * from (values {values}) as v (i, n) order by i")
    found = [row["n"] for row in sorted(rows, key=lambda row: row["i"])]
    assert [f if f is None else float(f) for f in found] == [
        n if n is None else float(n) for n in numbers
    ]


def test_nan_violates_a_rule(shop):
    shop_of(shop, events="select *, 'NaN'::numeric as worth from events")
    shop.columns["events"] = {"amount": "worth"}
    with pytest.raises(DataRefused, match="not a finite number in 4 of 4 rows"):
        shop.run()


def test_infinite_times_are_counted_and_read_as_null(tmp_path):
    steps, output = recorded_steps(tmp_path)
    moments = [
        "'infinity'",
        "'-infinity'",
        "'0044-03-15 BC'",
        "'12000-01-01'",
        "null",
        "'2024-01-01'",
    ]
    for kind in ("timestamptz", "timestamp", "date"):
        query = f"select unnest(array[{', '.join(moments)}]::{kind}[]) as until"
        spooled = extract(tmp_path, {kind: query}, steps)[kind]
        assert spooled.infinite == {"until": 4}
        stored = pq.read_table(spooled.path)["until"].to_pylist()
        assert stored[:5] == [None] * 5
        assert f"{stored[5]:%Y-%m-%d}" == "2024-01-01"
        assert (
            f"{kind}: column until is infinite or outside the years 1 to 9999 in 4 rows"
            in output.getvalue()
        )


def test_a_database_that_is_not_in_utf8(server, tmp_path, monkeypatch):
    server.run(
        "create database old encoding 'LATIN1' lc_collate 'C' lc_ctype 'C' template template0"
    )
    monkeypatch.setenv("SHOP_DATABASE_URL", server.url(database="old"))
    found = extract(tmp_path, {"q": "select chr(252) as u, 'Müller' as name"})
    assert pq.read_table(found["q"].path).to_pylist() == [{"u": "ü", "name": "Müller"}]


@pytest.mark.slow
def test_the_sample_company_is_the_same_from_postgresql(
    server, tiny_company, tmp_path, monkeypatch
):
    """Bit for bit: the fingerprint covers every value."""
    company, workspace = tiny_company
    raw = workspace.company("sample") / "raw"
    for file in raw.glob("*.parquet"):
        server.create_table(file.stem, pq.read_table(file))
    text = company.path.read_text(encoding="utf-8")
    text = re.sub(r'files = "(\w+)\.parquet"', r'postgres = "\1"', text)
    text = text.replace("sources = {", "postgres = {").replace('.parquet"', '"')
    text = text.replace('"orders"', '"select * from orders where account_no is not null -- all"')
    assert ".parquet" not in text
    home = Workspace(tmp_path)
    home.data.mkdir()
    (home.data / "sample.toml").write_text(text + TAIL, encoding="utf-8")
    again = import_history(load_company(home.data / "sample.toml"), home, silent_steps())
    first = import_history(company, Workspace(tmp_path / "files"), silent_steps())
    assert (again.fingerprint, again.rows) == (first.fingerprint, first.rows)
    assert again.schema == first.schema
    assert not (home.company("sample") / "spill").exists()


def test_files_and_postgres_tables_in_one_query(server, shop):
    expected = shop.run().fingerprint
    (shop.raw / "kinds.csv").write_text("kind\norder\nreturn\n")
    shop_of(shop)
    shop.tables["events"] = {
        "files": None, "sources": {"kinds": "kinds.csv"},
        "postgres": {"sales": "public.events", "more": "select 1 as one"},
        "query": "select sales.* from sales join kinds using (kind) cross join more",
    }  # fmt: skip
    assert shop.run().fingerprint == expected


def test_all_queries_see_one_snapshot(server, tmp_path):
    """Rows committed between two queries are in neither."""
    server.run("create table moving (x int)", "grant select on moving to reader")

    class Slow(dict[str, str]):
        def items(self):
            for place, query in super().items():
                yield place, query
                server.run("insert into moving values (1)")

    found = extract(tmp_path, Slow(a="moving", b="select * from moving", c="public.moving"))
    assert [found[place].rows for place in "abc"] == [0, 0, 0]
    assert extract(tmp_path, {"a": "moving"})["a"].rows == 3


def test_the_session_is_read_only_and_has_a_name(tmp_path):
    names = ["transaction_read_only", "default_transaction_read_only", "transaction_isolation",
             "application_name", "statement_timeout", "TimeZone"]  # fmt: skip
    query = "select " + ", ".join(f"current_setting('{n}') as {n}" for n in names)
    found = extract(tmp_path, {"q": query}, statement_timeout_seconds=90)["q"]
    row = pq.read_table(found.path).to_pylist()[0]
    assert list(row.values()) == ["on", "on", "repeatable read", "goodwill", "90s", "UTC"]


def test_queries_that_write_are_refused(server, tmp_path, monkeypatch):
    """Also as the superuser, and through a function."""
    monkeypatch.setenv("SHOP_DATABASE_URL", server.url("postgres", ""))
    for query in ("select writes()", "insert into vault values (3) returning id",
                  "with w as (delete from vault returning id) select * from w",
                  "select 1; delete from vault", "select nextval('pg_catalog.nope')",
                  "select 1) to stdout; delete from vault; --"):  # fmt: skip
        with pytest.raises(DataRefused, match=r"^here: PostgreSQL at host 127\.0\.0\.1") as refused:
            extract(tmp_path, {"here": query})
        if query == "select writes()":
            assert "read-only transaction; Goodwill only reads" in str(refused.value)
    assert server.run("select id from vault") == [(1,)]


def test_a_role_with_write_access_is_reported(server, tmp_path, monkeypatch):
    steps, output = recorded_steps(tmp_path)
    extract(tmp_path, {"q": "select 1 as a"}, steps)
    assert "may write" not in output.getvalue()
    monkeypatch.setenv("SHOP_DATABASE_URL", server.url("postgres", ""))
    extract(tmp_path, {"q": "select 1 as a"}, steps)
    assert "user postgres may write to this database; Goodwill only reads" in output.getvalue()


@pytest.mark.parametrize(
    ("query", "messages"),
    [
        ("nope", ['relation "nope" does not exist; name a table that exists, with its schema']),
        ("shop.orders", ['relation "shop.orders" does not exist; name a table']),
        ("select nope from events", ['column "nope" does not exist; name a column']),
        ("vault", ["permission denied for table vault", "GRANT SELECT ON ... TO reader"]),
        ("selec 1", ["syntax error", "one PostgreSQL select"]),
        ("select 1 as a, 2 as A", ["two columns are called a"]),
        ("select 1 / (id - 1) as x from (values (1)) as v (id)", ["division by zero"]),
        ("select pg_sleep(9) as x", ["statement timeout", "postgres.statement_timeout_seconds"]),
        ("select i, pg_sleep(0.01)::text as x from generate_series(1, 100000) as i",
         ["statement timeout", "postgres.statement_timeout_seconds"]),
    ],
)  # fmt: skip
def test_server_errors_name_place_and_remedy(shop, query, messages):
    shop_of(shop, events=query)
    shop.tail += "statement_timeout_seconds = 1\nretries = 0\n"
    with pytest.raises(DataRefused) as refused:
        shop.run()
    for message in ["shop.toml: tables.events.postgres (source): ", *messages]:
        assert message in str(refused.value)
    assert not shop.workspace.history("shop").exists()


def test_a_table_without_rows(shop):
    with pytest.raises(DataRefused, match="table events is empty: 0 rows"):
        shop_of(shop, events="empty").run()


def unused_address(server) -> str:
    return server.url().replace(f":{server.port}/", ":1/")


def test_an_unavailable_server_is_retried_then_given_up(server, tmp_path, monkeypatch):
    monkeypatch.setenv("SHOP_DATABASE_URL", unused_address(server))
    steps, output = recorded_steps(tmp_path)
    pauses: list[float] = []
    with pytest.raises(EnvironmentFailed) as refused:
        extract(tmp_path, {"q": "select 1 as a"}, steps, pauses.append, retries=8)
    message = str(refused.value)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
    for part in ("host 127.0.0.1, port 1, database postgres is unavailable: Connection refused",
                 "tried 9 times", "run again", "SHOP_DATABASE_URL"):  # fmt: skip
        assert part in message
    assert "is unavailable (Connection refused); next try in 4 s (try 4 of 9)" in output.getvalue()
    assert_no_secret(message + output.getvalue() + (tmp_path / "log.jsonl").read_text())


def assert_no_secret(text: str) -> None:
    assert Server.password not in text
    assert "ge%3A" not in text
    assert "he/im" not in text


def test_a_server_that_becomes_available(server, tmp_path):
    server.stop()
    steps, _ = recorded_steps(tmp_path)
    found = extract(tmp_path, {"q": "events"}, steps, lambda _: server.start())
    assert found["q"].rows == 4
    assert '"retries": 1' in (tmp_path / "log.jsonl").read_text()


def test_a_server_that_stops_during_a_query(server, tmp_path):
    """The first try ends among its rows; the second starts again without duplicates."""
    server.run("create table switch as select true as dies", "grant select on switch to reader")
    steps, output = recorded_steps(tmp_path)
    query = (
        "select i, case when i = 250000 and (select dies from switch) "
        "then pg_terminate_backend(pg_backend_pid())::text end as x from generate_series(1, 500000) i"
    )
    found = extract(
        tmp_path, {"a": "events", "b": query}, steps,
        lambda _: server.run("update switch set dies = false"), batch_mb=1,
    )  # fmt: skip
    assert "terminating connection due to administrator command" in output.getvalue()
    stored = pq.read_table(found["b"].path)["i"].to_pylist()
    assert stored == list(range(1, 500_001))
    assert pq.ParquetFile(found["b"].path).num_row_groups > 1
    server.run("update switch set dies = true")
    with pytest.raises(
        EnvironmentFailed, match=r"is unavailable: terminating .* \(tried 2 times\)"
    ):
        extract(tmp_path, {"b": query}, retries=1)


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"password": "falsch"}, 'password authentication failed for user "reader"'),
        ({"user": "nobody"}, 'password authentication failed for user "nobody"'),
        ({"database": "nowhere"}, 'database "nowhere" does not exist'),
    ],
)
def test_rejected_credentials_are_not_retried(server, tmp_path, monkeypatch, change, part):
    monkeypatch.setenv("SHOP_DATABASE_URL", server.url(**change))
    pauses: list[float] = []
    with pytest.raises(DataRefused) as refused:
        extract(tmp_path, {"q": "select 1 as a"}, pause=pauses.append)
    assert f"rejects user {change.get('user', 'reader')}: {part}" in str(refused.value)
    assert "falsch" not in str(refused.value)
    assert_no_secret(str(refused.value))
    assert pauses == []


def test_rows_arrive_in_batches(server, tmp_path):
    """Only a batch is in memory; its number of rows depends on their width."""
    query = "select i, repeat('x', 100) as x from generate_series(1, 60000) i"
    found = extract(tmp_path, {"q": query}, batch_mb=1)
    file = pq.ParquetFile(found["q"].path)
    sizes = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
    assert sum(sizes) == 60_000
    assert max(sizes) < 15_000
    assert pa.types.is_int32(file.schema_arrow.field("i").type)
