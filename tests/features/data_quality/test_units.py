"""Cents among euros: by month, by channel, within a customer's own rows."""

import numpy as np

from features.data_quality.units import check_units
from support.checked_table_builders import build_checked_table, finding_rows


def shop(change=lambda row: 1.0, column="amount", spread=0.5):
    """1,200 orders of 60 customers over 200 days, each amount multiplied by `change` of the order."""
    noise = np.exp(np.random.default_rng(3).normal(3, spread, 1200))
    rows = []
    for place, value in enumerate(noise):
        row = {"customer_id": f"C{place % 60:02}", "occurred_at": place / 6, "kind": "order",
               "channel": ("web", "shop", "phone")[place % 3]}  # fmt: skip
        rows.append({**row, column: float(value) * change(row)})
    return build_checked_table("events", rows)


def test_one_unit_has_no_finding():
    assert list(check_units(shop())) == []
    assert list(check_units(shop(spread=1.2))) == []


def test_a_month_in_cents_is_reported_with_a_correction():
    (found,) = check_units(shop(lambda row: 100.0 if 60 <= row["occurred_at"] < 91 else 1.0))
    assert finding_rows([found]) == [("events.amount", "scale", "warning", 186, 1200)]
    assert (
        "about 186 rows of kind order are 100 times larger than in the other months: 2024-03"
        in (found.says)
    )
    assert found.remedy == (
        'under tables.events.correct: unit = { column = "amount", when = "kind = \'order\' and '
        "occurred_at >= '2024-03-01' and occurred_at < date '2024-03-01' + interval 1 month\", "
        'becomes = "amount / 100" }'
    )


def test_thousands_until_the_end_of_the_data():
    (found,) = check_units(
        shop(lambda row: 0.001 if row["occurred_at"] >= 121 else 1.0, "quantity")
    )
    assert found.place == "events.quantity"
    assert (found.evidence["factor"], found.evidence["larger"]) == (1000, False)
    assert 'occurred_at >= \'2024-05-01\'", becomes = "quantity * 1000"' in found.remedy


def test_a_channel_in_cents():
    (found,) = check_units(shop(lambda row: 100.0 if row["channel"] == "web" else 1.0))
    assert found.rows == 400
    assert "channel web, median" in found.says
    assert "when = \"kind = 'order' and channel = 'web'\"" in found.remedy


def test_a_channel_in_cents_since_a_month_is_found_within_the_customers_rows():
    found = list(
        check_units(
            shop(
                lambda row: 100.0 if row["channel"] == "web" and row["occurred_at"] > 152 else 1.0,
                spread=0.2,
            )
        )
    )
    (first,) = found
    assert 80 <= first.rows <= 96  # all but those near the edge of the peak
    assert "the same customer's others, in channel web from 2024-06 to 2024-07" in first.says


def test_cents_scattered_over_all_rows():
    (found,) = check_units(shop(lambda row: 0.01 if int(row["occurred_at"] * 6) % 19 == 0 else 1.0))
    assert found.evidence["factor"] == 100
    assert not found.evidence["larger"]
    assert 40 <= found.rows <= 64
