"""Out of distribution: outside the training range of columns that the model uses."""

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from models.learners.labelled_rows import LabelledRows
from models.learners.lightgbm import Estimator, Params
from models.learners.out_of_distribution import MIN_GAIN_SHARE, TRAINING_QUANTILE, TrainingSupport

NAN = float("nan")
#: Churn depends on silence and region, not on noise. Silence is never missing in training.
TRAINING = {"silence": (0.0, 365.0), "noise": (0.0, 1.0)}


def rows(count: int, seed: int) -> pa.Table:
    rng = np.random.default_rng(seed)
    noise = rng.random(count)
    return pa.table(
        {
            "silence": rng.uniform(*TRAINING["silence"], count),
            "noise": np.where(rng.random(count) < 0.2, NAN, noise),
            "region": pa.array(rng.choice(["east", "north"], count)).dictionary_encode(),
        }
    )


@pytest.fixture(scope="module")
def table() -> pa.Table:
    return rows(2000, seed=1)


@pytest.fixture(scope="module")
def estimator(table: pa.Table) -> Estimator:
    east = np.array(table["region"].to_pylist()) == "east"
    chance = 1 / (1 + np.exp(-(table["silence"].to_numpy() / 60 - 3 + 2 * east)))
    y = (np.random.default_rng(2).random(table.num_rows) < chance).astype(float)
    return Estimator.fit("binary", LabelledRows(table, y), None, Params(max_rounds=40, leaves=4))


@pytest.fixture(scope="module")
def support(estimator: Estimator, table: pa.Table) -> TrainingSupport:
    return TrainingSupport.fit(estimator, table)


def customer(silence: float = 100, noise: float = 0.5, region: str | None = "east") -> pa.Table:
    regions = pa.array([region], pa.string()).dictionary_encode()
    return pa.table({"silence": [silence], "noise": [noise], "region": regions})


@pytest.mark.parametrize(
    ("who", "unlike"),
    [
        (customer(), False),
        (customer(silence=364), False),
        (customer(silence=730), True),  # longer than any training customer
        (customer(silence=-1), True),
        (customer(silence=NAN), True),  # never missing in training
        (customer(noise=1e9), False),  # outside the range of an unimportant column
        (customer(noise=NAN), False),  # missing for a fifth of the training rows
        (customer(region="north"), False),
        (customer(region="west"), True),  # an unknown category, and none was missing in training
        (customer(region=None), True),
    ],
)
def test_out_of_distribution_is_an_important_column_outside_its_range(
    support: TrainingSupport, estimator: Estimator, who: pa.Table, unlike: bool
) -> None:
    share = dict(zip(support.columns, support.share, strict=True))
    assert share["silence"] > share["region"] > MIN_GAIN_SHARE > share["noise"]
    assert support.out_of_distribution(estimator, who).tolist() == [unlike]


def test_ranges_and_gain_shares_of_columns(support: TrainingSupport, estimator: Estimator) -> None:
    assert support.columns == estimator.encoder.columns
    assert sum(support.share) == pytest.approx(1)
    low, high = (dict(zip(support.columns, v, strict=True)) for v in (support.low, support.high))
    assert 0 < low["silence"] < 2
    assert 363 < high["silence"] < 365
    assert dict(zip(support.columns, support.missing, strict=True)) == {
        "silence": False, "noise": True, "region": False,
    }  # fmt: skip


def test_few_rows_of_the_training_distribution_are_flagged(
    support: TrainingSupport, estimator: Estimator, table: pa.Table
) -> None:
    assert support.out_of_distribution(estimator, table).mean() <= 1 - TRAINING_QUANTILE
    assert support.out_of_distribution(estimator, rows(2000, seed=5)).mean() < 0.01
    assert support.out_of_distribution(estimator, table.slice(0, 0)).tolist() == []


def test_unusual_training_rows_raise_the_limit(
    support: TrainingSupport, estimator: Estimator, table: pa.Table
) -> None:
    lost = pa.concat_tables([table, *[customer(silence=NAN)] * 2]).combine_chunks()
    odd = TrainingSupport.fit(estimator, lost)
    assert (
        odd.missing[odd.columns.index("silence")] is False
    )  # 2 of 2,002 rows are below the threshold
    assert odd.limit == MIN_GAIN_SHARE
    many = pa.concat_tables([table, *[customer(silence=NAN)] * 20]).unify_dictionaries()
    assert TrainingSupport.fit(estimator, many).missing[odd.columns.index("silence")] is True
    patient = replace(support, limit=1.0)
    assert patient.out_of_distribution(
        estimator, customer(silence=730, region="west")
    ).tolist() == [False]


def test_a_value_in_a_column_always_missing_in_training_is_flagged(
    estimator: Estimator, table: pa.Table
) -> None:
    place = table.column_names.index("silence")
    never = table.set_column(place, "silence", pa.array([NAN] * table.num_rows, pa.float64()))
    support = TrainingSupport.fit(estimator, never)
    assert support.out_of_distribution(estimator, customer(silence=NAN)).tolist() == [False]
    assert support.out_of_distribution(estimator, customer(silence=100)).tolist() == [True]


def test_the_manifest_round_trip_gives_the_same_flags(support: TrainingSupport) -> None:
    assert TrainingSupport.from_dict(json.loads(json.dumps(support.to_dict()))) == support
