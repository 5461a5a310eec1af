"""The row audit: each line starts from the rows that the previous one left."""

import pytest

from features.row_audit import FILE, AuditLine, RowAudit, copy_row_audit, read_row_audit
from features.settings import Workspace


@pytest.fixture
def audit() -> RowAudit:
    audit = RowAudit()
    audit.add_read("events", "orders: orders.csv", 10)
    audit.add_read("customers", "crm.csv", 3)
    audit.add_read("events", "returns: returns.csv", 5)
    audit.add_query("events", "tables.events.query", 14)
    audit.add_removed("events", "drop", "tests", 4)
    audit.add_changed("events", "correct", "cents: amount", 2)
    return audit


def test_each_table_has_its_own_lines(audit):
    assert audit.lines == [
        AuditLine("events", "read", "orders: orders.csv", 0, 10, 10),
        AuditLine("customers", "read", "crm.csv", 0, 3, 3),
        AuditLine("events", "read", "returns: returns.csv", 10, 15, 5),
        AuditLine("events", "query", "tables.events.query", 15, 14, 14),
        AuditLine("events", "drop", "tests", 14, 10, 4),
        AuditLine("events", "correct", "cents: amount", 10, 10, 2),
    ]
    assert (
        audit.row_count("events"),
        audit.row_count("customers"),
        audit.row_count("tickets"),
    ) == (10, 3, 0)


def test_round_trip_and_copy(audit, tmp_path):
    workspace = Workspace(tmp_path)
    features = workspace.features("shop")
    features.mkdir(parents=True)
    assert read_row_audit(workspace, "shop") is None
    (features / FILE).write_text("of a former history")
    copy_row_audit(workspace, "shop", features)
    assert not (features / FILE).exists()
    workspace.history("shop").mkdir()
    (workspace.history("shop") / FILE).write_text(audit.to_json(), encoding="utf-8")
    copy_row_audit(workspace, "shop", features)
    for read in (read_row_audit(workspace, "shop"), RowAudit.read(features / FILE)):
        assert read is not None
        assert read.lines == audit.lines
