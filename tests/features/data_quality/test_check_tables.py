"""All checks on a small company: findings, stored report, terminal output; broken tables included."""

import ast
from pathlib import Path

import pytest
from rich.console import Console

from features.data_quality.check_tables import DataQualityReport, run_check
from features.data_quality.finding import TableFinding, rank_findings
from features.data_quality.terminal_summary import findings_table, summary_lines
from features.errors import DataRefused
from features.import_history.run_import import import_history, run_dry_import
from features.progress import Steps, silent_steps
from support.checked_table_builders import build_checked_table, order_rows


def test_a_failed_check_becomes_a_finding():
    def check(table):
        yield from table.query("select error('out of range')")

    (found,) = run_check(check, build_checked_table("events", order_rows(range(3))))
    assert (found.check, found.severity, found.rows) == ("not checked", "warning", 3)
    assert found.says.startswith("the check test_check_tables.check failed: ")


def test_a_due_date_in_the_last_year_of_the_calendar_does_not_stop_an_import(shop):
    shop.columns["events"] = {
        "due_at": "case when amount = 20 then timestamptz '9999-12-31 23:59:59' end"
    }
    shop.columns["customers"] = {"valid_from": "timestamptz '1900-01-01'", "size": "1e300"}
    assert shop.run().rows["events"] == 4
    assert DataQualityReport.read(shop.workspace, "shop") is not None


def test_year_1_and_infinite_attributes_are_findings_of_the_quality_check(shop):
    shop.columns["events"] = {"due_at": "case when amount = 20 then timestamptz '0001-01-01' end"}
    shop.columns["customers"] = {"valid_from": "timestamptz '0001-01-01'", "size": "'inf'::double"}
    report = run_dry_import(shop.company(), shop.workspace, silent_steps())
    broken = {f.place: f.says for f in report.findings if f.severity == "error"}
    assert broken["customers.valid_from"] == "dates before 1900 in 2 of 2 rows"
    assert broken["customers.size"] == "not a finite number in 2 of 2 rows"
    assert broken["events.due_at"] == "dates before 1900 in 1 of 4 rows"


def finding(severity, rows, check="missing", table="events"):
    return TableFinding(table, "amount", check, severity, rows, 100, f"{rows} rows", "fix it")


def test_findings_are_ordered_worst_first():
    found = [
        finding("advice", 90),
        finding("warning", 5),
        finding("error", 1),
        finding("warning", 7),
    ]
    assert [(f.severity, f.rows) for f in rank_findings(found)] == [
        ("error", 1), ("warning", 7), ("warning", 5), ("advice", 90),
    ]  # fmt: skip
    assert (found[0].place, found[0].share) == ("events.amount", 0.9)
    assert TableFinding("events", "", "x", "advice", 0, 0, "", "").place == "events"


def test_an_import_stores_the_findings_and_the_row_audit(shop):
    shop.about["max_bad_share"] = 0.5
    shop.spoil("events", ",20,", ",nan,").tables["events"] = {"drop": {"tests": "false"}}
    shop.text["events"] += "A,2024-01-05 10:00:00,order,10,web\n"
    manifest = shop.run()
    found = DataQualityReport.read(shop.workspace, "shop")
    assert found is not None
    assert found.rows == manifest.rows
    assert (found.data_start, found.data_end) == (manifest.data_start, manifest.data_end)
    rows = {(f.severity, f.place, f.check): (f.rows, f.total) for f in found.findings}
    assert rows["error", "events.amount", "contract"] == (1, 5)
    assert rows["warning", "events", "duplicates"] == (1, 4)
    assert rows["advice", "events", "idle rule"] == (0, 5)
    assert [c.step for c in found.row_audit if c.table == "events"] == [
        "read",
        "drop",
        "quarantine",
    ]
    assert found.counts()["error"] == 1
    assert found.profile["tables"]["events"]["days"]["rows"][0] == 2


