"""The BentoML service: the only file that knows BentoML.

BentoML starts, restarts and stops the worker processes and runs the lifespan; every HTTP call
goes straight to our application. BentoML's router knows /, /livez, /readyz, /metrics and
/docs.json before it looks at mounted applications, and its middleware costs several times what
a call does, so `to_asgi`, the method its worker asks for an application, puts ours in front.
"""

import importlib
import logging
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, cast

import bentoml
from starlette.types import ASGIApp, Receive, Scope, Send

from features.errors import ConfigRefused
from features.settings import Settings, Workspace, find_workspace, disable_telemetry
from serve.app import build_app
from serve.process.process_tree import exit_with_parent
from serve.scoring.reload_loop import ScorerLoader
from serve.scoring.scorer import Scorer
from serve.security.audit_log import AuditLog
from serve.security.authentication import Authenticator

#: Longer than the service's own limit, so that a slow call ends in our error shape.
BENTOML_SECONDS = 60
LOADER = "serve.scoring.company_scorer:load_scorer"


def scorer_from_environment() -> Scorer:
    """The scorer of the company that `GOODWILL_COMPANY` names by the path of its TOML file.

    `GOODWILL_SCORER` may name another loader, as `module:function`. Raises ConfigRefused when
    no company is named, and whatever the loader raises.
    """
    company = os.environ.get("GOODWILL_COMPANY")
    if not company:
        raise ConfigRefused("set GOODWILL_COMPANY to the path of the company's TOML file")
    module, _, function = os.environ.get("GOODWILL_SCORER", LOADER).partition(":")
    load: Callable[[str], Scorer] = getattr(importlib.import_module(module), function)
    return load(company)


class FrontedService(bentoml.Service):  # type: ignore[misc]
    """A BentoML service whose HTTP calls go to its first mounted application, and nowhere else."""

    def to_asgi(self, is_main: bool = True) -> ASGIApp:
        behind = cast(ASGIApp, super().to_asgi(is_main=is_main))
        front = cast(ASGIApp, self.mount_apps[0][0])

        async def fronted(scope: Scope, receive: Receive, send: Send) -> None:
            app = behind if scope["type"] == "lifespan" else front
            await app(scope, receive, send)

        return fronted


def _log_to_stdout() -> None:
    """One plain line a call on stdout, past BentoML's formatter, which looks for a trace."""
    logger = logging.getLogger("goodwill")
    if not logger.handlers:
        handler = logging.StreamHandler(sys.stdout)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False


def _workspace() -> Workspace:
    """The project; without one the working directory, from which nobody is scored."""
    try:
        return find_workspace()
    except ConfigRefused:  # said by /readyz: an exception here would restart the worker for ever
        return Workspace(Path.cwd())


def _mount(service: Any) -> Any:
    """Mounted, the application's lifespan is BentoML's to run."""
    workspace = _workspace()
    audits = partial(AuditLog, workspace, required=Settings().audit_required)
    app = build_app(ScorerLoader(scorer_from_environment), Authenticator.from_environment(workspace), audits)
    service.mount_asgi_app(app, path="/", name="goodwill")
    return service


def _end_with_launcher() -> None:
    """In the supervisor, end with the process that launched it, where one said who it is."""
    if os.environ.get("GOODWILL_LAUNCHER") == str(os.getppid()):
        exit_with_parent()


class _Goodwill:
    """Predictions of customer quality over HTTP."""

    def __init__(self) -> None:
        _log_to_stdout()
        exit_with_parent(named="bentoml")


disable_telemetry()
_end_with_launcher()
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
