"""Numbers in the format that a file declares, and columns of two readings."""

import duckdb
import pytest

from features.config.table_mapping import CsvFormat
from features.ingest.number_texts import NumberFormat, find_ambiguous_numbers
from features.ingest.type_inference import cast_sql, infer_text_types


def relation(texts):
    con = duckdb.connect()
    con.execute("create table r as select unnest(?) as x", [texts])
    return con


def read(texts, **declared):
    con = relation(texts)
    numbers = NumberFormat.of(CsvFormat(**declared))
    types = infer_text_types(con, "r", ["x"], numbers=numbers)
    return [row[0] for row in con.execute(cast_sql("r", types, numbers)).fetchall()]


@pytest.mark.parametrize(
    ("texts", "declared", "numbers"),
    [
        (["1.234,56", "980", "-0,5"], {"decimal": ",", "thousands": "."}, [1234.56, 980, -0.5]),
        (["1.234", "980"], {"thousands": "."}, [1234, 980]),
        (["1.234", "980"], {"decimal": "."}, [1.234, 980]),
        (["1,234.5", "12"], {"thousands": ","}, [1234.5, 12]),
        (["1 234,5", "1\u00a0234", "12"], {"decimal": ",", "thousands": " "}, [1234.5, 1234, 12]),
        (["1'234.50", "1’234", "7"], {"thousands": "'"}, [1234.5, 1234, 7]),
        (["€ 12,50", "-3,00 €", "R$ 7,1", "EUR 4"], {"decimal": ","}, [12.5, -3, 7.1, 4]),
        (["$1,234.50", "-$3.00"], {"thousands": ","}, [1234.5, -3]),
    ],
)
def test_numbers_in_the_declared_format(texts, declared, numbers):
    assert read(texts, **declared) == numbers


@pytest.mark.parametrize(
    "texts", [["1.23,4", "5"], ["12.34.56", "5"], ["1,234,5", "5"], ["A1", "5"]]
)
def test_texts_of_another_form_stay_texts(texts):
    assert read(texts, decimal=",", thousands=".") == texts


@pytest.mark.parametrize(
    ("texts", "shown"),
    [
        (
            ["980", "1.234", None, "-17"],
            "column x: '1.234' beside '-17' may be 1234 or 1.234 and three",
        ),
        (["1.234", "2.500"], "column x: '1.234' and others like it may be 1234 or 1.234 and three"),
    ],
)
def test_dots_that_may_separate_thousands(texts, shown):
    (found,) = find_ambiguous_numbers(relation(texts), "r", ["x"])
    assert str(found).startswith(shown)


@pytest.mark.parametrize(
    "texts",
    [["980", "1.25"], ["0.125", "0.250"], ["1234", "1.234"], ["980", "12"], ["1.2345"], [None]],
)
def test_dots_that_can_only_stand_before_decimals(texts):
    assert find_ambiguous_numbers(relation(texts), "r", ["x"]) == []
    assert find_ambiguous_numbers(relation(texts), "r", []) == []


def test_one_mark_cannot_be_both():
    with pytest.raises(ValueError, match=r'decimal and thousands are both "[.]"'):
        CsvFormat(decimal=".", thousands=".")
