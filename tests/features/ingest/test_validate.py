"""Invalid rows: tolerated up to a share, quarantined, counted by rule."""

import pytest

from features.errors import DataRefused


def with_invalid_rows(shop, share: float):
    """A future date, an infinite amount and an unknown customer, in three of four rows."""
    shop.about["max_bad_share"] = share
    shop.spoil("events", "2024-03-01", "2999-03-01").spoil("events", ",20,", ",nan,")
    return shop.spoil("events", "A,2024-01-09", "Z,2999-01-09")


def test_a_tolerated_share_is_quarantined_and_counted(shop):
    manifest = with_invalid_rows(shop, 0.75).run()
    assert manifest.rows["events"] == 1
    counted = manifest.quarantined["events"]
    assert sorted(n.split(", after")[0] for n in counted) == [
        "amount: not a finite number", "customer_id: unknown customers", "known_at: future dates",
        "occurred_at: future dates",
    ]  # fmt: skip
    assert sorted(counted.values()) == [1, 1, 2, 2]
    rows = {row["customer_id"]: row for row in shop.quarantined("events")}
    assert len(shop.quarantined("events")) == 3
    assert "customer_id: unknown customers" in rows["Z"]["broken_rules"]
    assert "occurred_at: future dates" in rows["Z"]["broken_rules"]
    assert rows["Z"]["kind"] == "return"
    assert rows["Z"]["amount"] == -3


def test_a_larger_share_is_refused_with_every_violation(shop):
    with pytest.raises(DataRefused) as refused:
        with_invalid_rows(shop, 0.74).run()
    message = str(refused.value)
    assert message.startswith(
        "3 of 4 rows of table events break the contract (75.00%; max_bad_share allows 74.00%):"
    )
    for finding in ("column amount: not a finite number in 1 of 4 rows",
                    "column customer_id: unknown customers in 1 of 4 rows",
                    "column occurred_at: future dates"):  # fmt: skip
        assert finding in message
    assert str(shop.workspace.refused_rows("shop") / "events.parquet") in message
    assert "tables.events.drop" in message
    assert "raise company.max_bad_share in shop.toml" in message
    assert len(shop.refused_rows("events")) == 3
    assert not shop.quarantine("events").exists()


def test_the_quarantine_shows_the_text_that_could_not_be_read(shop):
    shop.spoil("events", "2024-02-01 08:00:00", "yesterday").spoil("events", ",10,", ",ten,")
    with pytest.raises(DataRefused, match="2 of 4 rows"):
        shop.run()
    rows = sorted(shop.refused_rows("events"), key=lambda r: str(r["customer_id"]))
    assert [rows[0]["raw_amount"], rows[0]["amount"]] == ["ten", None]
    assert rows[0]["broken_rules"] == "amount: wrong type, not a number"
    assert [rows[1]["raw_occurred_at"], rows[1]["occurred_at"]] == ["yesterday", None]
    assert "occurred_at: unparsable dates" in rows[1]["broken_rules"]


def test_quarantined_rows_are_not_in_the_history(shop):
    shop.about["max_bad_share"] = 0.5
    shop.spoil("surveys", "4,1,5", "9,1,5")
    shop.run()
    surveys = shop.stored("surveys")
    assert surveys["customer_id"].to_pylist() == ["B"]
    assert not [c for c in surveys.column_names if c.startswith(("raw_", "broken_"))]


def test_a_table_without_valid_rows_is_refused(shop):
    shop.about["max_bad_share"] = 1.0
    shop.text["events"] = shop.text["events"].replace("2024", "2999")
    with pytest.raises(DataRefused, match="no valid row of table events is left: all 4 rows break"):
        shop.run()


def test_the_quarantine_of_a_former_run_is_cleared(shop):
    with_invalid_rows(shop, 0.75).run()
    assert shop.quarantine("events").exists()
    shop.text["events"] = shop.text["events"].replace("2999", "2024").replace("nan", "1")
    shop.text["events"] = shop.text["events"].replace("Z,", "A,")
    assert shop.run().quarantined == {}
    assert not shop.quarantine("events").exists()


def test_rows_of_quarantined_customers_have_unknown_customers(shop):
    shop.about["max_bad_share"] = 0.7
    shop.text["customers"] += "A,2024-01-01,west,6\n"
    manifest = shop.run()
    assert manifest.rows["customers"] == 1
    assert manifest.quarantined["events"] == {"customer_id: unknown customers": 2}


