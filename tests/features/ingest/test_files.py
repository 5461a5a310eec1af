"""The files of a source: patterns, folders, compression, CSV formats."""

import gzip
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.errors import ConfigRefused, DataRefused, EnvironmentFailed
from features.ingest.read_table import connect_for_import
from features.ingest.source_views import bind_sources
from support.company_builders import GOOD

FIRST, *LINES = GOOD["events"].splitlines(keepends=True)


def source(shop, files, csv: str = ""):
    """Columns with their types, and the sorted rows of a source as a mapping's SQL sees them."""
    shop.tables["events"] = {"files": files}
    shop.tail = f"[tables.events.csv]\n{csv}\n" if csv else ""
    company = shop.company()
    with connect_for_import(shop.workspace, company) as con:
        bind_sources(con, company, "events", company.tables["events"], shop.workspace)
        types = {row[0]: row[1] for row in con.execute("describe source").fetchall()}
        return types, con.sql("from source order by all").to_arrow_table().to_pylist()


def zst(path: Path, text: str) -> None:
    with duckdb.connect() as con:
        con.execute("create table t (x varchar)")
        con.execute("insert into t select unnest($1)", [text.splitlines()])
        con.execute(f"copy t to '{path}' (header false, quote '', delim '\x01', compression zstd)")


def write(path: Path, text: str, encoding: str = "utf-8") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))


def test_compressed_and_plain_files_in_one_source(shop):
    """Three kinds of compression, another column order, tabs: one table."""
    plain = source(shop, "events.csv")
    write(shop.raw / "a" / "1.csv", FIRST + LINES[0])
    with gzip.open(shop.raw / "a" / "2.CSV.GZ", "wt") as out:
        out.write(FIRST + LINES[1])
    zst(shop.raw / "a" / "3.csv.zst", FIRST + LINES[2])
    who, when, kind, amount, channel = LINES[3].strip("\n").split(",")
    turned = ("channel\tkind\tamount\tcustomer_id\toccurred_at\n"
              f"{channel}\t{kind}\t{amount}\t{who}\t{when}\n")  # fmt: skip
    write(shop.raw / "a" / "b" / "4.tsv", turned)
    write(shop.raw / "a" / "b" / "5.csv", FIRST)  # a header and no row
    for files in ("a/**", "a", ["a/*.csv*", "a/*.CSV.GZ", "a/b"], ["a/**/*", "a/1.csv"]):
        assert source(shop, files) == plain, files


def test_partition_folders_become_columns(shop):
    for number, line in enumerate(LINES[:2], start=1):
        write(shop.raw / f"days/day=2024-01-0{number}/shop=s{number}/part-0.csv", FIRST + line)
    types, rows = source(shop, "days/**/*.csv")
    assert (types["day"], types["shop"]) == ("DATE", "VARCHAR")
    assert [(str(r["day"]), r["shop"], r["kind"]) for r in rows] == [
        ("2024-01-01", "s1", "order"), ("2024-01-02", "s2", "return")
    ]  # fmt: skip
    for number in (1, 2):
        table = pa.table({"kind": [f"k{number}"]})
        pq.write_table(table, shop.raw / f"days/day=2024-01-0{number}/shop=s{number}/p.parquet")
    _, rows = source(shop, "days/**/*.parquet")
    assert [(str(r["day"]), r["kind"]) for r in rows] == [
        ("2024-01-01", "k1"),
        ("2024-01-02", "k2"),
    ]


def test_marker_files_in_a_folder_are_ignored(shop):
    write(shop.raw / "out/part-0.csv", FIRST + LINES[0])
    write(shop.raw / "out/_SUCCESS", "")
    write(shop.raw / "out/.part-0.csv.crc", "x")
    assert len(source(shop, "out")[1]) == 1


def test_csv_as_spreadsheets_write_it(shop):
    """A byte order mark, CR LF line ends, quotes, commas and line ends inside quotes."""
    text = 'id,said,zip\r\n1,"a ""b"", c",01067\r\n2,"two\nlines",99999\r\n3,,\r\n'
    write(shop.raw / "bom.csv", "\ufeff" + text)
    types, rows = source(shop, "bom.csv")
    assert types == {"id": "BIGINT", "said": "VARCHAR", "zip": "VARCHAR"}
    assert rows == [
        {"id": 1, "said": 'a "b", c', "zip": "01067"},
        {"id": 2, "said": "two\nlines", "zip": "99999"},
        {"id": 3, "said": None, "zip": None},
    ]


