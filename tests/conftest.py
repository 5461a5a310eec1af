"""What every test may use: a small sample company."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from unittest import mock

import pytest

from features.config.company import Company, load_company
from features.errors import ConfigRefused
from features.execution.partitions import Runner
from features.import_history.run_import import import_history
from features.progress import quiet
from features.sample_company.generate import simulate
from features.settings import Workspace

PROJECT = Path(__file__).parents[1]
#: Files that take longest, longest first: begun last, one of them would keep the other workers waiting.
SLOW = (
    "test_notebooks",
    "test_end_to_end",
    "test_recipes",
    "test_real_companies",
    "test_reproducible",
    "test_retrain",
    "test_distributed",
    "test_engine",
    "test_cli",
    "test_service",
    "test_bento",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the slow files first; the order within a file stays."""
    place = {name: i for i, name in enumerate(SLOW)}
    items.sort(key=lambda item: place.get(item.path.stem, len(SLOW)))


def sample_company(home: Path, customers: int, seed: int = 7) -> tuple[Company, Workspace]:
    """The sample company, simulated and imported below a folder of its own."""
    workspace = Workspace(home)
    folder = workspace.company("sample")
    folder.mkdir(parents=True)
    simulate(folder / "raw", folder / "truth", customers, seed)
    mapping = workspace.data / "sample.toml"  # its root is {here}/sample/raw
    mapping.write_text((PROJECT / "data/sample.toml").read_text(encoding="utf-8"), encoding="utf-8")
    company = load_company(mapping)
    import_history(company, workspace, quiet())
    return company, workspace


@pytest.fixture(scope="session", autouse=True)
def _shared_between_processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Name a folder that all processes of this run share (tests/support/trained_company.py)."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with mock.patch.dict(os.environ, {"GOODWILL_TEST_SHARED": str(shared / "shared")}):
        yield


@pytest.fixture(scope="session")
def make_company() -> Callable[[Path, int], tuple[Company, Workspace]]:
    """Simulates and imports the sample company: `make_company(home, customers)`."""
    return sample_company


@pytest.fixture(scope="session")
def small_company(tmp_path_factory: pytest.TempPathFactory) -> tuple[Company, Workspace]:
    """The sample company with 400 customers, its history and features built; treat as read-only."""
    from models.training_set.build_training_sets import build_features

    company, workspace = sample_company(tmp_path_factory.mktemp("small"), customers=400)
    build_features(company, workspace, quiet())
    return company, workspace


@pytest.fixture(scope="module")
def spark() -> Iterator[Runner]:
    """Spark on two cores for the tests of one file, skipped where pyspark or Java is missing."""
    from features.execution.spark import spark_runner

    with ExitStack() as stack:
        try:
            runner = stack.enter_context(spark_runner(quiet()))
        except ConfigRefused as err:
            pytest.skip(str(err))
        yield runner
