"""What every test may use: a small sample company."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

import pytest
from hypothesis import settings

from features.config.company import Company, load_company
from features.errors import ConfigRefused
from features.execution.partitions import Runner
from features.import_history.run_import import import_history
from features.progress import silent_steps
from features.sample_company.generate import generate_sample_company
from features.settings import Workspace

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PROJECT = Path(__file__).parents[1]
#: Fixtures that need a program which a machine may lack: Java, Chromium.
PROGRAM_FIXTURES = {"spark", "browser"}
# No test fails for being slow: a busy machine is no fault of the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests on real data, on Spark and in a browser as slow; those of the trained company last."""
    for item in items:
        used = getattr(item, "fixturenames", ())
        if item.get_closest_marker("real_data") or not PROGRAM_FIXTURES.isdisjoint(used):
            item.add_marker(pytest.mark.slow)
    items.sort(key=_needs_trained_company)


def _needs_trained_company(item: pytest.Item) -> bool:
    """Whether a test may wait until the company that all share is trained (`_train_early`)."""
    if "trained_company" in getattr(item, "fixturenames", ()):
        return True
    names = vars(item.module).values() if isinstance(item, pytest.Function) else ()
    return any(getattr(value, "__module__", "") == "support.trained_company" for value in names)


def sample_company(home: Path, customers: int, seed: int = 7) -> tuple[Company, Workspace]:
    """The sample company, simulated and imported below a folder of its own."""
    workspace = Workspace(home)
    folder = workspace.company("sample")
    folder.mkdir(parents=True)
    generate_sample_company(folder / "raw", folder / "truth", customers, seed)
    mapping = workspace.data / "sample.toml"  # its root is {here}/sample/raw
    mapping.write_text((PROJECT / "data/sample.toml").read_text(encoding="utf-8"), encoding="utf-8")
    company = load_company(mapping)
    import_history(company, workspace, silent_steps())
    return company, workspace


@pytest.fixture(scope="session", autouse=True)
def _shared_between_processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Name a folder that all processes of this run share (tests/support/trained_company.py)."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with mock.patch.dict(os.environ, {"GOODWILL_TEST_SHARED": str(shared / "shared")}):
        yield


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    """Two threads on a busy machine wait for each other most of the time."""
    with mock.patch.dict(os.environ, {"GOODWILL_THREADS": "1"}):
        yield


@pytest.fixture(scope="session", autouse=True)
def _train_early(
    request: pytest.FixtureRequest, _shared_between_processes: None, _one_thread: None
) -> Iterator[None]:
    """In a run of the whole suite, train the shared company before tests have to wait for it."""
    whole_suite = request.session.testscollected > 1000
    if os.environ.get("PYTEST_XDIST_WORKER") != "gw0" or not whole_suite:
        yield
        return
    code = "from support.trained_company import trained; trained()"
    path = os.pathsep.join((str(PROJECT / "src"), str(PROJECT / "tests")))
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", code], env={**os.environ, "PYTHONPATH": path}
    ):
        yield


@pytest.fixture(scope="session")
def make_company() -> Callable[[Path, int], tuple[Company, Workspace]]:
    """Simulates and imports the sample company: `make_company(home, customers)`."""
    return sample_company


@pytest.fixture(scope="session")
def small_company() -> tuple[Company, Workspace]:
    """The sample company with 400 customers, its history and features built; treat as read-only.

    The first process of a test run that needs it builds it for all.
    """
    from filelock import FileLock

    from models.training_set.build_training_sets import build_features

    folder = Path(os.environ["GOODWILL_TEST_SHARED"]) / "small"
    folder.mkdir(parents=True, exist_ok=True)
    home, made = folder / "home", folder / "made"
    with FileLock(folder / "lock"):
        if not made.is_file():
            shutil.rmtree(home, ignore_errors=True)
            company, workspace = sample_company(home, customers=400)
            build_features(company, workspace, silent_steps())
            made.touch()
    return load_company(home / "data/sample.toml"), Workspace(home)


@pytest.fixture(scope="module")
def spark() -> Iterator[Runner]:
    """Spark on two cores for the tests of one file, skipped where pyspark or Java is missing."""
    from features.execution.spark import spark_runner

    with ExitStack() as stack:
        try:
            runner = stack.enter_context(spark_runner(silent_steps()))
        except ConfigRefused as err:
            pytest.skip(str(err))
        yield runner


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """Headless Chromium for the tests of one file, skipped where it is not installed.

    Not for the whole session: its event loop would stand in the way of tests that run their own.
    """
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield launched
        launched.close()
