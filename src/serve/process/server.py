"""Starts the service as a child process, waits for it, and stops it without leaving a worker."""

import contextlib
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from types import FrameType
from typing import IO

import httpx

from features.errors import ConfigRefused, GoodwillError
from features.settings import LIBRARY_SWITCHES, Workspace
from serve.process.process_tree import kill_process_tree
from serve.security.key_file_watcher import keys_required

log = logging.getLogger("goodwill.launch")

HOST = "127.0.0.1"
#: Longer than a call may work, so that calls in flight finish.
STOP_SECONDS = 55.0
#: Patience with a service that is stopped while it starts.
START_SECONDS = 5.0
#: Longer than a client's pool keeps a connection, so that the client closes it first.
KEEP_ALIVE_SECONDS = 60
_POLL_SECONDS = 0.1


class ServiceDown(GoodwillError):
    """The service ended or did not answer in time; the message shows the end of its log."""


def free_port() -> int:
    """A port of 127.0.0.1 nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        found: int = probe.getsockname()[1]
        return found


@dataclass(frozen=True)
class LaunchOptions:
    """Which company to serve, where, and how.

    `company` is its TOML file. `output` is the file the log goes to; None shares our stdout.
    """

    company: Path
    workspace: Workspace
    port: int = field(default_factory=free_port)
    workers: int = 2
    output: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    host: str = HOST

    @property
    def url(self) -> str:
        """Where this machine reaches the service."""
        near = {"0.0.0.0": HOST, "::": "::1"}.get(self.host, self.host)  # noqa: S104 - not bound
        return f"http://{f'[{near}]' if ':' in near else near}:{self.port}"

    def access_note(self) -> str:
        """Who is answered, in words."""
        if keys_required(self.workspace):
            return "for clients with an API key"
        return "no API keys are configured, so for this machine only and open to everybody on it"

    def refuse_open_door(self) -> None:
        """Raise ConfigRefused for an address others reach while there are no keys to ask for."""
        if not keys_required(self.workspace) and not _is_loopback(self.host):
            raise ConfigRefused(
                f"host {self.host} is reached from other machines, and there are no API keys; make "
                "one with `goodwill keys add NAME --scopes score,read`, or serve on 127.0.0.1"
            )

    @property
    def scratch(self) -> Path:
        """All BentoML writes; one folder a port, because it clears the metrics in it at start."""
        return self.workspace.mlruns / "bentoml" / str(self.port)


@dataclass
class ServiceProcess:
    """A running service; its `scratch` folder goes when it is stopped."""

    process: subprocess.Popen[bytes]
    url: str
    output: Path | None
    scratch: Path
    answers: bool = False

    def wait(self, path: str, seconds: float) -> None:
        """Return when GET `path` answers 200. Raises ServiceDown when it ends or is too slow."""
        until = time.monotonic() + seconds
        with httpx.Client(base_url=self.url, trust_env=False, timeout=2.0) as client:
            while time.monotonic() < until:
                if self.process.poll() is not None:
                    raise ServiceDown(f"the service ended at once: {self.log_end()}")
                with contextlib.suppress(httpx.TransportError):
                    if client.get(path).status_code == httpx.codes.OK:
                        self.answers = True
                        return
                time.sleep(_POLL_SECONDS)
        raise ServiceDown(f"no {path} from {self.url} within {seconds:.0f} s: {self.log_end()}")

    def log_end(self) -> str:
        """The last lines the service wrote."""
        if self.output is None:
            return "see its output"
        return self.output.read_text("utf-8", errors="replace")[-2000:]

    def stop(self) -> None:
        """Let calls in flight finish, then end the supervisor and every worker it started.

        A service that never answered has no calls in flight, and may not listen to signals yet.
        """
        if self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_SECONDS if self.answers else START_SECONDS)
        if self.process.poll() is None:  # its workers lead groups of their own
            kill_process_tree(self.process.pid)
        with contextlib.suppress(ProcessLookupError):  # our own group: it was started as one
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        shutil.rmtree(self.scratch, ignore_errors=True)


def start_service(launch: LaunchOptions) -> ServiceProcess:
    """Start the service. Raises ConfigRefused for a taken port, and for an open door."""
    launch.refuse_open_door()
    check_port_free(launch.port, launch.host)
    command = [sys.executable, "-m", "bentoml", "serve", "serve.service:Goodwill"]
    command += ["--host", launch.host, "--port", str(launch.port)]
    command += ["--timeout-keep-alive", str(KEEP_ALIVE_SECONDS)]
    with _opened(launch.output) as stream:
        process = subprocess.Popen(
            command,
            cwd=launch.workspace.home,
            env=_environment(launch),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT if stream else None,
            start_new_session=True,
        )
    return ServiceProcess(process, launch.url, launch.output, launch.scratch)


@contextlib.contextmanager
def running_service(
    launch: LaunchOptions, *, wait_for: str = "/readyz", seconds: float = 60.0
) -> Iterator[ServiceProcess]:
    """A service that answers `wait_for` with 200 inside the block and is gone after it."""
    server = start_service(launch)
    try:
        server.wait(wait_for, seconds)
        yield server
    finally:
        server.stop()


def serve_until_stopped(launch: LaunchOptions, *, seconds: float = 60.0) -> int:
    """Serve in the foreground until Ctrl-C, SIGTERM or the service's own end; its exit code."""

    try:
        with interrupt_on_sigterm(), running_service(launch, wait_for="/livez", seconds=seconds) as server:
            log.info("serving on %s, %s", server.url, launch.access_note())
            return server.process.wait()
    except KeyboardInterrupt:
        return 0


@contextlib.contextmanager
def interrupt_on_sigterm() -> Iterator[None]:
    """SIGTERM ends the block as Ctrl-C does, so that what was started is stopped."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def check_port_free(port: int, host: str = HOST) -> None:
    """Raise ConfigRefused when somebody listens on a port of ours.

    Before BentoML clears the folder of the metrics, which a running service still uses.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConfigRefused(
                f"port {port} of {host} cannot be bound ({error.strerror}); choose a free one"
            ) from None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name: what it stands for may change
        return False


def _environment(launch: LaunchOptions) -> dict[str, str]:
    sources = str(Path(__file__).resolve().parents[2])
    inherited = os.environ.get("PYTHONPATH")
    return {
        **os.environ,
        **LIBRARY_SWITCHES,
        "GOODWILL_COMPANY": str(launch.company.resolve()),
        "GOODWILL_HOME": str(launch.workspace.home),
        "GOODWILL_WORKERS": str(launch.workers),
        "BENTOML_HOME": str(launch.scratch),
        "GOODWILL_LAUNCHER": str(os.getpid()),
        "PYTHONPATH": os.pathsep.join([sources, *([inherited] if inherited else [])]),
        **launch.environment,
    }


@contextlib.contextmanager
def _opened(output: Path | None) -> Iterator[IO[bytes] | None]:
    if output is None:
        yield None
        return
    output.parent.mkdir(parents=True, exist_ok=True)
    with output.open("wb") as stream:
        yield stream
