"""The admin API of a running service: status, reload, rollback, for this machine only.

It has a port of its own, so that clients of the service and its proxy cannot reach it.
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
from features.errors import EnvironmentFailed, GoodwillError
from features.settings import Workspace
from models.bundles.bundle_folders import kept_versions
from models.bundles.champions import POINTER, serving_version
from models.bundles.rollback import roll_back
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
from serve.observability.log_lines import facts
from serve.process.server import describe_port_failure
from serve.security.authentication import Authenticator

log = logging.getLogger("goodwill.operate")

HOST = "127.0.0.1"
MOST_BYTES, SECONDS = 4096, 10.0
#: Accepted host names. Another name would mean a web page that was rebound to this address.
HOST_NAMES = ("127.0.0.1", "localhost")

JsonObject = dict[str, Any]


class ServiceAdmin:
    """The admin operations for the service of one company."""

    def __init__(self, company: Company, workspace: Workspace) -> None:
        self.company = company
        self.workspace = workspace
        self.authenticator = Authenticator.from_environment(workspace)
        self.operations: dict[tuple[str, str], Callable[[JsonObject], JsonObject]] = {
            ("GET", "/status"): self.status,
            ("POST", "/reload"): self.reload,
            ("POST", "/rollback"): self.rollback,
        }

    def status(self, body: JsonObject) -> JsonObject:
        """Return the version in use and the stored versions of each target."""
        serving = self.workspace.serving(self.company.name)
        targets = {
            target: {"version": version, "kept": kept_versions(serving, target)}
            for target in TARGETS
            if (version := serving_version(serving, target)) is not None
        }
        return {
            "company": self.company.name,
            "keys": self.authenticator.keys_required,
            "targets": targets,
        }

    def reload(self, body: JsonObject) -> JsonObject:
        """Make all workers read the models again, by touching the pointer files they watch."""
        serving = self.workspace.serving(self.company.name)
        touched = [target for target in TARGETS if (serving / target / POINTER).is_file()]
        for target in touched:
            os.utime(serving / target / POINTER)
        return {"reloading": touched}

    def rollback(self, body: JsonObject) -> JsonObject:
        """Roll back a target to the previous version, or to the given one."""
        target, version = body.get("target"), body.get("version")
        if not isinstance(target, str) or not isinstance(version, str | None):
            raise InvalidRequest('send {"target": "churn"}, and "version": "3" for a given version')
        rolled = roll_back(self.company, self.workspace, target, version)
        return {"target": rolled.target, "before": rolled.before, "now": rolled.now}

    def check(self, headers: list[tuple[bytes, bytes]], client: tuple[str, int]) -> None:
        """Raise NoKey or Forbidden unless the caller may operate this company's service."""
        names = [value.decode("latin-1") for name, value in headers if name == b"host"]
        if len(names) != 1 or names[0].rsplit(":", 1)[0] not in HOST_NAMES:
            raise Forbidden("use the host name 127.0.0.1 or localhost")
        key = self.authenticator.authenticate({"headers": headers, "client": client})
        if key and ("operate" not in key.scopes or key.company != self.company.name):
            raise Forbidden("this key may not operate this service")


class _Handler(BaseHTTPRequestHandler):
    """Handles a call: JSON in, JSON out, errors in the form of the service."""

    timeout = SECONDS
    server_version, sys_version = "goodwill", ""

    def __init__(self, admin: ServiceAdmin, *rest: Any) -> None:
        self.admin = admin
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
            self.admin.check(headers_sent, self.client_address)
            operation = self.admin.operations.get((self.command, self.path))
            if operation is None:
                raise UnknownPath("unknown path; use GET /status, POST /reload or POST /rollback")
            content = operation(self._body() if self.command == "POST" else {})
        except ApiError as error:
            status, content, headers = error.status, error.body(request_id), error.headers
        except GoodwillError as error:  # our own messages are safe to show
            refused = InvalidRequest(str(error))
            status, content = refused.status, refused.body(request_id)
        log.info("admin call answered", extra=facts(request_id=request_id, status=status))
        self._send(status, content, {**headers, "X-Request-ID": request_id})

    def _body(self) -> JsonObject:
        if (
            self.headers.get_content_type() != "application/json"
        ):  # a web page of another site cannot send this type
            raise WrongMediaType("send application/json")
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > MOST_BYTES:
            raise BodyTooLarge(f"send a body of at most {MOST_BYTES} bytes, with Content-Length")
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
        """Log nothing here: these lines would hold data that was sent."""


@contextlib.contextmanager
def run_admin_api(company: Company, workspace: Workspace, port: int) -> Iterator[None]:
    """Serve the admin API in the background while the block runs.

    Raises EnvironmentFailed when the port is in use.
    """
    handler = partial(_Handler, ServiceAdmin(company, workspace))
    try:
        server = ThreadingHTTPServer((HOST, port), handler)
    except OSError as error:
        raise EnvironmentFailed(
            f"port {port} of {HOST}, for the admin API, {describe_port_failure(error)}; choose a free "
            "one with GOODWILL_OPERATE_PORT, or another --port, whose next one it is"
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