def test_all_refused_tables_are_checked_and_nothing_is_imported(shop):
    shop.spoil("events", ",20,", ",x,").spoil("surveys", "4,1,5", "9,1,5")
    found = run_dry_import(shop.company(), shop.workspace, silent_steps())
    assert len(found.refusals) == 2
    assert "table events break the contract" in found.refusals[0]
    errors = {f.place for f in found.findings if f.severity == "error"}
    assert errors == {"events.amount", "surveys.score"}
    assert not shop.workspace.history("shop").exists()
    assert DataQualityReport.read(shop.workspace, "shop") == found
    with pytest.raises(DataRefused):
        shop.run()


def test_an_empty_table_does_not_stop_the_others(shop):
    shop.text["events"] = shop.text["events"].splitlines()[0] + "\n"
    shop.text["surveys"] = shop.text["surveys"].replace("2024", "2999")
    found = run_dry_import(shop.company(), shop.workspace, silent_steps())
    assert (found.rows["events"], found.rows["surveys"], found.rows["tickets"]) == (0, 0, 2)
    assert len(found.refusals) == 2


def test_a_company_never_checked_has_no_report(shop):
    assert DataQualityReport.read(shop.workspace, "shop") is None


def shown(what) -> str:
    console = Console(width=80, record=True, quiet=False, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(what, crop=False)
    return console.export_text()


def many(count):
    checks = [finding("warning", 100 - i, check=f"c{i}") for i in range(count)]
    return DataQualityReport("shop", "", "", {}, [*checks, finding("advice", 3)], [])


def test_the_table_fits_a_screen_and_counts_the_rest():
    text = shown(findings_table(many(30)))
    assert text.count("\n") < 30
    assert "shop: 0 errors, 30 warnings, 1 advice" in text
    assert "and 21 more in data-quality.html" in text
    assert shown(findings_table(many(0))).count("advice") == 2


def test_a_finding_is_shown_in_whole_within_80_columns():
    says = "'contract' vanished after 2026-02-28: " + "0.6% of the rows before, none since; " * 4
    found = TableFinding("events", "occurred_at", "vanished", "warning", 5000, 9, says.strip(), "y")
    text = shown(findings_table(DataQualityReport("shop", "", "", {}, [found], [])))
    head, columns, row, *rest = text.splitlines()
    assert head == "shop: 0 errors, 1 warning, 0 advice"
    assert columns.split() == ["severity", "where", "check", "rows"]
    assert row.split() == ["warning", "events.occurred_at", "vanished", "5,000"]
    assert " ".join(" ".join(rest).split()) == says.strip()
    assert max(map(len, text.splitlines())) <= 80


def test_one_check_does_not_crowd_out_the_others():
    same = [finding("warning", 100 - i, check="same") for i in range(30)]
    found = DataQualityReport("shop", "", "", {}, [*same, finding("warning", 1, check="other")], [])
    assert "other" in shown(findings_table(found))


def test_a_few_lines_after_an_import_show_the_worst(shop):
    assert summary_lines(many(0)) == ["  1 more finding: goodwill quality"]
    lines = summary_lines(many(9))
    assert len(lines) == 6
    assert lines[0] == "  [yellow]warning[/] events.amount: 100 rows"
    assert lines[-1] == "  5 more findings: goodwill quality"
    console = Console(record=True, quiet=True)
    shop.text["events"] += "A,2024-01-05 10:00:00,order,10,web\n"
    import_history(shop.company(), shop.workspace, Steps(console=console))


def test_brackets_in_the_data_are_not_markup():
    odd = TableFinding("events", "channel", "x", "warning", 1, 1, "'[red]' vanished", "y")
    assert "'[red]' vanished" in shown(
        findings_table(DataQualityReport("shop", "", "", {}, [odd], []))
    )


def test_the_document_names_every_check():
    project = Path(__file__).parents[3]
    calls = (
        node
        for file in (project / "src/features/data_quality").glob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "TableFinding"
    )
    checks = {c.args[2].value for c in calls if len(c.args) > 2}
    assert len(checks) > 15
    document = (project / "docs/how-to/check-data-quality.md").read_text(encoding="utf-8")
    named = {word.strip() for line in document.splitlines() if line.startswith("| ")
             for word in line.split("|")[1].split(",")}  # fmt: skip
    assert checks - named == set()
