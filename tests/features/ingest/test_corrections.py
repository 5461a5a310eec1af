"""Corrections, duplicates, scales and filled-in times, each counted in the row audit."""

import pytest

from features.errors import ConfigRefused, DataRefused
from features.row_audit import read_row_audit


def lines(shop, table):
    found = read_row_audit(shop.workspace, "shop")
    return [(c.step, c.rule, c.before, c.after, c.rows) for c in found.lines if c.table == table]


def test_audit_of_reading_and_dropping(shop):
    shop.tables["events"] = {"drop": {"returns": "kind = 'return'", "none": "false"}}
    shop.run()
    assert lines(shop, "events") == [
        ("read", "events.csv", 0, 4, 4), ("drop", "returns", 4, 3, 1), ("drop", "none", 3, 3, 0),
    ]  # fmt: skip


def test_audit_of_a_query_lists_each_source(shop):
    shop.tables["events"] = {
        "files": None, "sources": {"one": "events.csv", "two": ["events.csv", "events.csv"]},
        "query": "select * from one union all select * from two where kind = 'return'",
    }  # fmt: skip
    shop.run()
    read = lines(shop, "events")
    assert read[0] == ("read", "one: events.csv", 0, 4, 4)
    assert read[1][1:3] == ("two: events.csv, events.csv", 4)
    assert (read[2][0], read[2][3]) == ("query", shop.stored("events").num_rows)


def test_corrections_apply_in_order_and_are_counted(shop):
    shop.tables["events"] = {"correct": {
        "cents": {"column": "amount", "when": "amount > 5 and channel = 'web'",
                  "becomes": "amount / 100"},
        "small": {"column": "amount", "when": "amount < 1 and amount > 0", "becomes": "0.5"},
        "same": {"column": "kind", "when": "true", "becomes": "kind"},
    }}  # fmt: skip
    shop.run()
    assert shop.stored("events")["amount"].to_pylist() == [0.5, -3.0, 20.0, 25.5]
    assert lines(shop, "events")[1:] == [
        ("correct", "cents: amount", 4, 4, 1), ("correct", "small: amount", 4, 4, 1),
        ("correct", "same: kind", 4, 4, 0),
    ]  # fmt: skip


def test_a_correction_can_fix_rows_that_break_the_contract(shop):
    shop.spoil("events", "2024-03-01 00:00:00", "2999-03-01 00:00:00").spoil(
        "events", ",20,", ",?,"
    )
    shop.tables["events"] = {"correct": {
        "future": {"column": "occurred_at", "when": "year(occurred_at) = 2999",
                   "becomes": "timestamptz '2024-03-01 00:00:00+00'"},
        "unread": {"column": "amount", "when": "amount is null", "becomes": "0"},
    }}  # fmt: skip
    assert shop.run().quarantined == {}
    assert shop.stored("events")["amount"].to_pylist() == [10.0, -3.0, 0.0, 25.5]


def test_an_attribute_may_be_corrected(shop):
    rule = {"column": "region", "when": "region = 'north'", "becomes": "upper(region)"}
    shop.tables["customers"] = {"correct": {"capitals": rule}}
    shop.run()
    assert shop.stored("customers")["region"].to_pylist() == ["NORTH", "south"]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"column": "amount", "when": "nothing > 1", "becomes": "1"}, "nothing"),
        ({"column": "amount", "when": "true", "becomes": "'x'"}, "'x'"),
        ({"column": "amount", "when": "true", "becomes": "1; drop table x"}, "several statements"),
        ({"column": "amount", "when": "true) or (true; select 1", "becomes": "1"}, "cents.when"),
    ],
)
def test_a_correction_that_cannot_be_applied_is_named(shop, rule, message):
    shop.tables["events"] = {"correct": {"cents": rule}}
    with pytest.raises(DataRefused, match=r"shop\.toml: tables\.events\.correct\.cents") as refused:
        shop.run()
    assert message in str(refused.value)


def test_a_misspelt_column_or_key_of_a_correction_is_refused_with_similar_ones(shop):
    shop.tables["events"] = {
        "correct": {"cents": {"column": "amuont", "when": "true", "becomes": "1"}}
    }
    with pytest.raises(
        ConfigRefused, match=r"correct\.cents: amuont is not a mapped column; did you "
    ):
        shop.company()
    shop.tables["events"] = {"correct": {"cents": {"colum": "amount", "when": "", "becomes": ""}}}
    with pytest.raises(
        ConfigRefused, match=r"events\.correct\.cents\.colum; did you mean column\?"
    ):
        shop.company()


def test_duplicates_are_kept_by_default(shop):
    shop.text["events"] += "A,2024-01-05 10:00:00,order,10,web\n" * 2
    assert shop.run().rows["events"] == 6
    shop.tables["events"] = {"duplicates": "remove"}
    assert shop.run().rows["events"] == 4
    assert lines(shop, "events")[-1] == (
        "duplicates", "equal in every contract column, one is kept", 6, 4, 2,
    )  # fmt: skip


def test_duplicate_customer_versions_can_be_removed_before_validation(shop):
    shop.text["customers"] += "A,2024-01-01,north,5\n"
    with pytest.raises(DataRefused, match="duplicate customer versions"):
        shop.run()
    shop.tables["customers"] = {"duplicates": "remove"}
    assert shop.run().rows["customers"] == 2


def test_different_unreadable_values_are_not_duplicates(shop):
    shop.about["max_bad_share"] = 0.9
    shop.text["events"] += (
        "B,2024-02-01 08:00:00,order,ten,shop\nB,2024-02-01 08:00:00,order,tin,shop\n"
    )
    shop.tables["events"] = {"duplicates": "remove"}
    assert shop.run().quarantined == {"events": {"amount: wrong type, not a number": 2}}


def test_audit_of_answers_on_other_scales(shop):
    shop.text["surveys"] += "A,2024-02-05 09:00:00,2024-02-06 10:00:00,nps,40,0,100,\n"
    shop.run()
    assert lines(shop, "surveys")[1:] == [
        ("scale", "csat 1 to 5: levels on the common scale 0 to 100", 3, 3, 1)
    ]


def test_filled_known_at_is_counted(shop):
    shop.columns["events"] = {"known_at": "case when amount > 15 then occurred_at end"}
    shop.run()
    assert lines(shop, "events")[1:] == [
        ("fill", "known_at is empty: occurred_at is used", 4, 4, 2)
    ]
