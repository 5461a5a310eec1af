"""Reasons of a score: strongest first, with texts, for declared and undeclared columns."""

from dataclasses import replace

import numpy as np
import pytest

from models.explain.reasons import Explainer
from support.small_models import customers, small_bundle

TABLE = customers(seed=5).slice(0, 80)


@pytest.mark.parametrize("target", ["churn", "nps", "satisfaction", "value"])
def test_the_strongest_come_first_and_add_up(target: str) -> None:
    reasoner = Explainer(small_bundle(target))
    every = reasoner.reasons(TABLE, 99)
    few = reasoner.reasons(TABLE, 3)
    for all_of_row, three in zip(every, few, strict=True):
        sizes = [abs(r.effect) for r in all_of_row]
        assert sizes == sorted(sizes, reverse=True)
        assert all_of_row[:3] == three
        assert all(size > 0 for size in sizes)


def test_a_reason_states_value_and_effect_in_both_languages() -> None:
    reasoner = Explainer(small_bundle("churn"))
    (row,) = reasoner.reasons(TABLE.slice(3, 1), 99, ("en", "zh"))
    region = next(r for r in row if r.feature == "crm_region")
    assert region.value == TABLE["crm_region"][3].as_py()
    sign = "+" if region.effect > 0 else "-"
    assert region.texts["en"].startswith(f"region in the CRM is {region.value}: {sign}")
    assert region.texts["en"].endswith(("points churn risk", "point churn risk"))
    assert region.texts["zh"].startswith(f"客户档案中的地区为{region.value}：流失风险{sign}")


def test_earlier_values_are_compared() -> None:
    reasoner = Explainer(small_bundle("churn"))
    earlier = {"orders_90d": np.full(TABLE.num_rows, 40.0)}
    shown = [r for row in reasoner.reasons(TABLE, 99, ("en",), earlier) for r in row]
    fell = [r for r in shown if r.feature == "orders_90d"]
    assert fell
    assert all(r.texts["en"].startswith("orders fell from 40 to ") for r in fell)


def test_a_missing_value_is_none_and_explained_in_text() -> None:
    reasoner = Explainer(small_bundle("churn"))
    shown = [r for row in reasoner.reasons(TABLE, 99) for r in row if r.value is None]
    assert {r.texts["en"].split(":")[0] for r in shown} >= {
        "no order so far", "no sales visit so far", "never answered a survey",
        "no tickets in the last 90 days",
    }  # fmt: skip


def test_an_undeclared_column_is_described_by_the_manifest() -> None:
    bundle = small_bundle("churn")
    facts = [f | {"meaning": "Days it rained", "unit": "days"} if f["name"] == "orders_90d" else f
             for f in bundle.manifest.features]  # fmt: skip
    bare = bundle.manifest.schema | {"tables": {}, "attributes": {}}
    reasoner = Explainer(
        replace(bundle, manifest=replace(bundle.manifest, schema=bare, features=facts))
    )
    shown = {r.feature: r for row in reasoner.reasons(TABLE, 99, ("en", "zh")) for r in row}
    assert shown["orders_90d"].meaning == "Days it rained"
    assert shown["orders_90d"].texts["en"].startswith("days it rained is ")
    assert shown["orders_90d"].texts["zh"].startswith("Days it rained为")


def test_no_rows_have_no_reasons() -> None:
    assert Explainer(small_bundle("churn")).reasons(TABLE.slice(0, 0), 3) == []
