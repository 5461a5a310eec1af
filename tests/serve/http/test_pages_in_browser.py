"""The pages in a real browser: they are displayed and load nothing from other sites."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from features.settings import Workspace
from serve.process.server import LaunchOptions, ServiceProcess, running_service

PROJECT = Path(__file__).parents[3]
CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--virtual-time-budget=5000",
]

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium: apt-get install chromium")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    home = tmp_path_factory.mktemp("pages")
    launch = LaunchOptions(
        PROJECT / "data" / "sample.toml",
        Workspace(home),
        workers=1,
        output=home / "service.log",
        environment={
            "GOODWILL_SCORER": "support.fake_scorer:load",
            "PYTHONPATH": f"{PROJECT / 'src'}:{PROJECT / 'tests'}",
        },
    )
    with running_service(launch) as running:
        yield running


def page(server: ServiceProcess, path: str, profile: Path) -> str:
    """The DOM of the page after the browser displayed it."""
    assert CHROMIUM
    shown = subprocess.run(
        [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", "--dump-dom", f"{server.url}{path}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return shown.stdout


@pytest.mark.parametrize(("path", "shows"), [("/", "Goodwill"), ("/docs", "/v1/scores/records")])
def test_the_page_is_displayed_and_loads_nothing_from_other_sites(
    server: ServiceProcess, path: str, shows: str, tmp_path: Path
) -> None:
    document = page(server, path, tmp_path)
    assert shows in document
    assert not re.findall(r"""(?:src|href)=["'](?:https?:)?//""", document)
