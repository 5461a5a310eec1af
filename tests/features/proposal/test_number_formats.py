"""Numbers written as texts, and that every reading gives the number back."""

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.ingest.sql import quote_literal
from features.proposal.number_formats import number_form


def read(values: list[str]) -> list[float | None]:
    form = number_form(values)
    assert form is not None
    sql = form.sql.format("v")
    rows = duckdb.execute(
        f"select {sql} from (select unnest(?::varchar[]) as v)", [values]
    ).fetchall()
    return [row[0] for row in rows]


@pytest.mark.parametrize(
    ("values", "numbers"),
    [
        (["1.234,50 €", "-7,00 €"], [1234.5, -7.0]),
        (["$1,234.50", "$7.00"], [1234.5, 7.0]),
        (["1 234,5", "7,25"], [1234.5, 7.25]),
        (["1'234.50", "7.00"], [1234.5, 7.0]),
        (["R$ 10,00", "R$ 1.000,00"], [10.0, 1000.0]),
        (["12,50-", "3,00"], [-12.5, 3.0]),
        (["(12.50)", "3.00"], [-12.5, 3.0]),
        (["5", "-", "n/a"], [5.0, None, None]),
        (["￥88.00"], [88.0]),
    ],
)
def test_forms(values: list[str], numbers: list[float | None]) -> None:
    assert read(values) == numbers


@pytest.mark.parametrize(
    ("sign", "currency"), [("€", "EUR"), ("£", "GBP"), ("R$", "BRL"), ("￥", "CNY"), ("CHF", "CHF")]
)
def test_the_sign_says_the_currency(sign: str, currency: str) -> None:
    form = number_form([f"{sign} 5,00", f"{sign} 6,50"])
    assert form is not None
    assert form.currency == currency


@pytest.mark.parametrize("values", [["0012", "0013"], ["a"], ["12.3.4"], ["1-2"], [""], ["N"], []])
def test_what_is_no_number(values: list[str]) -> None:
    assert number_form(values) is None


def test_a_separator_before_three_digits_is_unclear() -> None:
    form = number_form(["1,234", "5,678"])
    assert form is not None
    assert form.unclear
    value = quote_literal("1,234")
    found = duckdb.execute(
        f"select {form.sql.format(value)}, {form.other.format(value)}"
    ).fetchall()
    assert sorted(found[0]) == [1.234, 1234.0]
    clear = number_form(["1,234", "5,6"])
    assert clear is not None
    assert not clear.unclear


@given(st.lists(st.decimals(-(10**7), 10**7, places=2), min_size=1, max_size=20))
def test_german_and_english_amounts_are_read_exactly(numbers: list) -> None:
    english = [f"{n:,.2f}" for n in numbers]
    german = [t.replace(",", "_").replace(".", ",").replace("_", ".") for t in english]
    assert read(english) == read(german) == [float(n) for n in numbers]