def test_without_valid_from_each_customer_has_one_row(shop):
    shop.text["customers"] = "customer_id,valid_from,region,size\nA,,n,1\nA,,s,1\nB,,s,2\n"
    shop.tables["customers"] = {"constant": ["region", "size"]}
    text = shop.toml().read_text().replace('"valid_from" = "valid_from"\n', "")
    (shop.home / "shop.toml").write_text(text)
    from features.config.company import load_company
    from features.import_history.run_import import import_history
    from features.progress import silent_steps

    with pytest.raises(DataRefused) as refused:
        import_history(load_company(shop.home / "shop.toml"), shop.workspace, silent_steps())
    assert (
        "table customers, column customer_id: duplicate customer versions in 2 of 3 rows; "
        "keep one row for each customer_id"
    ) in str(refused.value)


@pytest.mark.parametrize(
    ("zone", "offsets"),
    [
        ("Europe/Berlin", ("+01:00", "+02:00")),
        ("Europe/Berlin", ("+01", "+0200")),
        ("America/New_York", ("-05:00", "-04:00")),
        ("UTC", ("+00:00", "+00")),
        ("UTC", ("+00:00", "Z")),
    ],
)
def test_offsets_may_follow_daylight_saving_time(shop, zone, offsets):
    shop.about["time_zone"] = zone
    winter, summer = offsets
    shop.spoil("events", "10:00:00", f"10:00:00{winter}")
    shop.spoil("events", "12:30:00", f"12:30:00{winter}")
    shop.spoil("events", "08:00:00", f"08:00:00{winter}")
    shop.spoil("events", "2024-03-01 00:00:00", f"2024-07-01 00:00:00{summer}")
    shop.columns["events"] = {"occurred_at": "occurred_at"}
    shop.tables["events"] = {"query": "select * from read_csv('" + str(shop.raw / "events.csv") +
                             "', all_varchar = true)"}  # fmt: skip
    assert shop.run().rows["events"] == 4


def test_a_single_foreign_offset_is_accepted(shop):
    shop.text["events"] = shop.text["events"].replace(":00,", ":00+05:30,")
    shop.run()
    assert shop.moments("events", "occurred_at")[0] == "2024-01-05 04:30:00"


@pytest.mark.parametrize("odd", ["infinity", "-infinity"])
def test_infinite_dates_are_reported(shop, odd):
    shop.columns["events"] = {"due_at": f"case when amount = 20 then timestamptz '{odd}' end"}
    with pytest.raises(DataRefused, match="column due_at: infinite dates in 1 of 4 rows; map 'inf"):
        shop.run()


def test_an_infinite_attribute_is_refused_and_its_remedy_makes_it_unknown(shop):
    shop.spoil("customers", "north,5", "north,inf")
    with pytest.raises(DataRefused) as refused:
        shop.run()
    message = str(refused.value)
    assert "table customers, column size: not a finite number in 1 of 2 rows" in message
    remedy = "case when isfinite(size) then size end"
    assert f'size = "{remedy}"' in message
    shop.columns["customers"] = {"size": remedy}
    shop.run()
    assert shop.stored("customers")["size"].to_pylist() == [None, 7.0]


@pytest.mark.parametrize(
    ("table", "column", "old", "new"),
    [
        ("events", "amount", ",20,", ",-inf,"),
        ("tickets", "severity", "10:00:00,2,", "10:00:00,inf,"),
    ],
)
def test_infinite_numbers_of_every_table_are_refused(shop, table, column, old, new):
    with pytest.raises(DataRefused, match=f"table {table}, column {column}: not a finite number"):
        shop.spoil(table, old, new).run()


def test_a_missing_number_of_an_attribute_is_no_violation(shop):
    shop.columns["customers"] = {"size": "'nan'::double"}
    assert shop.run().rows["customers"] == 2


def test_year_1_is_refused_and_each_remedy_works(shop):
    shop.columns["customers"] = {"valid_from": "timestamp '0001-01-01'"}
    with pytest.raises(DataRefused) as refused:
        shop.run()
    assert "valid_from: dates before 1900 in 2 of 2 rows; write years with four" in str(
        refused.value
    )
    since = {"column": "valid_from", "when": "valid_from < timestamptz '1900-01-01'",
             "becomes": "timestamptz '1900-01-01'"}  # fmt: skip
    assert f'when = "{since["when"]}", becomes = "{since["becomes"]}"' in str(refused.value)
    shop.tables["customers"] = {"correct": {"since": since}}
    shop.run()
    assert shop.moments("customers", "valid_from") == ["1900-01-01 00:00:00"] * 2


def test_year_1_of_an_optional_time_becomes_no_date(shop):
    shop.spoil("tickets", "2024-02-05 10:00:00", "0001-01-01 00:00:00")
    with pytest.raises(DataRefused) as refused:
        shop.run()
    none = {
        "column": "closed_at",
        "when": "closed_at < timestamptz '1900-01-01'",
        "becomes": "null",
    }
    assert f'when = "{none["when"]}", becomes = "null"' in str(refused.value)
    shop.tables["tickets"] = {"correct": {"none": none}}
    shop.run()
    assert shop.moments("tickets", "closed_at") == [None, None]
