"""The data quality page: complete, escaped, self-contained, created from the stored report."""

import re
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.config.company import Company
from features.data_quality.check_tables import DataQualityReport
from features.data_quality.finding import TableFinding
from features.errors import DataRefused
from features.progress import silent_steps
from features.row_audit import AuditLine
from insight.data_quality_report.data_quality_page import (
    data_quality_page_path,
    render,
    write_data_quality_page,
)
from insight.model_report.model_report_page import write_model_report
from support.company_builders import Shop

MONTHS = ["2025-01", "2025-02", "2025-03"]
PROFILE = {
    "tables": {
        "events": {
            "rows": 900,
            "missing": {"customer_id": 0.0, "amount": 0.25},
            "days": {"first": "2025-01-01", "rows": [10] * 30 + [0] * 7 + [10] * 53},
            "missing_by_month": {"months": MONTHS, "columns": {"amount": [0.0, None, 0.75]}},
            "shares": {"kind": {"months": MONTHS, "values": {"$order$": [5, 6, 7], "登录": [1, 0, 2]}}},
            "amounts": {"order": [[0.3, 5], [2.0, 9]], "return": [[1.0, 1]]},
        },
        "customers": {"rows": 4, "missing": {"customer_id": 0.0}},
    },
    "customers": [["2025-01", 3, 0], ["2025-02", 0, 1], ["2025-03", 1, 3]],
}  # fmt: skip
GAP = TableFinding(
    "events", "occurred_at", "volume", "warning", 70, 900, "no events from 2025-01-31", "import them",
    {"first_day": "2025-01-31", "last_day": "2025-02-06"},
)  # fmt: skip
ODD = TableFinding(
    "events", "kind", "vanished", "warning", 5, 900, "'<b>x</b>' vanished", "look & see"
)


def company() -> Company:
    mapping = {"files": "events.csv", "columns": {}}
    return Company.model_validate(
        {"company": {"name": "tiny", "title": "Tiny"}, "tables": {"events": mapping}}
    )


def quality_report(findings, **more) -> DataQualityReport:
    span = ("2025-01-01T00:00:00+00:00", "2025-04-01T00:00:00+00:00")
    audit = [AuditLine("events", "read", "events.csv", 0, 901, 901),
              AuditLine("events", "duplicates", "equal", 901, 900, 1)]  # fmt: skip
    return DataQualityReport(
        "tiny", *span, {"events": 900, "customers": 4}, findings, audit, **more
    )


def page(report) -> str:
    return render(company(), report, datetime(2025, 5, 1, tzinfo=UTC))


def page_text(html) -> str:
    body = re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


def test_findings_are_shown_with_place_figures_and_remedy():
    text = page_text(page(quality_report([GAP, ODD], profile=PROFILE)))
    assert "Errors 0" in text
    assert "Warnings 2" in text
    assert "events.occurred_at · volume · 70 of 900 rows (7.8%) no events from 2025-01-31" in text
    assert "import them" in text
    assert "events duplicates removed equal 1 901 900" in text
    assert "amount 25.0%" in text
    assert "4 customers were active from 2025-01 to 2025-03" in text


def test_every_part_of_the_profile_is_plotted():
    html = page(quality_report([GAP], profile=PROFILE))
    assert html.count("data:image/png;base64,") == 5
    text = page_text(html)
    for finding in ("events: About 70 rows are missing", "amount is missing most often, in up to 75.0%",
                    "kind: $order$ has 85.7%", "No amount is an outlier"):  # fmt: skip
        assert finding in text


def test_a_company_without_findings_or_plots_has_a_page():
    text = page_text(page(quality_report([])))
    assert "No findings." in text
    assert "No value is missing in any mapped column." in text


def test_external_text_is_escaped_and_nothing_is_loaded():
    html = page(quality_report([ODD], profile=PROFILE, refusals=["<i>refused</i>"]))
    assert "<b>x</b>" not in html
    assert "<i>refused" not in html
    assert "Cannot be imported: &lt;i&gt;refused" in html
    links = re.findall(r"""(?:src|href)="([^"]*)\"""", html)
    assert all(link.startswith(("#", "data:image/png;base64,")) for link in links)
    for anchor in (link[1:] for link in links if link.startswith("#")):
        assert f'id="{anchor}"' in html
    assert "default-src 'none'" in html


def test_the_page_is_written_from_the_stored_report_and_linked_from_the_model_report(world):
    tiny, workspace = world()
    with pytest.raises(DataRefused, match="run `goodwill quality`"):
        write_data_quality_page(tiny, workspace, silent_steps())
    assert (
        "data-quality.html" not in write_model_report(tiny, workspace, silent_steps()).read_text()
    )
    quality_report([GAP], profile=PROFILE).write(workspace)
    path = write_data_quality_page(tiny, workspace, silent_steps())
    assert path == data_quality_page_path(workspace, "tiny")
    assert not list(path.parent.glob("*.new"))
    assert '<a href="data-quality.html">data quality report</a>' in (
        write_model_report(tiny, workspace, silent_steps()).read_text()
    )


def test_the_model_report_shows_the_row_audit(world):
    tiny, workspace = world()
    (workspace.history("tiny") / "row_audit.json").write_text(
        '[{"table": "events", "step": "correct", "rule": "cents: amount", "before": 25, "after": 25, '
        '"rows": 3}]'
    )
    text = page_text(write_model_report(tiny, workspace, silent_steps()).read_text())
    assert "events corrected by a rule of the company file cents: amount 3 25 25" in text


def test_a_source_without_rows_does_not_stop_import_or_page(tmp_path):
    """A valid Parquet file without rows, whose kind then is in no row of the table."""
    shop = Shop(tmp_path)
    table = pa.table({"who": pa.array([], pa.string()), "day": pa.array([], pa.timestamp("us")),
                      "net": pa.array([], pa.float64())})  # fmt: skip
    pq.write_table(table, shop.raw / "orders.parquet")
    shop.tables["events"] = {
        "files": None,
        "sources": {"orders": "orders.parquet", "others": "events.csv"},
        "may_be_empty": ["orders"],
        "query": "select who as customer_id, day as occurred_at, 'order' as kind, net as amount, "
        "'' as channel from orders union all by name select * replace (occurred_at::timestamp as "
        "occurred_at) from others where kind = 'return'",
    }
    assert shop.run().rows["events"] == 1
    page = write_data_quality_page(shop.company(), shop.workspace, silent_steps())
    assert "events" in page.read_text(encoding="utf-8")
