"""Starts the service as a child process, waits for it, and stops it with all its workers."""

import contextlib
import errno
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from types import FrameType

import httpx

from features.errors import ConfigRefused, EnvironmentFailed, GoodwillError
from features.settings import LIBRARY_SWITCHES, Workspace
from serve.observability.log_lines import choose_format
from serve.process.draining import STOP_NOW
from serve.process.process_tree import LAUNCHER, kill_process_tree
from serve.process.stderr_relay import relay_stderr
from serve.security.key_file_watcher import keys_required

log = logging.getLogger("goodwill.launch")

HOST = "127.0.0.1"
#: Longer than the time limit of a call, so that calls in flight finish.
STOP_SECONDS = 55.0
_STDOUT = 1
#: Time limit for stopping a service that is still starting.
START_SECONDS = 5.0
#: Longer than clients keep pooled connections, so that the client closes first.
KEEP_ALIVE_SECONDS = 60
_POLL_SECONDS, _LOG_SECONDS = 0.1, 1.0


class ServiceDown(GoodwillError):
    """The service exited or did not answer in time; the message shows the end of its log."""


def free_port() -> int:
    """Return a free port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        found: int = probe.getsockname()[1]
        return found


@dataclass(frozen=True)
class LaunchOptions:
    """Which company to serve, at which address, with how many workers.

    `company` is its TOML file. `output` is the log file; None means our stdout. `drain_seconds` is
    how long it answers calls after SIGTERM while it is not ready.
    """

    company: Path
    workspace: Workspace
    port: int = field(default_factory=free_port)
    workers: int = 2
    output: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    host: str = HOST
    drain_seconds: float = 0.0

    @property
    def url(self) -> str:
        """The URL of the service on this machine."""
        address = {"0.0.0.0": HOST, "::": "::1"}.get(self.host, self.host)  # noqa: S104 - not bound
        return f"http://{f'[{address}]' if ':' in address else address}:{self.port}"

    def access_note(self) -> str:
        """Describe which callers are answered."""
        if keys_required(self.workspace):
            return "for clients with an API key"
        return "without API keys: all callers on this machine, no others"

    def refuse_open_access(self) -> None:
        """Raise ConfigRefused for an address that others can reach while there are no API keys."""
        if not keys_required(self.workspace) and not _is_loopback(self.host):
            raise ConfigRefused(
                f"other machines can reach host {self.host}, and there are no API keys; create "
                "one with `goodwill keys add NAME --scopes score,read`, or serve on 127.0.0.1"
            )

    def check(self) -> None:
        """Raise ConfigRefused for an open address without keys, EnvironmentFailed for a port in use."""
        self.refuse_open_access()
        check_port_free(self.port, self.host)

    @property
    def scratch(self) -> Path:
        """The folder for BentoML's files; one per port, because BentoML clears the metrics at start."""
        return self.workspace.mlruns / "bentoml" / str(self.port)


@dataclass
class ServiceProcess:
    """A running service; `stop` removes its `scratch` folder."""

    process: subprocess.Popen[bytes]
    url: str
    output: Path | None
    scratch: Path
    has_answered: bool = False
    drain_seconds: float = 0.0
    stderr: threading.Thread | None = None

    def wait(self, path: str, seconds: float) -> None:
        """Wait until GET `path` answers 200. Raises ServiceDown when it exits or takes too long."""
        until = time.monotonic() + seconds
        with httpx.Client(base_url=self.url, trust_env=False, timeout=2.0) as client:
            while time.monotonic() < until:
                if self.process.poll() is not None:
                    self._finish_log()
                    raise ServiceDown(f"the service exited: {self.log_end()}")
                with contextlib.suppress(httpx.TransportError):
                    if client.get(path).status_code == httpx.codes.OK:
                        self.has_answered = True
                        return
                time.sleep(_POLL_SECONDS)
        raise ServiceDown(
            f"{self.url}{path} did not answer 200 within {seconds:.0f} s: {self.log_end()}"
        )

    def log_end(self) -> str:
        """Return the end of the log."""
        if self.output is None:
            return "see its output"
        return self.output.read_text("utf-8", errors="replace")[-2000:]

    def stop(self) -> None:
        """Drain, let calls in flight finish, then end the supervisor and all its workers.

        A service that never answered has no calls in flight and may not handle signals yet. Ctrl-C
        or SIGTERM during the drain skip the rest of it; during the calls in flight, they end those.
        """
        if self.process.poll() is None:
            self.process.terminate()
            patience = self.drain_seconds + STOP_SECONDS if self.has_answered else START_SECONDS
            try:
                self._wait_for_end(patience)
            except KeyboardInterrupt:
                self.process.send_signal(STOP_NOW)
                with contextlib.suppress(KeyboardInterrupt):
                    self._wait_for_end(STOP_SECONDS)
        if self.process.poll() is None:  # its workers have process groups of their own
            kill_process_tree(self.process.pid)
        with contextlib.suppress(ProcessLookupError):  # it was started with a group of its own
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._finish_log()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def _wait_for_end(self, seconds: float) -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)

    def _finish_log(self) -> None:
        """Wait until the last lines are written; a process that is not ours may hold stderr open."""
        if self.stderr:
            self.stderr.join(_LOG_SECONDS)


