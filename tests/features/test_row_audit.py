"""The ledger: each line begins with the rows the former one left."""

import pytest

from features.row_audit import FILE, Change, RowAudit, keep_beside, ledger_of
from features.settings import Workspace


@pytest.fixture
def ledger() -> RowAudit:
    ledger = RowAudit()
    ledger.came("events", "orders: orders.csv", 10)
    ledger.came("customers", "crm.csv", 3)
    ledger.came("events", "returns: returns.csv", 5)
    ledger.became("events", "tables.events.query", 14)
    ledger.left("events", "drop", "tests", 4)
    ledger.changed("events", "correct", "cents: amount", 2)
    return ledger


def test_tables_have_lines_of_their_own(ledger):
    assert ledger.lines == [
        Change("events", "read", "orders: orders.csv", 0, 10, 10),
        Change("customers", "read", "crm.csv", 0, 3, 3),
        Change("events", "read", "returns: returns.csv", 10, 15, 5),
        Change("events", "query", "tables.events.query", 15, 14, 14),
        Change("events", "drop", "tests", 14, 10, 4),
        Change("events", "correct", "cents: amount", 10, 10, 2),
    ]
    assert (ledger.now("events"), ledger.now("customers"), ledger.now("tickets")) == (10, 3, 0)


def test_it_is_read_as_it_was_written_and_copied_beside_what_is_made_of_it(ledger, tmp_path):
    workspace = Workspace(tmp_path)
    features = workspace.features("shop")
    features.mkdir(parents=True)
    assert ledger_of(workspace, "shop") is None
    (features / FILE).write_text("of a former history")
    keep_beside(workspace, "shop", features)
    assert not (features / FILE).exists()
    workspace.history("shop").mkdir()
    (workspace.history("shop") / FILE).write_text(ledger.to_json(), encoding="utf-8")
    keep_beside(workspace, "shop", features)
    for read in (ledger_of(workspace, "shop"), RowAudit.read(features / FILE)):
        assert read is not None
        assert read.lines == ledger.lines
