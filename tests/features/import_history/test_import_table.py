"""Every row is accounted for: rows read equal rows stored plus rows removed in the audit."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.history_store import Manifest
from features.row_audit import REMOVING, read_row_audit
from support.company_builders import Shop

HEADER = "customer_id,occurred_at,kind,amount,channel\n"
ROW = st.tuples(
    st.sampled_from(["A", "B", "Z", ""]),  # Z is a stranger, no id breaks the contract
    st.sampled_from(["2024-01-05 10:00:00", "2024-01-06 10:00:00", "2999-01-01 00:00:00", "?"]),
    st.sampled_from(["order", "return", ""]),
    st.sampled_from(["1", "1000", "x", ""]),
    st.sampled_from(["web", "shop", ""]),
)


def imported(rows: list[tuple[str, ...]], home: Path) -> tuple[Shop, Manifest]:
    shop = Shop(home)
    good = ("A", "2024-01-05 10:00:00", "order", "7", "web")  # so that a row is left
    shop.text["events"] = HEADER + "".join(",".join(row) + "\n" for row in [good, *rows])
    shop.about["max_bad_share"] = 1.0
    shop.columns["events"] = {
        "known_at": "case when channel = 'web' then try_cast(occurred_at::varchar as timestamp) end"
    }
    shop.tables["events"] = {
        "duplicates": "remove",
        "drop": {"shops": "channel = 'shop' and kind = 'return'"},
        "correct": {"cents": {"column": "amount", "when": "amount > 100", "becomes": "amount / 100"}},
    }  # fmt: skip
    return shop, shop.run()


@given(st.lists(ROW, max_size=12))
@settings(max_examples=12, deadline=None)
@pytest.mark.slow
def test_rows_read_equal_rows_stored_and_audited(rows):
    with tempfile.TemporaryDirectory() as home:
        shop, manifest = imported(rows, Path(home))
        ledger = read_row_audit(shop.workspace, "shop")
        assert ledger is not None
        for table, kept in manifest.rows.items():
            lines = [line for line in ledger.lines if line.table == table]
            assert lines[0].before == 0
            assert [line.after for line in lines[:-1]] == [line.before for line in lines[1:]]
            assert lines[-1].after == kept == shop.stored(table).num_rows
            read = sum(line.rows for line in lines if line.step == "read")
            left = sum(line.rows for line in lines if line.step in REMOVING)
            assert read - left == kept
        kept_aside = sum(line.rows for line in ledger.lines if line.step == "quarantine")
        path = shop.quarantine("events")
        assert kept_aside == (len(shop.quarantined("events")) if path.exists() else 0)
        assert len(rows) + 1 == next(c.rows for c in ledger.lines if c.table == "events")


def test_each_step_counts_its_rows(tmp_path):
    rows = [
        ("A", "2024-01-05 10:00:00", "order", "7", "web"),  # a duplicate
        ("A", "2024-01-06 10:00:00", "return", "1", "shop"),  # dropped
        ("A", "2024-01-06 10:00:00", "order", "1000", "web"),  # corrected
        ("A", "2024-01-06 10:00:00", "order", "1", ""),  # known_at filled in
        ("Z", "2999-01-01 00:00:00", "order", "1", "web"),  # breaks three rules, leaves once
        ("Z", "2024-01-06 10:00:00", "order", "x", "web"),
    ]
    shop, manifest = imported(rows, tmp_path)
    ledger = read_row_audit(shop.workspace, "shop")
    steps = [(c.step, c.rows, c.after) for c in ledger.lines if c.table == "events"]
    assert steps == [
        ("read", 7, 7), ("drop", 1, 6), ("correct", 1, 6), ("duplicates", 1, 5),
        ("quarantine", 1, 4), ("quarantine", 1, 3), ("fill", 1, 3),
    ]  # fmt: skip
    assert sum(manifest.quarantined["events"].values()) == 5
