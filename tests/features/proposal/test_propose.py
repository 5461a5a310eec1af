"""The proposal for companies that nobody has seen: their files are imported with what it says."""

import tomllib
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from features.config.company import load_company
from features.errors import DataRefused
from features.import_history.run_import import import_history
from features.progress import silent_steps
from features.proposal.propose import Proposal, propose_folder
from features.settings import Workspace
from support import made_up_companies

Rows = Callable[[str], list[tuple]]


def propose_and_import(tmp_path: Path, name: str) -> tuple[Proposal, Rows]:
    """Propose the file of a made-up company and import with it; returns queries of the history, too."""
    folder = tmp_path / "raw"
    getattr(made_up_companies, name)(folder)
    proposal = propose_folder(folder, name, tmp_path / "spill", silent_steps())
    path = tmp_path / "data" / f"{name}.toml"
    path.parent.mkdir()
    path.write_text(proposal.toml, encoding="utf-8")
    workspace = Workspace(tmp_path)
    import_history(load_company(path), workspace, silent_steps())

    def rows(sql: str) -> list[tuple]:
        con = duckdb.connect()
        con.execute("SET TimeZone = 'UTC'")
        for table in workspace.history(name).glob("*.parquet"):
            con.execute(f"create view {table.stem} as from '{table}'")
        return con.execute(sql).fetchall()

    return proposal, rows


def test_a_german_software_company_has_contracts_and_amounts_with_commas(tmp_path: Path) -> None:
    proposal, rows = propose_and_import(tmp_path, "german_software")
    toml = tomllib.loads(proposal.toml)
    assert toml["targets"]["churn"]["definition"] == "cancel"
    assert (toml["company"]["currency"], toml["company"]["time_zone"]) == ("EUR", "Europe/Berlin")
    assert rows("select distinct kind from events order by 1") == [
        ("cancel",),
        ("contract",),
        ("order",),
    ]
    assert rows("select distinct amount from events where amount is not null order by 1") == [
        (49.9,),
        (199.0,),
        (1290.5,),
    ]
    assert rows("select count(*), min(customer_id) from customers") == [(300, "00000")]
    left_out = " ".join(proposal.book.left_out["customers"])
    assert all(name in left_out for name in ("Firma", "E-Mail", "Kündigungsdatum"))
    assert "sample" not in proposal.toml


def test_a_chinese_shop_in_gbk_has_orders_and_negative_returns(tmp_path: Path) -> None:
    proposal, rows = propose_and_import(tmp_path, "chinese_shop")
    found = dict(rows("select kind, max(amount) < 0 from events group by 1"))
    assert found == {"order": False, "return": True}
    assert rows("select distinct category from events order by 1") == [
        ("家电",),
        ("服装",),
        ("食品",),
    ]
    assert rows("select distinct 城市 from customers order by 1") == [
        ("上海",),
        ("北京",),
        ("广州",),
    ]
    assert rows("select min(occurred_at) < '2023-01-02 22:00+00' from events") == [(True,)]
    assert 'time_zone = "Asia/Shanghai"' in proposal.toml
    assert "1380000" not in proposal.toml


def test_a_portuguese_marketplace_has_lines_deliveries_returns_and_answers(tmp_path: Path) -> None:
    proposal, rows = propose_and_import(tmp_path, "portuguese_marketplace")
    counted = dict(rows("select kind, count(*) from events group by 1"))
    assert counted["order"] == counted["shipment"]
    assert rows("select count(*) from events where kind = 'return' and amount >= 0") == [(0,)]
    assert rows("select count(*) from events where kind = 'order' and amount is null") == [(0,)]
    assert rows("select bool_and(due_at > occurred_at) from events where kind = 'order'") == [
        (True,)
    ]
    assert rows("select min(score), max(score), any_value(scale_high) from surveys") == [(1, 5, 5)]
    assert any("situacao" in text for text in proposal.book.left_out["events"])


def test_the_workbook_of_a_telco_has_five_tables(tmp_path: Path) -> None:
    proposal, rows = propose_and_import(tmp_path, "telco_workbook")
    assert set(proposal.tables) == {"customers", "events", "surveys", "tickets"}
    assert rows("select distinct kind from events order by 1") == [
        ("cancel",),
        ("contract",),
        ("order",),
    ]
    assert rows("select distinct instrument from surveys") == [("nps",)]
    assert rows("select min(score), max(score), count(answered_at) < count(*) from surveys") == [
        (0, 10, True)
    ]
    assert rows("select distinct kind from tickets order by 1") == [("complaint",), ("request",)]
    assert rows("select distinct severity from tickets order by 1") == [(1,), (2,), (3,)]
    assert any("Churned" in text for text in proposal.book.left_out["customers"])


def test_json_lines_have_inner_objects_answers_in_words_and_their_own_zone(tmp_path: Path) -> None:
    proposal, rows = propose_and_import(tmp_path, "survey_lines")
    assert rows("select count(distinct customer_id) from events") == [(200,)]
    assert rows("select distinct score from surveys order by 1") == [(1,), (2,), (3,), (4,), (5,)]
    assert proposal.book.confidence("company.time_zone") == "sure"


def test_a_messy_export_is_read_without_the_lines_above_its_header(tmp_path: Path) -> None:
    proposal, rows = propose_and_import(tmp_path, "messy_export")
    assert tomllib.loads(proposal.toml)["tables"]["events"]["sources"] == {"sales": "sales_*.txt"}
    assert rows("select count(*) > 2000, min(occurred_at)::date::varchar from events") == [
        (True, "2023-01-02")
    ]
    assert rows("select count(*) from events where kind = 'return' and amount >= 0") == [(0,)]
    assert proposal.book.left_out["sources"] == [
        "empty.csv: an empty file",
        "notes.docx: not CSV, Excel, Parquet or JSON lines",
    ]


def test_a_folder_without_times_is_refused_with_what_was_found(tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text("article,price\na,1\nb,2\n")
    with pytest.raises(DataRefused, match=r"neither events nor surveys .* prices: no column leads"):
        propose_folder(tmp_path, "acme", tmp_path / "spill", silent_steps())


def test_a_folder_without_a_data_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "report.pdf").write_bytes(b"%PDF")
    with pytest.raises(DataRefused, match=r"no data file; .* report.pdf: not CSV"):
        propose_folder(tmp_path, "acme", tmp_path / "spill", silent_steps())
