"""The service makes no outgoing connections: each attempt would fail and be recorded.

The other verbs are run the same way in test_cli, the notebooks in test_notebooks.
"""

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from serve.process.server import LaunchOptions, running_service
from support.offline import Offline
from support.trained_company import copy_of_trained

SOURCES = Path(__file__).parents[2] / "src"
ROWS = {"customers": [{"customer_id": "new-1", "valid_from": "2025-01-01T00:00:00Z"}]}


@pytest.mark.parametrize(
    "attempt",
    [
        "import socket; socket.create_connection(('192.0.2.1', 80), timeout=1)",
        "import socket; socket.socket().connect(('192.0.2.1', 80))",
        "import socket; socket.socket().connect_ex(('192.0.2.1', 80))",
        "import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))",
        "import socket; socket.getaddrinfo('192.0.2.1', 80)",
        "import _socket; _socket.socket().connect(('192.0.2.1', 80))",
        "import subprocess, sys; subprocess.run([sys.executable, '-c', "
        "'import socket; socket.create_connection((\"192.0.2.1\", 80))'], check=True)",
    ],
)
def test_connections_to_other_machines_fail(tmp_path: Path, attempt: str) -> None:
    offline = Offline(tmp_path / "offline")
    done = subprocess.run(
        [sys.executable, "-c", attempt],
        env={"PYTHONPATH": offline.path()},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "the network is cut" in done.stderr
    assert "192.0.2.1" in offline.tried()


@pytest.mark.slow
@pytest.mark.timeout(900)  # it may be the first that needs the trained company
def test_a_working_service_makes_no_outgoing_connection(tmp_path: Path) -> None:
    company, workspace = copy_of_trained(tmp_path / "home")
    offline = Offline(tmp_path / "offline")
    plan = LaunchOptions(
        company.path,
        workspace,
        workers=1,
        output=tmp_path / "service.log",
        environment={"PYTHONPATH": offline.path(SOURCES), "GOODWILL_THREADS": "1"},
    )
    with (
        running_service(plan, seconds=120) as server,
        httpx.Client(base_url=server.url, trust_env=False, timeout=60) as client,
    ):
        (customer,) = client.get("/v1/customers?limit=1").json()["customers"]
        what_if = {"customer_id": customer, "target": "churn", "goal": 5}
        answers = [
            client.post("/v1/scores", json={"customer_ids": [customer], "reasons": 3}),
            client.post("/v1/scores/records", json={"records": ROWS}),
            client.post("/v1/whatif", json=what_if),
            *(client.get(path) for path in ("/", "/docs", "/openapi.json", "/metrics", "/readyz")),
            client.get(f"/v1/customers/{customer}"),
            client.get("/v1/models/churn"),
        ]
    assert [(a.url.path, a.status_code) for a in answers if a.status_code != 200] == []
    assert offline.tried() == ""
