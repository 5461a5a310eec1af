"""What is said about a data set: columns, digest and counts, and no value of a customer."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from features.history.history_table import DAY
from models.training.train import TrainingRows
from models.training_set.dataset_summary import DatasetSummary, summarise_dataset

ROWS = TrainingRows(
    pa.table(
        {
            "tenure_days": [3.0, None, 5.0],
            "visits": pa.array([1, 0, 0], pa.int32()),
            "crm_region": pa.array(["north", None, "north"]).dictionary_encode(),
        }
    ),
    label=np.array([0.0, 1.0, 0.0]),
    weight=np.ones(3),
    customer=np.array([0, 0, 1]),
    cutoff=np.array([0, 31, 31]) * DAY,
)


def summary(rows: TrainingRows = ROWS) -> DatasetSummary:
    return summarise_dataset("churn", "test", "data/x/features/churn.parquet", rows, {"leaves": 1})


def test_a_summary_has_columns_and_counts() -> None:
    found = summary()
    assert (found.name, found.context, found.source) == (
        "churn", "test", "data/x/features/churn.parquet",
    )  # fmt: skip
    assert found.columns == (
        ("tenure_days", "double"), ("visits", "double"), ("crm_region", "string"),
        ("label", "double"), ("weight", "double"),
    )  # fmt: skip
    assert found.counts == {"rows": 3, "customers": 2, "cutoffs": 2, "label leaves": 1}
    assert found.cutoffs == ("1970-01-01", "1970-02-01")
    assert "north" not in repr(found)


def test_the_same_rows_have_the_same_digest_however_they_are_stored() -> None:
    table = ROWS.features
    parts = pa.concat_tables([table.slice(0, 1), table.slice(1)])
    plain = table.set_column(2, "crm_region", pa.array(["north", None, "north"]))
    nan = table.set_column(0, "tenure_days", pa.array([3.0, np.nan, 5.0]))
    for same in (parts, plain, nan):
        assert summary(replace(ROWS, features=same)).digest == summary().digest
    assert len(summary().digest) == 16


@pytest.mark.parametrize(
    "changes",
    [
        {"label": np.array([0.0, 1.0, 1.0])},
        {"weight": np.array([1.0, 1.0, 0.5])},
        {"customer": np.array([0, 1, 1])},
        {"cutoff": np.array([0, 30, 31]) * DAY},
        {"features": ROWS.features.set_column(0, "tenure_days", pa.array([3.0, 0.0, 5.0]))},
        {"features": ROWS.features.set_column(2, "crm_region", pa.array(["north", None, None]))},
        {"features": ROWS.features.set_column(2, "crm_region", pa.array(["south", None, "south"]))},
        {"features": ROWS.features.rename_columns(["tenure", "visits", "crm_region"])},
        {"features": ROWS.features.drop_columns(["visits"])},
    ],
)
def test_any_other_value_or_column_gives_another_digest(changes: dict[str, object]) -> None:
    assert summary(replace(ROWS, **changes)).digest != summary().digest  # type: ignore[arg-type]
