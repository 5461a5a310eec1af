"""Kinds of events that are not the contract's words, and the remedy for them."""

import re

import pytest

from features.data_quality.check_tables import DataQualityReport
from features.data_quality.event_kinds import check_kinds
from support.checked_table_builders import build_checked_table, finding_rows, order_rows

CHURN = '[targets.churn]\ndefinition = "silence"\n'


def kinds(*words: str):
    rows = order_rows(range(len(words)))
    return build_checked_table(
        "events", [r | {"kind": w} for r, w in zip(rows, words, strict=True)]
    )


def test_words_of_the_contract_and_others_of_the_company_have_no_finding():
    assert list(check_kinds(kinds("order", "order", "return", "tasting"))) == []


def test_rows_without_any_word_of_the_contract():
    (found,) = check_kinds(kinds("订单", "订单", "退货"))
    assert finding_rows([found]) == [("events.kind", "kinds", "warning", 3, 3)]
    assert found.says.endswith("kinds found: '订单' (2), '退货' (1)")
    assert "when '订单' then '...' when '退货' then '...'" in found.remedy


@pytest.mark.parametrize("word", ["Order", " order", "ORDER ", "orders"])
def test_a_word_written_otherwise_is_named_with_what_it_probably_is(word):
    (found,) = check_kinds(kinds("order", "order", word))
    assert finding_rows([found]) == [("events.kind", "kinds", "warning", 1, 3)]
    assert found.says.endswith(f"{word!r} (1 rows), probably order")
    assert f"when '{word}' then 'order'" in found.remedy


def findings(shop):
    report = DataQualityReport.read(shop.workspace, "shop")
    assert report is not None
    return [f for f in report.findings if f.check == "kinds"]


def test_the_remedy_with_its_dots_filled_in_maps_the_words(shop):
    shop.tail = CHURN
    shop.text["events"] = shop.text["events"].replace("order", "订单").replace("return", "退货")
    shop.run()
    (found,) = findings(shop)
    remedy = found.remedy.split('kind = "')[1].split('"; the')[0]
    remedy = re.sub("'订单' then '...'", "'订单' then 'order'", remedy)
    remedy = re.sub("'退货' then '...'", "'退货' then 'return'", remedy)
    shop.columns["events"] = {"kind": remedy}
    shop.run()
    assert findings(shop) == []
    assert sorted(shop.stored("events")["kind"].to_pylist()) == ["order"] * 3 + ["return"]


@pytest.mark.parametrize(
    ("definition", "missing"), [("silence", "order"), ("cancel", "contract or cancel")]
)
def test_churn_without_a_row_of_the_kind_it_is_made_of(shop, definition, missing):
    shop.tail = CHURN.replace("silence", definition)
    shop.text["events"] = shop.text["events"].replace(",order,", ",login,")
    shop.run()
    (found,) = findings(shop)
    assert f"no row is of kind {missing}, which churn" in found.says
