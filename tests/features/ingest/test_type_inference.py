"""Type inference of text columns: exact for every row, or none."""

from datetime import date, datetime

import duckdb
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from features.ingest.type_inference import SAMPLE_ROWS, cast_sql, infer_text_types


@pytest.fixture(scope="module")
def con():
    with duckdb.connect() as con:
        yield con


def type_of(con, values: list[str | None]) -> str:
    con.register("texts", pa.table({"x": pa.array(values, pa.string())}))
    return infer_text_types(con, "texts", ["x"]).get("x", "text")


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "-20", "0", None], "BIGINT"),
        (["1", "999999999999999999"], "BIGINT"),
        (["1", "12345678901234567890"], "HUGEINT"),
        (["1", "2.5"], "DOUBLE"),
        (["1", "-.5", "1e3", "inf", "NaN"], "DOUBLE"),
        (["007", "8"], "text"),  # an id keeps its zeros
        (["+49", "30"], "text"),
        (["-0", "1"], "DOUBLE"),
        (["3,5", "4"], "text"),
        (["1", "0x10"], "text"),
        (["1", "1_000"], "text"),
        (["true", "False"], "BOOLEAN"),
        (["t", "f"], "text"),
        (["yes", "no"], "text"),
        (["2024-02-29", "2024-03-01"], "DATE"),
        (["2024-02-30", "2024-03-01"], "text"),
        (["2024-02-29", "2024-03-01 10:00"], "TIMESTAMP"),
        (["2024-02-29T10:00:00.123456"], "TIMESTAMP"),
        (["2024-02-29 10:00:00Z"], "text"),  # an instant: the conversion knows offsets
        (["2024-02-29 10:00:00+02:00"], "text"),
        (["03/04/2024"], "text"),  # the 3rd of April or the 4th of March
        (["20240229"], "BIGINT"),
        (["10:00", "23:59:59.5"], "TIME"),
        (["25:00"], "text"),
        ([None, None], "text"),
        ([], "text"),
        ([" 1"], "text"),
    ],
)
def test_infer_text_types(con, values, kind):
    assert type_of(con, values) == kind


@pytest.mark.parametrize(
    ("first", "late", "kind"),
    [
        ("1", "1.5", "DOUBLE"),  # would be rounded to 2
        ("2024-01-01", "2024-01-01 10:00:00", "TIMESTAMP"),  # would lose its hours
        ("1", "x", "text"),
        (None, "7", "BIGINT"),
        (None, "x", "text"),
        ("x", "7", "text"),
    ],
)
def test_late_values_count_as_much_as_the_first(con, first, late, kind):
    assert type_of(con, [first] * (SAMPLE_ROWS + 1) + [late]) == kind


NUMBERS = st.one_of(st.integers(-(10**17), 10**17).map(str), st.floats(allow_nan=False).map(repr))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.one_of(st.none(), NUMBERS), min_size=1, max_size=8))
@example(["1.0", "2"])
def test_numbers_are_read_exactly(con, values):
    """As Python parses the same digits; integers digit by digit."""
    con.register("texts", pa.table({"x": pa.array(values, pa.string())}))
    types = infer_text_types(con, "texts", ["x"])
    found = [row[0] for row in con.execute(cast_sql("texts", types)).fetchall()]
    if types.get("x") == "BIGINT":
        assert [v if v is None else str(v) for v in found] == values
    elif types:
        assert types["x"] == "DOUBLE"
        assert found == [v if v is None else float(v) for v in values]
    else:
        too_long = [v for v in values if v and len(v.lstrip("-").split(".")[0].split("e")[0]) > 15]
        assert set(values) == {None} or too_long  # the nearest double is another number


def test_only_the_given_columns_and_types_are_inferred(con):
    con.register(
        "texts", pa.table({"a": ["1"], 'b "x"': ["2024-01-01"], "c": ["2024-01-01 05:00"]})
    )
    types = infer_text_types(con, "texts", ["a", 'b "x"'])
    assert types == {"a": "BIGINT", 'b "x"': "DATE"}
    assert infer_text_types(con, "texts", ["a", "c"], ["DOUBLE"]) == {"a": "DOUBLE"}
    assert infer_text_types(con, "texts", []) == {}
    found = con.execute(cast_sql("texts", {**types, "c": "TIMESTAMP"})).fetchall()
    assert found == [(1, date(2024, 1, 1), datetime(2024, 1, 1, 5))]  # noqa: DTZ001
    assert con.execute(cast_sql("texts", {})).fetchall() == [
        ("1", "2024-01-01", "2024-01-01 05:00")
    ]
