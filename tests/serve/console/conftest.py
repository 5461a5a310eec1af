"""A browser and the address of the console, for every test that looks at it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from support.watched_page import Watched, answering


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with answering() as url:
        yield url


@pytest.fixture
def watched(browser: Browser, address: str) -> Iterator[Watched]:
    """A page of a browser that knows nothing yet; it ends without complaint, having asked only us."""
    context = browser.new_context(locale="en-GB")
    made = Watched(context.new_page())
    yield made
    context.close()
    assert made.complaints == []
    others = {r.url for r in made.asked if not r.url.startswith((address, "data:"))}
    assert others == set()


@pytest.fixture
def page(watched: Watched) -> Page:
    return watched.page
