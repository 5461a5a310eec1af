"""A small company with everything that is studied, shared by these tests."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from features.config.company import Company, load_company
from features.settings import Workspace


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """Two threads on a busy machine wait for each other most of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GOODWILL_THREADS", "1")
        yield


@pytest.fixture
def own_company(
    small_company: tuple[Company, Workspace], tmp_path: Path
) -> tuple[Company, Workspace]:
    """The sample company with 400 customers, to be written into."""
    shutil.copytree(small_company[1].home, tmp_path / "home")
    workspace = Workspace(tmp_path / "home")
    return load_company(workspace.data / "sample.toml"), workspace
