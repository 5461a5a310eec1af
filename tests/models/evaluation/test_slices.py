"""Customer groups, on a dozen literal rows."""

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


def test_crm_attributes_and_last_channel_define_groups_but_behaviour_does_not():
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


def test_a_numeric_segment_column_defines_groups():
    rows = pa.table({"crm_segment": [1.0, 2.0, NAN, 1.0], "crm_employees": [1.0, 2.0, 3.0, 3.0]})
    assert found(rows) == {
        ("crm_segment", "1"): [0, 3],
        ("crm_segment", "2"): [1],
        ("crm_segment", "unknown"): [2],
    }


def test_tenure_and_spend_are_split_into_thirds_with_ties_together():
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


def test_rare_values_of_an_attribute_form_one_group():
    owners = [f"owner {i % (MAX_VALUES + 3)}" for i in range(200)]
    groups = found(pa.table({"crm_owner": category(owners)}))
    assert len(groups) == MAX_VALUES + 1
    assert sorted(i for rows in groups.values() for i in rows) == list(range(200))
    assert ("crm_owner", "3 others") in groups


def test_excess_attributes_are_listed_and_segment_names_come_first():
    names = [f"crm_a{i:02d}" for i in range(MAX_COLUMNS)] + ["crm_region"]
    groups = find_groups(pa.table({name: category(["x", "y"]) for name in names}))
    assert groups.found[0].column == "crm_region"
    assert groups.left_out == (f"crm_a{MAX_COLUMNS - 1:02d}",)


@pytest.mark.parametrize("values", [["x", "x"], [None, None]])
def test_a_constant_attribute_defines_no_group(values):
    rows = pa.table({"crm_region": category(values), "tenure_days": [NAN, NAN]})
    assert find_groups(rows).found == ()


def test_attribute_titles():
    assert attribute_title("crm_company_size") == "company size"
    assert attribute_title("last_channel") == "last channel"
