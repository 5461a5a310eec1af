"""The BentoML service; the only file that knows BentoML.

BentoML starts, restarts and stops the worker processes and runs the lifespan. HTTP calls go straight
to our application: BentoML's router answers /, /livez, /readyz, /metrics and /docs.json before it
looks at mounted applications, and its middleware takes several times as long as a call. So
`to_asgi`, from which its worker gets the application, puts ours in front.
"""

import contextlib
import importlib
import os
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, cast

import bentoml
from starlette.types import ASGIApp, Receive, Scope, Send

from features.errors import ConfigRefused
from features.settings import Settings, Workspace, disable_telemetry, find_workspace
from serve.app import build_app
from serve.observability.log_lines import configure_logging, print_to_stderr
from serve.process.draining import STOP_NOW, Drain
from serve.process.process_tree import LAUNCHER, exit_with_parent, list_descendants
from serve.scoring.reload_loop import ScorerLoader
from serve.scoring.scorer import Scorer
from serve.security.audit_log import AuditLog
from serve.security.authentication import Authenticator

#: Longer than our own time limit, so that a slow call gets our error answer.
BENTOML_SECONDS = 60
LOADER = "serve.scoring.company_scorer:load_scorer"


def scorer_from_environment() -> Scorer:
    """Load the scorer of the company whose TOML file is `GOODWILL_COMPANY`.

    `GOODWILL_SCORER` may name another loader, as `module:function`. Raises ConfigRefused without a
    company, and whatever the loader raises.
    """
    company = os.environ.get("GOODWILL_COMPANY")
    if not company:
        raise ConfigRefused("set GOODWILL_COMPANY to the path of the company's TOML file")
    module, _, function = os.environ.get("GOODWILL_SCORER", LOADER).partition(":")
    load: Callable[[str], Scorer] = getattr(importlib.import_module(module), function)
    return load(company)


class FrontedService(bentoml.Service):  # type: ignore[misc]
    """A BentoML service that passes all HTTP calls to its first mounted application."""

    def to_asgi(self, is_main: bool = True) -> ASGIApp:
        """Make the application of a worker, which logs and drains in our way."""
        _log_in_our_format()
        bentoml_app = cast(ASGIApp, super().to_asgi(is_main=is_main))
        our_app = cast(ASGIApp, self.mount_apps[0][0])

        async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "lifespan":
                await our_app(scope, receive, send)
                return
            with _drain.follow_signals():
                await bentoml_app(scope, receive, send)

        return dispatch


def _log_in_our_format() -> None:
    """Replace the logging that BentoML configured at the start of the process."""
    configure_logging()
    print_to_stderr()


def _workspace() -> Workspace:
    """Return the project; without one, the working directory, where no models are."""
    try:
        return find_workspace()
    except ConfigRefused:  # /readyz reports it; an exception here would restart the worker for ever
        return Workspace(Path.cwd())


def _mount(service: Any) -> Any:
    """Mount our application, so that BentoML runs its lifespan."""
    workspace = _workspace()
    audits = partial(AuditLog, workspace, required=Settings().audit_required)
    app = build_app(
        ScorerLoader(scorer_from_environment),
        Authenticator.from_environment(workspace),
        audits,
        _drain,
    )
    service.mount_asgi_app(app, path="/", name="goodwill")
    return service


def _exit_with_launcher() -> None:
    """In the supervisor: exit when the process that launched it ends, if it is known."""
    if _is_launcher_alive():
        exit_with_parent()


def _is_launcher_alive() -> bool:
    return os.environ.get(LAUNCHER) == str(os.getppid())


def _pass_on_to_workers(number: int, _frame: FrameType | None) -> None:
    for worker in list_descendants(os.getpid()):
        with contextlib.suppress(ProcessLookupError):
            os.kill(worker, number)


class _Goodwill:
    """Customer predictions over HTTP."""

    def __init__(self) -> None:  # in each worker
        # The next start needs the port of a worker without a supervisor, so it does not drain.
        exit_with_parent(command="bentoml", number=STOP_NOW)

    @bentoml.on_deployment  # type: ignore[untyped-decorator]
    @staticmethod
    def prepare_supervisor() -> None:
        """Prepare the supervisor, before it starts the workers."""
        if LAUNCHER in os.environ and not _is_launcher_alive():  # it ended while we started
            raise SystemExit("the process that launched the service has ended")
        _log_in_our_format()
        signal.signal(STOP_NOW, _pass_on_to_workers)


disable_telemetry()
_drain = Drain(Settings().drain_seconds)
_exit_with_launcher()
Goodwill = _mount(
    bentoml.service(
        name="goodwill",
        service_class=FrontedService,
        workers=Settings().workers,
        traffic={"timeout": BENTOML_SECONDS},
        metrics={"enabled": False},
        logging={"access": {"enabled": False}},
        http={"cors": {"enabled": False}},
    )(_Goodwill)
)
