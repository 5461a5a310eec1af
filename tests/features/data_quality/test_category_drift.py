"""Values that vanish, appear, pause or come in several spellings."""

from features.data_quality.category_drift import check_vanished_and_new_values, check_paused_values, check_spellings
from support.checked_table_builders import orders, run, subject, told

EVERY = [d / 2 for d in range(400)]  # 200 days, two orders a day


def two_channels(*, old_until: float = 200, new_from: float = 0):
    """A row in each of two channels, twice a day, as long as they are there."""
    rows = orders([d for d in EVERY if d < old_until], channel="shop")
    rows += orders([d for d in EVERY if d >= new_from], channel="web")
    return subject("events", rows, end=200)


def test_a_channel_that_vanished_is_told_with_its_last_day_and_what_is_lacking():
    (found,) = run(check_vanished_and_new_values, two_channels(old_until=120))
    assert told([found]) == [("events.channel", "vanished", "warning", 240, 640)]
    assert found.says == (
        "'shop' vanished after 2024-04-29: 50.0% of the rows of kind order before, none since, "
        "about 80 would be usual"
    )
    assert found.evidence["last_day"] == "2024-04-29"


def test_a_channel_that_appeared():
    (found,) = run(check_vanished_and_new_values, two_channels(new_from=100))
    assert told([found]) == [("events.channel", "appeared", "warning", 200, 600)]
    assert found.says.startswith("'web' appears on 2024-04-10: 50.0% of the rows")


def test_steady_channels_have_not_changed():
    assert run(check_vanished_and_new_values, two_channels()) == []


def test_what_sells_in_one_season_has_not_vanished():
    rows = orders(EVERY, category="tools")
    rows += orders([d for d in EVERY if d < 20 or 150 < d < 170], category="gifts")
    assert run(check_vanished_and_new_values, subject("events", rows, end=200)) == []


def test_a_column_that_is_empty_since_a_day_is_the_matter_of_another_check():
    rows = orders(EVERY, category="tools")
    for row in rows[240:]:
        row["category"] = None
    assert run(check_vanished_and_new_values, subject("events", rows, end=200)) == []


def test_a_kind_that_vanished():
    rows = orders(EVERY) + [{**r, "kind": "login"} for r in orders(EVERY[:300])]
    (found,) = run(check_vanished_and_new_values, subject("events", rows, end=200))
    assert found.place == "events.kind"
    assert found.evidence["value"] == "login"


def test_many_values_are_told_together():
    rows = orders([d for d in EVERY if d < 100], category="tools")
    for place, row in enumerate(orders([d / 20 for d in range(2000)])):
        rows.append({**row, "category": f"c{place % 5}"})
    rows += orders(EVERY * 5, category="kept")
    found = run(check_vanished_and_new_values, subject("events", rows, end=200))
    assert [f.check for f in found] == ["vanished"] * 4
    assert found[-1].says.startswith("3 more values vanished in the same way")


def test_months_without_a_channel_in_between():
    rows = orders(EVERY, channel="web") + orders(
        [d for d in EVERY if not 60 <= d < 91], channel="shop"
    )
    (found,) = check_paused_values(subject("events", rows, end=200))
    assert found.evidence == {"value": "shop", "months": ["2024-03"]}
    assert found.says.startswith("'shop' has no rows in 2024-03, about ")


def test_spellings_of_one_channel_are_shown_and_those_of_attributes_are_not():
    rows = orders([0], channel="web") * 3 + orders([1], channel="Web") + orders([2], channel="web ")
    (found,) = check_spellings(subject("events", rows))
    assert told([found]) == [("events.channel", "spellings", "warning", 2, 5)]
    assert "'web' and 'Web' and 'web '" in found.says
    people = [{"customer_id": "1", "owner": "Ann Lee"}, {"customer_id": "2", "owner": "ann lee"}]
    (secret,) = check_spellings(subject("customers", people, owner="text"))
    assert secret.place == "customers.owner"
    assert "lee" not in str(secret).lower()
