"""Groups of customers keep their names when they are computed again."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.errors import DataRefused
from insight.evaluation.customer_groups import GROUPS_FILE, group_customers


def customers(seed: int = 0) -> pd.DataFrame:
    """Two distant clusters, one twice as large as the other, and one customer without values."""
    rng = np.random.default_rng(seed)
    clusters = np.vstack([rng.normal((80, 20), 5, (200, 2)), rng.normal((20, 70), 5, (400, 2))])
    table = pd.DataFrame(clusters, columns=["loyalty", "growth"])
    table.loc[600] = [np.nan, np.nan]
    return table.assign(nothing=50.0).set_index(pd.Index([f"c{i:03}" for i in range(601)]))


def test_group_names_persist_and_customers_join_the_nearest_group(tmp_path: Path) -> None:
    first = group_customers(customers(), tmp_path)
    assert first.stability > 0.95
    assert first.of.iloc[:200].nunique() == 1
    assert first.of.iloc[200:600].nunique() == 1
    assert first.of.iloc[600:].isna().all()
    assert set(first.rules) == {"A", "B"}
    assert "loyalty" in first.rules["A"].text or "growth" in first.rules["A"].text
    again = group_customers(customers(1), tmp_path)
    assert (again.of == first.of).iloc[:600].mean() == 1.0


def test_other_dimensions_get_new_names_and_a_damaged_file_is_refused(tmp_path: Path) -> None:
    group_customers(customers(), tmp_path)
    other = group_customers(customers().rename(columns={"growth": "risk"}), tmp_path)
    assert set(other.rules) == {"A", "B"}
    (tmp_path / GROUPS_FILE).write_text("{", encoding="utf-8")
    with pytest.raises(DataRefused, match=r"groups\.json cannot be read"):
        group_customers(customers(), tmp_path)


def test_too_few_customers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataRefused, match="10 customers"):
        group_customers(customers().head(10), tmp_path)
