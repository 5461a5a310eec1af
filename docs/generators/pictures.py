"""Take the pictures of the README: page one of the report, and the call list in the console.

Needs the sample company trained (`make demo SERVE=0`), Chromium and a Chinese font (`fonts-noto-cjk`),
without which the button for the other language shows empty boxes.
"""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

PROJECT = Path(__file__).parents[2]
IMAGES = PROJECT / "docs/images"
PORT = 3998
SIZE = {"width": 1180, "height": 820}


def take_pictures() -> None:
    """Write `docs/images/report.png` and `console.png`."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("no chromium: apt-get install chromium")
    IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as playwright, _service() as address:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport=SIZE, device_scale_factor=0.75)
        page.goto((PROJECT / "data/sample/report.html").as_uri())
        page.screenshot(path=IMAGES / "report.png")
        page.goto(f"{address}/")
        page.locator(".list").wait_for(timeout=30_000)
        page.screenshot(path=IMAGES / "console.png")
        browser.close()


@contextmanager
def _service() -> Iterator[str]:
    """The service of the sample company on this machine."""
    command = [sys.executable, "-m", "serve.cli", "serve", "--port", str(PORT)]
    address = f"http://127.0.0.1:{PORT}"
    with subprocess.Popen(command, cwd=PROJECT) as process:
        try:
            _wait(f"{address}/readyz")
            yield address
        finally:
            process.terminate()


def _wait(url: str) -> None:
    for _ in range(240):
        try:
            with urlopen(url, timeout=5):  # noqa: S310
                return
        except (URLError, OSError):
            time.sleep(0.5)
    sys.exit(f"{url} did not answer within two minutes")
