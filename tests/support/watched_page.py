"""The console's application in a thread, and a page that writes down what it asks and complains of."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from playwright.sync_api import Page, Request

from serve.app import build_app
from serve.process.server import free_port
from serve.scoring.reload_loop import ScorerLoader
from serve.security.authentication import Authenticator
from support.console_company import ConsoleCompany


@contextmanager
def answering(authenticator: Authenticator | None = None) -> Iterator[str]:
    """The address of the application around the company, in a thread of this process."""
    company, port = ConsoleCompany(), free_port()
    app = build_app(ScorerLoader(lambda: company), authenticator)
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.02)
        assert thread.is_alive()
    yield f"http://127.0.0.1:{port}/"
    server.should_exit = True
    thread.join(10)


class Watched:
    """A page, what it asked for, and what it complained of."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.asked: list[Request] = []
        self.complaints: list[str] = []
        page.set_default_timeout(10_000)
        page.on("request", lambda request: self.asked.append(request))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: self.complaints.append(f"{said.type}: {said.text}"))
        page.on("dialog", lambda dialog: self.complaints.append("a dialog opened"))

    def posted(self) -> list[dict[str, object]]:
        """What was asked of the what-if."""
        return [r.post_data_json for r in self.asked if r.url.endswith("v1/whatif")]


@contextmanager
def forgiven(watched: Watched) -> Iterator[None]:
    """Chromium notes each answer that is an error; nothing else may be noted."""
    yield
    refused = re.compile(r"^error: Failed to load resource: ")
    watched.complaints[:] = [c for c in watched.complaints if not refused.match(c)]
