"""Schemathesis with all its checks against a real service, 300 examples for each operation.

An independent reading of the OpenAPI document: what it allows is answered, what it forbids is
refused, and every answer is as described.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from features.settings import Workspace
from serve.process.server import LaunchOptions, running_service
from serve.routes import OPERATIONS
from support.locked_server import fake_scorer_environment


@pytest.mark.chaos
@pytest.mark.timeout(600)
def test_schemathesis_finds_no_failure(tmp_path: Path) -> None:
    environment = fake_scorer_environment()
    launch = LaunchOptions(
        tmp_path / "sample.toml",
        Workspace(tmp_path),
        output=tmp_path / "service.log",
        environment=environment,
    )
    with running_service(launch) as server:
        ran = subprocess.run(
            [Path(sys.executable).with_name("schemathesis"), "run", f"{server.url}/openapi.json",
             "--checks", "all", "--max-examples", "300", "--generation-deterministic",
             "--continue-on-failure", "--no-color"],
            cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
    assert ran.returncode == 0, ran.stdout[-5000:]
    tested = len(OPERATIONS) - 1  # it does not ask for the document that it reads
    assert f"Tested: {tested}\n" in ran.stdout