def test_quotes_after_thousands_of_rows(shop):
    """The first thousands of rows have no quotes, and the last has another type than the first."""
    rows = "".join(f"{i},n{i}\n" for i in range(30_000))
    write(shop.raw / "late.csv", f'id,name\n{rows}1.5,"Smith, John"\n')
    types, found = source(shop, "late.csv")
    assert types == {"id": "DOUBLE", "name": "VARCHAR"}
    assert len(found) == 30_001
    assert {"id": 1.5, "name": "Smith, John"} in found


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("windows-1252", "Müller"),
        ("windows-1252", "5€"),
        ("utf-16", "Müller"),
        ("gb18030", "华北"),
        ("shift_jis", "東京"),
        ("windows-1251", "Москва"),
    ],
)
def test_another_encoding_is_refused_and_the_remedy_works(shop, encoding, name):
    write(shop.raw / "old.csv", "id,name\n" + "1,a\n" * 40_000 + f"2,{name}\n", encoding)
    with pytest.raises(DataRefused) as refused:
        source(shop, "old.csv")
    assert "tables.events: old.csv" in str(refused.value)
    assert f"encoding = \"{encoding}\" for '{name}'" in str(refused.value)
    assert {"id": 2, "name": name} in source(shop, "old.csv", f'encoding = "{encoding}"')[1]


def test_a_declared_encoding_that_does_not_fit_is_refused_with_those_that_do(shop):
    write(shop.raw / "old.csv", "id,name\n2,北京\n", "gb18030")
    with pytest.raises(DataRefused, match=r"old\.csv is not in ascii; .*\"gb18030\" for '北京'"):
        source(shop, "old.csv", 'encoding = "ascii"')
    with pytest.raises(ConfigRefused, match="'gb-18' is no encoding that Python knows"):
        source(shop, "old.csv", 'encoding = "gb-18"')


def test_rows_that_look_like_comments_are_rows(shop):
    write(shop.raw / "hash.csv", "id,name\n1,a\n#2,b\n3,c\n")
    assert [row["id"] for row in source(shop, "hash.csv")[1]] == ["#2", "1", "3"]


def test_a_declared_csv_format(shop):
    write(shop.raw / "own.csv", "as of today\nid;text\n1;'a;b'\n2;'it\\'s'\n")
    form = "skip_lines = 1\ndelimiter = ';'\nquote = \"'\"\nescape = '\\'"
    assert source(shop, "own.csv", form)[1] == [{"id": 1, "text": "a;b"}, {"id": 2, "text": "it's"}]


@pytest.mark.parametrize(
    ("text", "csv", "message"),
    [
        ("id,name\n" + "1,b\n" * 30_000 + "1,2,3\n", "",
         "line 30002: 3 fields where the header has 2 ('1,2,3'): put a text that holds ',' in quotes"),
        ("id,name\n1,b,c\n2,d\n", "", "line 2: 3 fields where the header has 2 ('1,b,c')"),
        ("id,name\n1,b,c\n2,d\n", 'delimiter = ","', "line 2: 3 fields where the header has 2"),
        ('id,name\n1,b\n1,"b\n2,d\n', 'delimiter = ","',
         "line 3: a text begins with \" and does not end ('1,\"b'): close or remove the quote"),
        ("id,name\n1,'b,c'\n", "", "line 2: 3 fields where the header has 2"),
        ("sep=;\nid;name\n1;a\n", "",
         "line 1: 'sep=;' is a note for Excel, not the header; declare skip_lines = 1"),
        ('id,name\n1,a\n2,"a \\"b\\" c, d"\n', 'delimiter = ","',
         'line 3: a quote is written as \\": declare escape = "\\\\"'),
        ("id,name,plan\n1,a,b\n\n\"Generated by: x\"\n", "",
         "line 4: 1 field where the header has 3 ('Generated by: x'): complete it; if it is a note "
         "below the rows, remove line 4 and all after it"),
    ],
)  # fmt: skip
def test_invalid_csv_is_refused_with_file_line_and_remedy(shop, text, csv, message):
    write(shop.raw / "bad.csv", text)
    with pytest.raises(DataRefused) as refused:
        source(shop, "bad.csv", csv)
    assert f"tables.events: bad.csv, {message}" in str(refused.value)


