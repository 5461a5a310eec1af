"""The ledger: each line begins with the rows the former one left."""

import pytest

from features.row_audit import FILE, AuditLine, RowAudit, copy_row_audit, read_row_audit
from features.settings import Workspace


@pytest.fixture
def ledger() -> RowAudit:
    ledger = RowAudit()
    ledger.add_read("events", "orders: orders.csv", 10)
    ledger.add_read("customers", "crm.csv", 3)
    ledger.add_read("events", "returns: returns.csv", 5)
    ledger.add_query("events", "tables.events.query", 14)
    ledger.add_removed("events", "drop", "tests", 4)
    ledger.add_changed("events", "correct", "cents: amount", 2)
    return ledger


def test_tables_have_lines_of_their_own(ledger):
    assert ledger.lines == [
        AuditLine("events", "read", "orders: orders.csv", 0, 10, 10),
        AuditLine("customers", "read", "crm.csv", 0, 3, 3),
        AuditLine("events", "read", "returns: returns.csv", 10, 15, 5),
        AuditLine("events", "query", "tables.events.query", 15, 14, 14),
        AuditLine("events", "drop", "tests", 14, 10, 4),
        AuditLine("events", "correct", "cents: amount", 10, 10, 2),
    ]
    assert (
        ledger.row_count("events"),
        ledger.row_count("customers"),
        ledger.row_count("tickets"),
    ) == (10, 3, 0)


def test_it_is_read_as_it_was_written_and_copied_beside_what_is_made_of_it(ledger, tmp_path):
    workspace = Workspace(tmp_path)
    features = workspace.features("shop")
    features.mkdir(parents=True)
    assert read_row_audit(workspace, "shop") is None
    (features / FILE).write_text("of a former history")
    copy_row_audit(workspace, "shop", features)
    assert not (features / FILE).exists()
    workspace.history("shop").mkdir()
    (workspace.history("shop") / FILE).write_text(ledger.to_json(), encoding="utf-8")
    copy_row_audit(workspace, "shop", features)
    for read in (read_row_audit(workspace, "shop"), RowAudit.read(features / FILE)):
        assert read is not None
        assert read.lines == ledger.lines
