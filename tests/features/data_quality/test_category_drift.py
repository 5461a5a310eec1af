"""Text values that vanish, appear, pause or have several spellings."""

from features.data_quality.category_drift import (
    check_paused_values,
    check_spellings,
    check_vanished_and_new_values,
)
from support.checked_table_builders import (
    build_checked_table,
    finding_rows,
    order_rows,
    run_with_daily_counts,
)

EVERY = [d / 2 for d in range(400)]  # 200 days, two orders a day


def two_channels(*, old_until: float = 200, new_from: float = 0):
    """Rows of two channels, twice a day, on the days of each channel."""
    rows = order_rows([d for d in EVERY if d < old_until], channel="shop")
    rows += order_rows([d for d in EVERY if d >= new_from], channel="web")
    return build_checked_table("events", rows, end=200)


def test_a_vanished_channel_is_reported_with_its_last_day_and_missing_rows():
    (found,) = run_with_daily_counts(check_vanished_and_new_values, two_channels(old_until=120))
    assert finding_rows([found]) == [("events.channel", "vanished", "warning", 240, 640)]
    assert found.says == (
        "'shop' vanished after 2024-04-29: 50.0% of the rows of kind order before, none since; "
        "about 80 are usual"
    )
    assert found.evidence["last_day"] == "2024-04-29"


def test_a_channel_that_appeared():
    (found,) = run_with_daily_counts(check_vanished_and_new_values, two_channels(new_from=100))
    assert finding_rows([found]) == [("events.channel", "appeared", "warning", 200, 600)]
    assert found.says.startswith("'web' appears on 2024-04-10: 50.0% of the rows")


def test_steady_channels_have_not_changed():
    assert run_with_daily_counts(check_vanished_and_new_values, two_channels()) == []


def test_a_seasonal_value_has_not_vanished():
    rows = order_rows(EVERY, category="tools")
    rows += order_rows([d for d in EVERY if d < 20 or 150 < d < 170], category="gifts")
    assert (
        run_with_daily_counts(
            check_vanished_and_new_values, build_checked_table("events", rows, end=200)
        )
        == []
    )


def test_a_column_that_becomes_empty_is_left_to_another_check():
    rows = order_rows(EVERY, category="tools")
    for row in rows[240:]:
        row["category"] = None
    assert (
        run_with_daily_counts(
            check_vanished_and_new_values, build_checked_table("events", rows, end=200)
        )
        == []
    )


def test_a_kind_that_vanished():
    rows = order_rows(EVERY) + [{**r, "kind": "login"} for r in order_rows(EVERY[:300])]
    (found,) = run_with_daily_counts(
        check_vanished_and_new_values, build_checked_table("events", rows, end=200)
    )
    assert found.place == "events.kind"
    assert found.evidence["value"] == "login"


def test_many_values_are_merged_into_one_finding():
    rows = order_rows([d for d in EVERY if d < 100], category="tools")
    for place, row in enumerate(order_rows([d / 20 for d in range(2000)])):
        rows.append({**row, "category": f"c{place % 5}"})
    rows += order_rows(EVERY * 5, category="kept")
    found = run_with_daily_counts(
        check_vanished_and_new_values, build_checked_table("events", rows, end=200)
    )
    assert [f.check for f in found] == ["vanished"] * 4
    assert found[-1].says.startswith("3 more values vanished: ")


def test_months_without_a_channel_in_between():
    rows = order_rows(EVERY, channel="web") + order_rows(
        [d for d in EVERY if not 60 <= d < 91], channel="shop"
    )
    (found,) = check_paused_values(build_checked_table("events", rows, end=200))
    assert found.evidence == {"value": "shop", "months": ["2024-03"]}
    assert found.says.startswith("'shop' has no rows in 2024-03; about ")


def test_spellings_of_one_channel_are_shown_and_those_of_attributes_are_not():
    rows = (
        order_rows([0], channel="web") * 3
        + order_rows([1], channel="Web")
        + order_rows([2], channel="web ")
    )
    (found,) = check_spellings(build_checked_table("events", rows))
    assert finding_rows([found]) == [("events.channel", "spellings", "warning", 2, 5)]
    assert "'web' and 'Web' and 'web '" in found.says
    people = [{"customer_id": "1", "owner": "Ann Lee"}, {"customer_id": "2", "owner": "ann lee"}]
    (secret,) = check_spellings(build_checked_table("customers", people, owner="text"))
    assert secret.place == "customers.owner"
    assert "lee" not in str(secret).lower()
