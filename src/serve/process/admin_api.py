"""Operating a running service: status, reload, rollback, on a port of this machine only.

Apart from the service's own port, so that no client of it, and no proxy before it, gets here.
"""

import contextlib
import json
import logging
import os
import threading
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from features.config.company import Company
from features.errors import ConfigRefused, GoodwillError
from features.settings import Workspace
from models.bundles.champions import POINTER
from models.bundles.rollback import kept_versions, roll_back, serving_version
from models.targets.registry import TARGETS
from serve.errors import (
    ApiError,
    BodyTooLarge,
    Forbidden,
    InvalidRequest,
    MalformedJson,
    UnknownPath,
    WrongMediaType,
)
from serve.security.authentication import Authenticator

log = logging.getLogger("goodwill.operate")

HOST = "127.0.0.1"
MOST_BYTES, SECONDS = 4096, 10.0
#: Names of this machine: under another one, a page of somebody else's would be asking.
NAMES = ("127.0.0.1", "localhost")

Asked = dict[str, Any]


class ServiceAdmin:
    """What can be done to the service of one company."""

    def __init__(self, company: Company, workspace: Workspace) -> None:
        self.company = company
        self.workspace = workspace
        self.authenticator = Authenticator.from_environment(workspace)
        self.deeds: dict[tuple[str, str], Callable[[Asked], Asked]] = {
            ("GET", "/status"): self.status,
            ("POST", "/reload"): self.reload,
            ("POST", "/rollback"): self.rollback,
        }

    def status(self, asked: Asked) -> Asked:
        """Which version of each target serves, and which are kept."""
        serving = self.workspace.serving(self.company.name)
        targets = {
            target: {"version": version, "kept": kept_versions(serving, target)}
            for target in TARGETS
            if (version := serving_version(serving, target)) is not None
        }
        return {"company": self.company.name, "keys": self.authenticator.keys_required, "targets": targets}

    def reload(self, asked: Asked) -> Asked:
        """Let every worker read models and snapshot again: it follows the time of the pointers."""
        serving = self.workspace.serving(self.company.name)
        touched = [target for target in TARGETS if (serving / target / POINTER).is_file()]
        for target in touched:
            os.utime(serving / target / POINTER)
        return {"reloading": touched}

    def rollback(self, asked: Asked) -> Asked:
        """Let the version before serve again, or the one named."""
        target, version = asked.get("target"), asked.get("version")
        if not isinstance(target, str) or not isinstance(version, str | None):
            raise InvalidRequest('send {"target": "churn"}, and "version": "3" to name one')
        rolled = roll_back(self.company, self.workspace, target, version)
        return {"target": rolled.target, "before": rolled.before, "now": rolled.now}

    def check(self, headers: list[tuple[bytes, bytes]], client: tuple[str, int]) -> None:
        """Raise NoKey or Forbidden unless the call may operate this company's service."""
        names = [value.decode("latin-1") for name, value in headers if name == b"host"]
        if len(names) != 1 or names[0].rsplit(":", 1)[0] not in NAMES:
            raise Forbidden("ask by the name of this machine: 127.0.0.1 or localhost")
        key = self.authenticator.authenticate({"headers": headers, "client": client})
        if key and ("operate" not in key.scopes or key.company != self.company.name):
            raise Forbidden("this key is not for operating this service")


class _Handler(BaseHTTPRequestHandler):
    """One call: JSON in, JSON out, errors in the service's one shape."""

    timeout = SECONDS
    server_version, sys_version = "goodwill", ""

    def __init__(self, operator: ServiceAdmin, *rest: Any) -> None:
        self.operator = operator
        super().__init__(*rest)

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        request_id = uuid.uuid4().hex
        status, content, headers = 200, {}, {}
        try:
            headers_sent = [
                (name.lower().encode("latin-1"), value.encode("latin-1", "replace"))
                for name, value in self.headers.items()
            ]
            self.operator.check(headers_sent, self.client_address)
            deed = self.operator.deeds.get((self.command, self.path))
            if deed is None:
                raise UnknownPath("GET /status, POST /reload and POST /rollback are there")
            content = deed(self._body() if self.command == "POST" else {})
        except ApiError as error:
            status, content, headers = error.status, error.body(request_id), error.headers
        except GoodwillError as error:  # our own messages are meant to be read
            refused = InvalidRequest(str(error))
            status, content = refused.status, refused.body(request_id)
        log.info("%s", json.dumps({"request_id": request_id, "status": status}))
        self._send(status, content, {**headers, "X-Request-ID": request_id})

    def _body(self) -> Asked:
        if self.headers.get_content_type() != "application/json":  # no web page may send that
            raise WrongMediaType("send application/json")
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > MOST_BYTES:
            raise BodyTooLarge(f"send a body of at most {MOST_BYTES} bytes, with its length")
        try:
            content = json.loads(self.rfile.read(int(length)) or b"{}")
        except ValueError:
            raise MalformedJson("the body is not JSON") from None
        if not isinstance(content, dict):
            raise InvalidRequest("send a JSON object")
        return content

    def _send(self, status: int, content: Any, headers: dict[str, str]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: its lines would hold what was sent."""


@contextlib.contextmanager
def run_admin_api(company: Company, workspace: Workspace, port: int) -> Iterator[None]:
    """Take operating calls in the background for as long as the block lasts.

    Raises ConfigRefused when the port is taken.
    """
    handler = partial(_Handler, ServiceAdmin(company, workspace))
    try:
        server = ThreadingHTTPServer((HOST, port), handler)
    except OSError as error:
        raise ConfigRefused(
            f"port {port} of {HOST}, to operate on, cannot be bound ({error.strerror}); set "
            "GOODWILL_OPERATE_PORT to a free one"
        ) from None
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
