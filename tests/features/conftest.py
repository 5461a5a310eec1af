"""Fixtures of the feature tests."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.config.company import Company
from features.settings import Workspace


@pytest.fixture(scope="session")
def tiny_company(
    tmp_path_factory: pytest.TempPathFactory,
    make_company: Callable[[Path, int], tuple[Company, Workspace]],
) -> tuple[Company, Workspace]:
    """The sample company with 150 customers, imported; treat as read-only."""
    return make_company(tmp_path_factory.mktemp("tiny"), 150)


@pytest.fixture(scope="session")
def tiny_tables(tiny_company: tuple[Company, Workspace]) -> dict[str, pa.Table]:
    """The contract tables of the sample company."""
    company, workspace = tiny_company
    files = workspace.history(company.name).glob("*.parquet")
    return {file.stem: pq.read_table(file) for file in files}


@pytest.fixture
def shop(tmp_path: Path):
    """A small company of CSV files."""
    from support.company_builders import Shop

    return Shop(tmp_path)
