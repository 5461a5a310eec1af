"""The stored history: its manifest, its fingerprint, and its atomic replacement."""

import random
from datetime import UTC, datetime
from pathlib import Path

import pytest

from features.errors import DataRefused
from features.history_store import Manifest, customer_ids, read_blocks
from features.import_history import run_import
from support.company_builders import GOOD


def test_the_manifest_describes_the_history(shop):
    shop.tables["events"] = {"drop": {"returns": "kind = 'return'"}}
    written = shop.run()
    read = Manifest.read(shop.workspace, "shop")
    assert read == written
    assert (read.customers, read.rows["events"]) == (2, 3)
    assert read.dropped == {"events": {"returns": 1}}
    assert read.start == datetime(2024, 1, 5, 10, tzinfo=UTC)
    assert read.end == datetime(2024, 3, 2, tzinfo=UTC), "the day after the last record"


def test_a_declared_data_end_is_used(shop):
    shop.about["data_end"] = "2024-06-01T02:00:00+02:00"
    assert shop.run().end == datetime(2024, 6, 1, tzinfo=UTC)


def test_a_missing_history_is_refused_with_the_remedy(shop):
    with pytest.raises(
        DataRefused, match=r"no history of shop at .*; make it with `goodwill data`"
    ):
        Manifest.read(shop.workspace, "shop")


def test_the_schema_holds_only_columns_with_values(shop):
    schema = shop.run().schema
    assert schema.tables["customers"] == ("customer_id", "valid_from", "region", "size")
    assert "category" not in schema.tables["events"]
    assert {"amount", "known_at"} <= set(schema.tables["events"])
    assert schema.dimensions == ()
    assert schema.horizons == (90,)


def test_attributes_without_values_are_left_out(shop):
    shop.text["customers"] = GOOD["customers"].replace(",5", ",").replace(",7", ",")
    assert shop.run().schema.attributes == {"region": "text"}


def test_dimensions_are_those_of_the_surveys(shop):
    shop.columns["surveys"] = {"dimension": "case when score = 4 then 'price' else 'staff' end"}
    shop.tail = "[targets.churn]\nhorizon_days = 30\n[targets.value]\nhorizon_days = 60\n"
    schema = shop.run().schema
    assert schema.dimensions == ("price", "staff")
    assert schema.horizons == (30, 60)


def test_the_fingerprint_does_not_depend_on_row_order(shop):
    first = shop.run()
    for name, text in GOOD.items():
        header, *rows = text.splitlines()
        random.Random(3).shuffle(rows)
        shop.text[name] = "\n".join([header, *reversed(rows)]) + "\n"
    again = shop.run()
    assert again == first


@pytest.mark.slow
@pytest.mark.parametrize(
    ("table", "old", "new"),
    [
        ("events", ",20,", ",20.000001,"), ("events", "08:00:00", "08:00:00.000001"),
        ("events", "shop", "Shop"), ("events", "A,2024-01-09", "B,2024-01-09"),
        ("events", ",web", ","), ("customers", "north", "North"), ("surveys", "fine", "fine "),
        ("surveys", "4,1,5", "4,1,7"), ("tickets", "true", "false"),
        ("events", "A,2024-01-05 10:00:00,order,10,web\n", ""),
        ("events", "B,2024-02", "A,2024-01-05 10:00:00,order,10,web\nB,2024-02"),
    ],
)  # fmt: skip
def test_the_fingerprint_changes_with_any_value(shop, table, old, new):
    before = shop.run().fingerprint
    shop.spoil(table, old, new)
    assert shop.run().fingerprint != before


def test_an_interrupted_import_leaves_the_former_history(shop, monkeypatch):
    shop.run()
    before = shop.digest()
    shop.spoil("events", ",20,", ",21,")
    honest = run_import._write_table

    def interrupted(con, target, mapped):
        if mapped.contract.name == "tickets":
            raise KeyboardInterrupt
        return honest(con, target, mapped)

    monkeypatch.setattr(run_import, "_write_table", interrupted)
    with pytest.raises(KeyboardInterrupt):
        shop.run()
    assert shop.digest() == before


def test_leftovers_of_a_killed_run_are_removed(shop):
    folder = shop.workspace.history("shop")
    for name in ("history.new", "history.old"):
        (folder.with_name(name)).mkdir(parents=True)
        (folder.with_name(name) / "events.parquet").write_text("half a file")
    shop.run()
    assert {p.name for p in shop.workspace.company("shop").iterdir()} == {
        "history", "data-quality.json",
    }  # fmt: skip


def test_tables_that_are_no_longer_mapped_are_removed(shop):
    shop.run()
    del shop.text["tickets"]
    shop.run()
    files = {p.name for p in shop.workspace.history("shop").iterdir()}
    tables = {"customers.parquet", "events.parquet", "surveys.parquet"}
    assert files == tables | {"history.json", "row_audit.json", "checked.json"}


def test_customers_are_those_of_all_tables(shop):
    del shop.text["customers"]
    shop.spoil("tickets", "B,2024-03", "Ö,2024-03").spoil("events", "A,2024-01-05", "10,2024-01-05")
    assert shop.run().customers == 4
    assert customer_ids(shop.workspace, "shop") == ["10", "A", "B", "Ö"]
    assert [b.customer_ids for b in read_blocks(shop.workspace, "shop", 3)] == [
        ("10", "A", "B"),
        ("Ö",),
    ]
    assert [b.customer_ids for b in read_blocks(shop.workspace, "shop", 9)] == [
        ("10", "A", "B", "Ö")
    ]


def test_customers_of_a_single_table_count_once(shop):
    for name in ("customers", "tickets", "surveys"):
        shop.text.pop(name, None)
    assert shop.run().customers == len(customer_ids(shop.workspace, "shop")) == 2


def test_a_history_is_recovered_after_a_killed_replacement(shop):
    written = shop.run()
    folder = shop.workspace.history("shop")
    folder.rename(folder.with_name("history.old"))
    assert Manifest.read(shop.workspace, "shop") == written
    assert not folder.with_name("history.old").exists()


def test_a_refused_import_after_a_killed_replacement_keeps_the_history(shop):
    written = shop.run()
    folder = shop.workspace.history("shop")
    folder.rename(folder.with_name("history.old"))
    shop.spoil("events", ",20,", ",x,")
    with pytest.raises(DataRefused):
        shop.run()
    assert Manifest.read(shop.workspace, "shop") == written


def test_a_reader_between_the_two_renames_does_not_stop_the_import(shop, monkeypatch):
    shop.run()
    shop.spoil("events", ",20,", ",21,")
    honest, folder = Path.rename, shop.workspace.history("shop")
    read = []

    def read_between(self, target):
        moved = honest(self, target)
        if Path(target).name == "history.old" and not read:
            read.append(Manifest.read(shop.workspace, "shop"))
        return moved

    monkeypatch.setattr(Path, "rename", read_between)
    written = shop.run()
    assert read[0].fingerprint != written.fingerprint
    assert Manifest.read(shop.workspace, "shop") == written
    assert not folder.with_name("history.old").exists()
