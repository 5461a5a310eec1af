"""Fixtures: a browser and the address of a running console."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from support.watched_page import WatchedPage, running_console


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with running_console() as url:
        yield url


@pytest.fixture
def watched(browser: Browser, address: str) -> Iterator[WatchedPage]:
    """A new browser page; fails on console messages and on requests to other hosts."""
    context = browser.new_context(locale="en-GB")
    made = WatchedPage(context.new_page())
    yield made
    context.close()
    assert made.messages == []
    others = {r.url for r in made.requests if not r.url.startswith((address, "data:"))}
    assert others == set()


@pytest.fixture
def page(watched: WatchedPage) -> Page:
    return watched.page
