"""Amounts in several currencies are refused, unless the company's file filters or converts them."""

import pytest

from features.errors import DataRefused
from support.company_builders import Shop

EVENTS = """customer_id,occurred_at,kind,amount,channel,currency
A,2024-01-05 10:00:00,order,10,web,EUR
A,2024-01-09 12:30:00,return,-3,web,eur
B,2024-02-01 08:00:00,order,20,shop,{}
B,2024-03-01 00:00:00,login,,,GBP
"""
QUERY = "select customer_id, occurred_at, kind, amount, channel from source"


def shop(tmp_path, currency="USD"):
    found = Shop(tmp_path)
    found.text["events"] = EVENTS.format(currency)
    return found


def test_several_currencies_are_refused_with_the_remedy(tmp_path):
    """The login in GBP has no amount."""
    with pytest.raises(DataRefused) as refused:
        shop(tmp_path).run()
    assert str(refused.value) == (
        "shop.toml: tables.events: amounts are in several currencies, which cannot be added: currency "
        "is EUR (2 rows), USD (1 rows); keep the rows of one currency ([tables.events.drop] or the "
        "query), or convert the amounts in the expression of amount"
    )
    assert refused.value.exit_code == 3


@pytest.mark.parametrize(
    "column", ["currencyCode", "orderCurrency", "curr", "waehrung", "Währung", "ccy_iso", "币种"]
)
def test_a_currency_has_many_names(tmp_path, column):
    found = shop(tmp_path)
    found.text["events"] = found.text["events"].replace(",currency\n", f",{column}\n")
    with pytest.raises(DataRefused, match=rf"{column} is EUR \(2 rows\), USD"):
        found.run()


@pytest.mark.parametrize("column", ["current", "currency_rate", "recurr"])
def test_other_columns_are_no_currency(tmp_path, column):
    found = shop(tmp_path)
    found.text["events"] = found.text["events"].replace(",currency\n", f",{column}\n")
    assert found.run().rows["events"] == 4


@pytest.mark.parametrize("currency", ["EUR", "", " Eur "])
def test_one_currency_and_rows_without_one_are_imported(tmp_path, currency):
    assert shop(tmp_path, currency).run().rows["events"] == 4


def test_a_drop_rule_keeps_one_currency(tmp_path):
    found = shop(tmp_path)
    found.tables["events"] = {"drop": {"other currencies": "currency <> 'EUR'"}}
    with pytest.raises(DataRefused, match=r"EUR \(2 rows\), USD"):
        shop(tmp_path / "other").run()
    found.tables["events"]["drop"] = {"other currencies": "upper(currency) <> 'EUR'"}
    assert found.run().rows["events"] == 2


def test_an_expression_that_names_the_currency_converts(tmp_path):
    found = shop(tmp_path)
    found.columns["events"] = {"amount": "amount * case currency when 'USD' then 0.9 else 1 end"}
    assert found.run().rows["events"] == 4
    assert found.stored("events")["amount"].to_pylist()[2] == pytest.approx(18.0)


def test_a_query_cannot_hide_the_currency(tmp_path):
    found = shop(tmp_path)
    found.tables["events"] = {"query": QUERY}
    with pytest.raises(DataRefused, match="amounts are in several currencies"):
        found.run()
    returned = {"query": "select * from source", "drop": {"others": "upper(currency) <> 'EUR'"}}
    found.tables["events"] = returned
    assert found.run().rows["events"] == 2
    found.tables["events"] = {"query": f"{QUERY} where upper(currency) = 'EUR'"}
    assert found.run().rows["events"] == 2


def test_another_currency_than_the_companys_is_refused(tmp_path):
    """Also when each file of a daily table holds one currency."""
    found = shop(tmp_path)
    found.text["events"] = EVENTS.format("USD").replace(",EUR", ",USD").replace(",eur", ",usd")
    with pytest.raises(
        DataRefused, match=r'amounts are in USD .*company.currency is "EUR"; set curr'
    ):
        found.run()
    found.about["currency"] = "USD"
    assert found.run().rows["events"] == 4


def test_renminbi_is_one_currency_under_both_names(tmp_path):
    found = shop(tmp_path)
    found.text["events"] = EVENTS.format("CNY").replace(",EUR", ",RMB").replace(",eur", ",RMB")
    found.about["currency"] = "CNY"
    assert found.run().rows["events"] == 4
