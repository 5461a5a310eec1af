"""The pages in a real browser: they are displayed and load nothing from other sites."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

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


def page(url: str, path: str, profile: Path) -> str:
    """The DOM of the page after the browser displayed it."""
    assert CHROMIUM
    shown = subprocess.run(
        [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", "--dump-dom", f"{url}{path}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return shown.stdout


@pytest.mark.parametrize(("path", "shows"), [("/", "Goodwill"), ("/docs", "/v1/scores/records")])
def test_the_page_is_displayed_and_loads_nothing_from_other_sites(
    http_url: str, path: str, shows: str, tmp_path: Path
) -> None:
    document = page(http_url, path, tmp_path)
    assert shows in document
    assert not re.findall(r"""(?:src|href)=["'](?:https?:)?//""", document)
