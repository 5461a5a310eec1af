"""Truncation for each pair of a customer and a cutoff, and comparison of columns."""

import numpy as np
import pyarrow as pa
import pytest

from features.truncation_check import differing_rows, pair_names, truncate, truncate_each
from support.table_builders import contract_table, micro

TABLES = {
    "events": contract_table("events", [
        {"customer_id": "A", "occurred_at": 1, "kind": "x"},
        {"customer_id": "B", "occurred_at": 2, "known_at": 5, "kind": "y"},
        {"customer_id": "A", "occurred_at": 4, "known_at": 4, "kind": "z"},
    ]),
    "surveys": contract_table("surveys", [
        {"customer_id": "A", "sent_at": 1, "answered_at": 3, "score": 1, "comment": "a"},
        {"customer_id": "B", "sent_at": 1, "score": 2},
    ]),
}  # fmt: skip


def test_each_pair_has_the_past_of_its_customer():
    customers = pa.array(["B", "A", "A", "nobody", "B"])
    cutoffs = np.array([micro(3), micro(3), micro(9), micro(9), micro(9)])
    cut = truncate_each(TABLES, customers, cutoffs)
    names = pair_names(5).to_pylist()
    for place, (customer, cutoff) in enumerate(zip(customers.to_pylist(), cutoffs, strict=True)):
        for table, whole in TABLES.items():
            own = whole.filter(pa.array([c == customer for c in whole["customer_id"].to_pylist()]))
            expected = truncate({table: own}, int(cutoff))[table].drop(["customer_id"])
            rows = [c == names[place] for c in cut[table]["customer_id"].to_pylist()]
            got = cut[table].filter(pa.array(rows)).drop(["customer_id"])
            assert got.to_pylist() == expected.to_pylist()
    assert names == sorted(names)


def test_no_pairs_give_no_rows():
    cut = truncate_each(TABLES, pa.array([], pa.string()), np.array([], np.int64))
    assert {name: table.num_rows for name, table in cut.items()} == {"events": 0, "surveys": 0}


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ([1.0, float("nan"), 0.0], [1.0 + 1e-12, float("nan"), 1e-30], [False, False, True]),
        ([1.0, 2.0], [1.0, float("nan")], [False, True]),
        (["a", None, "b"], ["a", None, None], [False, False, True]),
        ([1.0, 2.0], ["1.0", "2.0"], [True, True]),
    ],
)
def test_differing_rows(one, other, expected):
    assert differing_rows(pa.chunked_array([one]), pa.chunked_array([other])).tolist() == expected
    coded = pa.chunked_array([pa.array(other).dictionary_encode()])
    assert differing_rows(pa.chunked_array([one]), coded if "a" in one else pa.chunked_array([other])
                     ).tolist() == expected  # fmt: skip