def test_a_wrong_header_in_one_of_several_files(shop):
    write(shop.raw / "p/1.csv", "id,name\n1,a\n")
    write(shop.raw / "p/2.csv", 'id,name\n1,"a\n2,b\n')
    with pytest.raises(DataRefused, match=r"2\.csv, line 2: a text begins with"):
        source(shop, "p")


def test_a_truncated_file(shop):
    packed = gzip.compress((FIRST + "".join(LINES) * 1000).encode())
    (shop.raw / "cut.csv.gz").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(
        DataRefused, match=r"tables\.events: file cut\.csv\.gz cannot be read: .*GZIP"
    ):
        source(shop, "cut.csv.gz")


@pytest.mark.parametrize(
    "files", ["nothing/**", "days=*/x.csv", "empty", ["events.csv", "no_*.csv"]]
)
def test_a_pattern_without_a_file(shop, files):
    (shop.raw / "empty").mkdir()
    with pytest.raises(DataRefused, match=r"table events: missing file .* \(0 rows read\)"):
        source(shop, files)


def test_a_folder_of_sources_that_is_away_is_no_fault_of_the_data(shop):
    company = shop.company()
    shop.raw.rename(shop.home / "away")
    with (
        connect_for_import(shop.workspace, company) as con,
        pytest.raises(
            EnvironmentFailed, match=r"the folder of the sources, .*raw, is away: mount it"
        ),
    ):
        bind_sources(con, company, "events", company.tables["events"], shop.workspace)


def test_csv_is_read_once(shop, monkeypatch):
    """However often queries use a source, and also where tables share it."""
    import features.ingest.files as files

    made = []
    spool = files._spool
    monkeypatch.setattr(files, "_spool", lambda *given: made.append(given[2]) or spool(*given))
    shop.tables["tickets"] = {"files": ["events.csv"]}
    company = shop.company()
    with connect_for_import(shop.workspace, company) as con:
        for table, mapping in company.tables.items():
            bind_sources(con, company, table, mapping, shop.workspace)
            con.execute("select count(*) from source a join source b using (customer_id)")
    assert len(made) == len(set(made)) == 3, "customers, surveys, and one for events and tickets"


IMPORT = """
import resource, sys
from pathlib import Path
from features.config.company import load_company
from features.ingest.read_table import connect_for_import
from features.ingest.source_views import bind_sources
from features.settings import Workspace
company, home = load_company(Path(sys.argv[1])), Workspace(Path(sys.argv[2]))
with connect_for_import(home, company) as con:
    con.execute("set memory_limit = '128MB'; set threads = 1")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    bind_sources(con, company, "events", company.tables["events"], home)
    rows = con.execute("select count(*), sum(amount) from source").fetchall()
print(rows[0][0], (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def test_a_file_larger_than_the_memory_limit_is_streamed(shop):
    """A file of more than 128 MB through DuckDB's limit of 128 MB, in a separate process."""
    line = "customer_{0:09d},2024-01-05 10:00:00,order,{1}.25," + "x" * 550 + "\n"
    with (shop.raw / "wide.csv").open("w") as out:
        out.write(FIRST)
        for start in range(0, 250_000, 10_000):
            out.write("".join(line.format(i, i % 1000) for i in range(start, start + 10_000)))
    size = (shop.raw / "wide.csv").stat().st_size / 2**20
    shop.tables["events"] = {"files": "wide.csv"}
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", IMPORT, str(shop.toml()), str(shop.home)],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    rows, grown = map(int, done.stdout.split())
    assert rows == 250_000
    assert size > 140
    assert grown < size, f"memory grew by {grown} MB over a file of {size:.0f} MB"
