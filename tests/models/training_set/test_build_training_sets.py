"""Training sets and snapshot are the same whether customers come at once or in blocks."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from pandas.testing import assert_frame_equal
from rich.console import Console

from features.config.company import Company, load_company
from features.progress import Steps
from features.settings import Workspace
from models.training_set.build_training_sets import build_features, read_counts


def test_blocks_of_customers_make_the_same_tables(
    small_company: tuple[Company, Workspace], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, whole = small_company
    shutil.copytree(whole.home, tmp_path / "home")
    company, workspace = (
        load_company(tmp_path / "home/data/sample.toml"),
        Workspace(tmp_path / "home"),
    )
    monkeypatch.setenv("GOODWILL_BLOCK_CUSTOMERS", "90")
    counts, _ = build_features(company, workspace, Steps(console=Console(quiet=True)))
    assert {name: c.rows for name, c in counts.items()} == {
        name: c.rows for name, c in read_counts(company, whole)[0].items()
    }
    keys = [("customer_id", "ascending"), ("cutoff", "ascending")]
    for name in (*counts, "snapshot"):
        file = Path("features") / f"{name}.parquet"
        one, many = (pq.read_table(w.company("sample") / file) for w in (whole, workspace))
        assert_frame_equal(
            one.sort_by(keys).to_pandas(), many.sort_by(keys).to_pandas(), check_exact=True
        )


def test_a_training_set_beyond_max_rows_is_a_counted_sample_of_customers(
    make_company: Callable[[Path, int], tuple[Company, Workspace]], tmp_path: Path
) -> None:
    company, workspace = make_company(tmp_path, 300)
    calendar = company.calendar.model_copy(update={"max_rows": 1000})
    few = company.model_copy(update={"calendar": calendar})
    counts, _ = build_features(few, workspace, Steps(console=Console(quiet=True)))
    value = counts["value"]
    assert value.sampled_out > 0
    assert 500 < value.rows <= 1500
    assert value.rows + value.sampled_out + value.outside > 4000
