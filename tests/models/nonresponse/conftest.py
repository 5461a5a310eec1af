"""Fixtures of the non-response tests: a small company that a test may change."""

import shutil
from pathlib import Path

import pytest

from features.config.company import Company, load_company
from features.settings import Workspace


@pytest.fixture
def own_company(
    small_company: tuple[Company, Workspace], tmp_path: Path
) -> tuple[Company, Workspace]:
    """A writable copy of the sample company with 400 customers."""
    shutil.copytree(small_company[1].home, tmp_path / "home")
    workspace = Workspace(tmp_path / "home")
    return load_company(workspace.data / "sample.toml"), workspace
