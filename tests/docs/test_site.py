"""`make docs` builds a site whose pages ask nothing of any other machine."""

import functools
import http.server
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

PROJECT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The built site (without executing the notebooks again), served on this machine."""
    folder = tmp_path_factory.mktemp("site")
    for stem in (p.stem for p in (PROJECT / "notebooks").glob("[0-9]*.py")):
        page = PROJECT / f"docs/tutorial/notebooks/{stem}.md"
        if not page.exists():
            pytest.fail(f"{page.name} is missing: run `make docs` before the slow tests")
    subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        cwd=PROJECT,
        check=True,
    )
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_no_page_asks_another_machine(site: str, browser: Browser) -> None:
    asked: set[str] = set()
    page = browser.new_page()
    page.route(
        "**/*",
        lambda route: route.continue_() if route.request.url.startswith(site) else route.abort(),
    )
    page.on("request", lambda request: asked.add(request.url))
    for name in ("index.html", "reference/features.html", "tutorial/notebooks/03_models.html"):
        page.goto(f"{site}/{name}", wait_until="networkidle")
    page.close()
    assert {url for url in asked if not url.startswith((site, "data:", "blob:"))} == set()


def test_every_notebook_shows_a_plot(site: str, browser: Browser) -> None:
    page = browser.new_page()
    for source in sorted((PROJECT / "notebooks").glob("[0-9]*.py")):
        page.goto(f"{site}/tutorial/notebooks/{source.stem}.html")
        pictures = page.locator("article img").evaluate_all("i => i.map(x => x.naturalWidth)")
        assert pictures, source.stem
        assert min(pictures) > 0, source.stem
    page.close()


def test_pictures_have_alternative_texts_and_answers_are_folded_away(
    site: str, browser: Browser
) -> None:
    page = browser.new_page()
    for source in sorted((PROJECT / "notebooks").glob("[0-9]*.py")):
        page.goto(f"{site}/tutorial/notebooks/{source.stem}.html")
        texts = page.locator("article img").evaluate_all("i => i.map(x => x.alt)")
        assert min(map(len, texts)) >= 60, source.stem
        answers = page.locator("article details")
        assert answers.count() == 2, source.stem
        assert not answers.first.locator("code").first.is_visible(), source.stem
        answers.first.locator("summary").click()
        assert answers.first.locator("code").first.is_visible(), source.stem
    page.close()


def test_search_finds_a_term(site: str, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(f"{site}/index.html")
    page.locator("input.md-search__input").fill("calibration")
    page.locator(".md-search-result__item").first.wait_for(timeout=20_000)
    page.close()
