"""Run the console in a thread, and record requests and console messages of a browser page."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, Request

from serve.app import build_app
from serve.scoring.reload_loop import ScorerLoader
from serve.security.authentication import Authenticator
from support.console_company import ConsoleCompany
from support.http_server import running_app


@contextmanager
def running_console(authenticator: Authenticator | None = None) -> Iterator[str]:
    """Run the console for the test company in a thread and yield its address."""
    company = ConsoleCompany()
    with running_app(build_app(ScorerLoader(lambda: company), authenticator)) as url:
        yield f"{url}/"


class WatchedPage:
    """A browser page with its requests and console messages."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.requests: list[Request] = []
        self.messages: list[str] = []
        page.set_default_timeout(30_000)
        page.on("request", lambda request: self.requests.append(request))
        page.on("pageerror", lambda error: self.messages.append(str(error)))
        page.on("console", lambda message: self.messages.append(f"{message.type}: {message.text}"))
        page.on("dialog", lambda dialog: self.messages.append("a dialog opened"))

    def posted(self) -> list[dict[str, object]]:
        """The bodies of the what-if requests."""
        return [r.post_data_json for r in self.requests if r.url.endswith("v1/whatif")]


@contextmanager
def ignore_failed_requests(watched: WatchedPage) -> Iterator[None]:
    """Remove the message that Chromium writes for each error answer; others remain."""
    yield
    failed = re.compile(r"^error: Failed to load resource: ")
    watched.messages[:] = [c for c in watched.messages if not failed.match(c)]
