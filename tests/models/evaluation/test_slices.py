"""Groups of customers, on a dozen rows written by hand."""

import numpy as np
import pyarrow as pa
import pytest

from models.evaluation.slices import MAX_COLUMNS, MAX_VALUES, attribute_title, find_groups

NAN = float("nan")


def category(values):
    return pa.array(values, pa.string()).dictionary_encode()


def found(features):
    return {
        (g.column, g.value): np.flatnonzero(g.rows).tolist() for g in find_groups(features).found
    }


def test_attributes_of_the_crm_and_the_last_channel_are_groups_and_behaviour_is_not():
    rows = pa.table(
        {
            "crm_region": category(["north", "east", None, "north"]),
            "last_channel": pa.array(["web", "shop", "web", "web"]),
            "last_category": category(["tools", "safety", "tools", "safety"]),
            "orders_90d": [1.0, 2.0, 3.0, 4.0],
            "crm_credit_limit": [1.0, 2.0, 3.0, 4.0],
        }
    )
    assert found(rows) == {
        ("crm_region", "north"): [0, 3],
        ("crm_region", "east"): [1],
        ("crm_region", "unknown"): [2],
        ("last_channel", "web"): [0, 2, 3],
        ("last_channel", "shop"): [1],
    }


def test_a_number_under_the_name_of_a_segment_is_a_group():
    rows = pa.table({"crm_segment": [1.0, 2.0, NAN, 1.0], "crm_employees": [1.0, 2.0, 3.0, 3.0]})
    assert found(rows) == {
        ("crm_segment", "1"): [0, 3],
        ("crm_segment", "2"): [1],
        ("crm_segment", "unknown"): [2],
    }


def test_tenure_and_spend_are_cut_into_thirds_and_equal_values_stay_together():
    rows = pa.table(
        {"tenure_days": [10.0, 20, 30, 40, 50, NAN], "revenue_365d": [0.0, 0, 0, 0, 0, 9]}
    )
    groups = found(rows)
    assert groups["tenure_days", "up to 20"] == [0, 1]
    assert groups["tenure_days", "20 to 30"] == [2]
    assert groups["tenure_days", "over 30"] == [3, 4]
    assert groups["tenure_days", "unknown"] == [5]
    assert groups["revenue_365d", "up to 0"] == [0, 1, 2, 3, 4]
    assert groups["revenue_365d", "over 0"] == [5]


def test_rare_values_of_one_attribute_are_taken_together():
    owners = [f"owner {i % (MAX_VALUES + 3)}" for i in range(200)]
    groups = found(pa.table({"crm_owner": category(owners)}))
    assert len(groups) == MAX_VALUES + 1
    assert sorted(i for rows in groups.values() for i in rows) == list(range(200))
    assert ("crm_owner", "3 others") in groups


def test_attributes_beyond_the_most_are_named_and_the_telling_ones_come_first():
    names = [f"crm_a{i:02d}" for i in range(MAX_COLUMNS)] + ["crm_region"]
    groups = find_groups(pa.table({name: category(["x", "y"]) for name in names}))
    assert groups.found[0].column == "crm_region"
    assert groups.left_out == (f"crm_a{MAX_COLUMNS - 1:02d}",)


@pytest.mark.parametrize("values", [["x", "x"], [None, None]])
def test_what_is_the_same_for_all_is_no_group(values):
    rows = pa.table({"crm_region": category(values), "tenure_days": [NAN, NAN]})
    assert find_groups(rows).found == ()


def test_names_in_words():
    assert attribute_title("crm_company_size") == "company size"
    assert attribute_title("last_channel") == "last channel"
