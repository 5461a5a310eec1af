import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import DataRefused
from models.learners.feature_encoder import Encoder, split_informative

NAN = float("nan")


def table(**columns):
    return pa.table({name: pa.array(values) for name, values in columns.items()})


def category(values):
    return pa.array(values, pa.string()).dictionary_encode()


TRAIN = pa.table(
    {
        "customer_id": ["a", "b", "c"],
        "orders": [1.0, 2.0, NAN],
        "region": category(["north", "east", None]),
    }
)
ENCODER = Encoder.fit(TRAIN, ("region", "orders"))


def test_codes_are_alphabetical_and_missing_is_nan():
    matrix = ENCODER.encode(TRAIN)
    np.testing.assert_array_equal(matrix, [[1, 1], [0, 2], [NAN, NAN]])
    assert matrix.flags.c_contiguous
    assert matrix.dtype == np.float64


def test_order_of_the_table_and_extra_columns_do_not_matter():
    other = TRAIN.select(["region", "customer_id", "orders"]).append_column("more", [[1, 2, 3]])
    np.testing.assert_array_equal(ENCODER.encode(other), ENCODER.encode(TRAIN))


def test_unknown_categories_are_encoded_as_missing():
    rows = pa.table({"region": category(["west", "north", "west", None]), "orders": [1.0] * 4})
    np.testing.assert_array_equal(ENCODER.encode(rows)[:, 0], [NAN, 1, NAN, NAN])


def test_nulls_integers_and_plain_strings_are_encoded():
    rows = table(region=["east", None], orders=pa.array([7, None], pa.int64()))
    np.testing.assert_array_equal(ENCODER.encode(rows), [[0, 7], [NAN, NAN]])
    rows = table(region=pa.nulls(1), orders=pa.nulls(1))
    np.testing.assert_array_equal(ENCODER.encode(rows), [[NAN, NAN]])


def test_every_batch_has_its_own_dictionary():
    parts = [
        pa.table({"region": category([region]), "orders": [1.0]}) for region in ("north", "east")
    ]
    np.testing.assert_array_equal(ENCODER.encode(pa.concat_tables(parts))[:, 0], [1, 0])


def test_no_rows_make_an_empty_matrix():
    assert ENCODER.encode(TRAIN.slice(0, 0)).shape == (0, 2)


def test_missing_columns_are_shown_as_a_diff():
    with pytest.raises(DataRefused) as refused:
        ENCODER.encode(TRAIN.rename_columns(["customer_id", "order", "region"]))
    lines = str(refused.value).splitlines()
    assert "-orders" in lines
    assert "+order" in lines
    assert not any("customer_id" in line for line in lines)


def test_a_column_given_twice_is_refused():
    twice = TRAIN.append_column("orders", [[1.0, 2.0, 3.0]])
    with pytest.raises(DataRefused, match=r"\+orders"):
        ENCODER.encode(twice)


def test_infinities_are_refused_with_their_column_and_count():
    rows = pa.table({"region": category(["east"] * 3), "orders": [np.inf, -np.inf, 1.0]})
    with pytest.raises(DataRefused, match=r"\{'orders': 2\}"):
        ENCODER.encode(rows)


def test_changed_types_are_refused():
    with pytest.raises(DataRefused, match="orders held numbers"):
        ENCODER.encode(table(region=["east"], orders=["many"]))
    with pytest.raises(DataRefused, match="region held categories"):
        ENCODER.encode(table(region=[1.0], orders=[1.0]))


def test_json_round_trip_and_refusals():
    again = Encoder.from_json(ENCODER.to_json())
    assert again == ENCODER
    for text in ("", "[]", "{}", '{"columns": ["a"], "categories": {"b": ["x"]}}'):
        with pytest.raises(DataRefused, match=r"encoder\.json"):
            Encoder.from_json(text)


def test_columns_that_vary_or_are_missing_for_some_are_informative():
    features = pa.table(
        {
            "customer_id": ["a", "b"],
            "constant": [1.0, 1.0],
            "missing": [NAN, None],
            "varies": [1.0, 2.0],
            "sometimes": [1.0, NAN],
            "one_region": category(["x", "x"]),
            "regions": category(["x", None]),
            "nothing": category([None, None]),
        }
    )
    kept, dropped = split_informative(features)
    assert kept == ("varies", "sometimes", "regions")
    assert dropped == ("constant", "missing", "one_region", "nothing")


@given(st.lists(st.one_of(st.none(), st.text(max_size=3)), max_size=20))
def test_codes_lead_back_to_the_values(values):
    features = pa.table({"c": category(values)})
    encoder = Encoder.fit(features, ("c",))
    known = encoder.categories["c"]
    codes = encoder.encode(features)[:, 0]
    assert [None if np.isnan(code) else known[int(code)] for code in codes] == values