def start_service(launch: LaunchOptions) -> ServiceProcess:
    """Start the service, unless `check` of its options refuses them."""
    launch.check()
    with _open_log(launch.output) as stream:
        process = _start_supervisor(launch, stream)
        relay = (
            relay_stderr(process.stderr, os.dup(stream), process.pid) if process.stderr else None
        )
    return ServiceProcess(
        process,
        launch.url,
        launch.output,
        launch.scratch,
        drain_seconds=launch.drain_seconds,
        stderr=relay,
    )


def _start_supervisor(launch: LaunchOptions, stream: int) -> subprocess.Popen[bytes]:
    """Start BentoML; its stderr is a pipe, unless the log is text."""
    command = [sys.executable, "-m", "bentoml", "serve", "serve.service:Goodwill"]
    command += ["--host", launch.host, "--port", str(launch.port)]
    command += ["--timeout-keep-alive", str(KEEP_ALIVE_SECONDS)]
    environment = _environment(launch, for_terminal=os.isatty(stream))
    is_json = environment["GOODWILL_LOG_FORMAT"] == "json"
    return subprocess.Popen(
        command,
        cwd=launch.workspace.home,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=stream,
        stderr=subprocess.PIPE if is_json else subprocess.STDOUT,
        start_new_session=True,
    )


@contextlib.contextmanager
def running_service(
    launch: LaunchOptions, *, wait_for: str = "/readyz", seconds: float = 60.0
) -> Iterator[ServiceProcess]:
    """Run a service during the block, from the time `wait_for` answers 200."""
    server = start_service(launch)
    try:
        server.wait(wait_for, seconds)
        yield server
    finally:
        server.stop()


def serve_until_stopped(launch: LaunchOptions, *, seconds: float = 60.0) -> int:
    """Serve until Ctrl-C, SIGTERM or the end of the service; return its exit code."""
    try:
        with (
            interrupt_on_sigterm(),
            running_service(launch, wait_for="/livez", seconds=seconds) as server,
        ):
            log.info("the service answers on %s", server.url)
            return server.process.wait()
    except KeyboardInterrupt:
        return 0


@contextlib.contextmanager
def interrupt_on_sigterm() -> Iterator[None]:
    """Make SIGTERM end the block like Ctrl-C, so that started processes are stopped."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def check_port_free(port: int, host: str = HOST) -> None:
    """Raise EnvironmentFailed when the service cannot have this address and port.

    Checked before BentoML clears the metrics folder, which a running service still uses.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            elsewhere = isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL
            remedy = (
                "choose an address of this machine with --host or GOODWILL_HOST"
                if elsewhere
                else "choose a free one with --port or GOODWILL_PORT"
            )
            raise EnvironmentFailed(
                f"port {port} of {host} {describe_port_failure(error)}; {remedy}"
            ) from None


def describe_port_failure(error: OSError) -> str:
    """Describe why a port could not be bound, as the end of a sentence."""
    if error.errno == errno.EADDRINUSE:
        return "is in use"
    return f"cannot be used ({error.strerror})"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a host name may resolve to any address
        return False


def _environment(launch: LaunchOptions, *, for_terminal: bool) -> dict[str, str]:
    sources = str(Path(__file__).resolve().parents[2])
    inherited = os.environ.get("PYTHONPATH")
    return {
        **os.environ,
        **LIBRARY_SWITCHES,
        "GOODWILL_COMPANY": str(launch.company.resolve()),
        "GOODWILL_HOME": str(launch.workspace.home),
        "GOODWILL_WORKERS": str(launch.workers),
        "BENTOML_HOME": str(launch.scratch),
        LAUNCHER: str(os.getpid()),
        "GOODWILL_DRAIN_SECONDS": str(launch.drain_seconds),
        "GOODWILL_LOG_FORMAT": choose_format(for_terminal=for_terminal),
        "PYTHONPATH": os.pathsep.join([sources, *([inherited] if inherited else [])]),
        **launch.environment,
    }


@contextlib.contextmanager
def _open_log(output: Path | None) -> Iterator[int]:
    """Open the log file, or take our stdout, during the block; as a file descriptor."""
    if output is None:
        yield _STDOUT
        return
    output.parent.mkdir(parents=True, exist_ok=True)
    with output.open("wb") as stream:
        yield stream.fileno()
