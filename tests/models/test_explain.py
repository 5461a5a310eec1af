import numpy as np
import pyarrow as pa
import pytest

from models.estimator import Estimator, Labelled, Params
from models.explain import Meaning, parts, reasons

ROWS = 300
RNG = np.random.default_rng(0)
TABLE = pa.table(
    {
        "customer_id": [str(i) for i in range(ROWS)],
        "silence": RNG.exponential(30, ROWS),
        "orders": np.where(RNG.random(ROWS) < 0.1, np.nan, RNG.poisson(4, ROWS)),
        "region": pa.array(RNG.choice(["north", "east"], ROWS)).dictionary_encode(),
    }
)
SILENCE = TABLE["silence"].to_numpy()
MEANINGS = {"silence": Meaning("Days since the last order", "days")}
BINARY = Estimator.fit(
    "binary", Labelled(TABLE, (SILENCE > 25).astype(float)), None, Params(max_rounds=30)
)
CLASSES = Estimator.fit(
    "multiclass",
    Labelled(TABLE, np.digitize(SILENCE, [15, 40])),
    None,
    Params(max_rounds=20, n_classes=3),
)


def test_all_reasons_and_the_start_add_up_to_the_raw_score():
    _, start = parts(BINARY, TABLE)
    told = reasons(BINARY, TABLE, 10, MEANINGS)
    total = [sum(reason.contribution for reason in row) for row in told]
    np.testing.assert_allclose(start + total, BINARY.raw(TABLE), atol=1e-6)


def test_the_strongest_reason_comes_first_in_the_businesss_words():
    for row, days in zip(reasons(BINARY, TABLE, 2, MEANINGS), SILENCE, strict=True):
        first = row[0]
        assert (first.feature, first.description, first.unit) == (
            "silence",
            "Days since the last order",
            "days",
        )
        assert first.value == days
        assert first.direction == ("raises" if days > 25 else "lowers")
        assert len(row) <= 2
        sizes = [abs(reason.contribution) for reason in row]
        assert sizes == sorted(sizes, reverse=True)


def test_values_are_numbers_texts_or_none_when_missing():
    found = {r.feature: {} for r in reasons(CLASSES, TABLE, 10, {}, np.array([-1, 0, 1]))[0]}
    for number, row in enumerate(reasons(CLASSES, TABLE, 10, {}, np.array([-1, 0, 1]))):
        for reason in row:
            found.setdefault(reason.feature, {})[number] = reason.value
            assert reason.description == reason.feature
    missing = np.isnan(TABLE["orders"].to_numpy())
    assert all((value is None) == missing[row] for row, value in found["orders"].items())
    assert set(found["region"].values()) <= {"north", "east"}


def test_a_combination_of_classes_is_explained_as_one_score():
    promoter_minus_detractor = np.array([-1.0, 0, 1])
    shares, start = parts(CLASSES, TABLE, promoter_minus_detractor)
    raw = CLASSES.raw(TABLE)
    np.testing.assert_allclose(shares.sum(axis=1) + start, raw[:, 2] - raw[:, 0], atol=1e-6)


@pytest.mark.parametrize("combination", [None, np.ones(2)])
def test_classes_need_a_combination_of_their_number(combination):
    with pytest.raises(ValueError, match="needs 3 numbers"):
        reasons(CLASSES, TABLE, 3, {}, combination)


def test_no_rows_need_no_reasons():
    assert reasons(BINARY, TABLE.slice(0, 0), 3, {}) == []
