"""MLflow's own pages in a browser: the address that we give opens the view for trained models."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from features.settings import Workspace
from models.bundles.mlflow_registry import Registry
from models.bundles.mlflow_runs import MACHINE_LEARNING
from serve.cli.demo import EXPERIMENTS
from support.trained_company import PROJECT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

LONGEST_SECONDS = 120


@pytest.mark.parametrize("file", ["README.md", "Makefile", "docs/tutorial/first-run.md",
                                  "docs/how-to/look-at-experiments.md"])  # fmt: skip
def test_every_document_gives_the_same_address(file: str) -> None:
    assert EXPERIMENTS in (PROJECT / file).read_text("utf-8")
    assert EXPERIMENTS.endswith(f"#/experiments/1/runs?{MACHINE_LEARNING}")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pages")


@pytest.fixture(scope="module")
def run_page(home: Path) -> str:
    """The page of a project's only run, whose description links to its card."""
    registry = Registry(Workspace(home))
    with registry.run("shop", "churn") as run_id:
        link = f"[Model card]({registry.page(run_id, 'card.html')})"
        registry.log(run_id, {}, {}, {"card.html": "<h1>The card of churn</h1>"}, description=link)
    return registry.page(run_id)


@pytest.fixture(scope="module")
def address(home: Path, run_page: str) -> Iterator[str]:
    """The address of a server as `make mlflow` starts it, once it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--workers", "1", "--host", "127.0.0.1",
               "--port", str(port), "--backend-store-uri", "sqlite:///mlruns/mlflow.db",
               "--default-artifact-root", "mlruns/artifacts"]  # fmt: skip
    environment = {**os.environ, "GOODWILL_HOME": str(home), "MLFLOW_DISABLE_TELEMETRY": "true"}
    with (home / "log").open("w") as log:
        server = subprocess.Popen(
            command, cwd=home, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        yield _once_it_answers(f"http://127.0.0.1:{port}/", home / "log")
    finally:
        os.killpg(server.pid, 15)
        server.wait()


def _once_it_answers(address: str, log: Path) -> str:
    until = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < until:
        try:
            httpx.get(address, timeout=5)
        except httpx.TransportError:
            time.sleep(0.5)
        else:
            return address
    raise AssertionError(log.read_text())


def in_view_for_trained_models(page: "Page") -> bool:
    """Wait for the links at the side; only this view has registered models and no prompts."""
    page.get_by_role("link", name="Model registry").or_(
        page.get_by_role("link", name="Prompts")
    ).first.wait_for()
    return page.get_by_role("link", name="Model registry").is_visible()


@pytest.mark.slow
def test_the_address_opens_the_runs_and_a_description_leads_to_the_card(
    browser: "Browser", address: str, run_page: str
) -> None:
    page = browser.new_page()
    page.set_default_timeout(1000 * LONGEST_SECONDS)
    page.goto(EXPERIMENTS.replace("http://127.0.0.1:5000/", address))
    page.get_by_text("churn", exact=True).first.wait_for()
    assert in_view_for_trained_models(page)
    page.goto(address + run_page)
    assert in_view_for_trained_models(page)
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Model card").click()
    card = opened.value.frame_locator("iframe")
    card.get_by_role("heading", name="The card of churn").wait_for()
    assert in_view_for_trained_models(opened.value)


@pytest.mark.slow
def test_the_browser_remembers_the_view_that_was_chosen(
    browser: "Browser", address: str, run_page: str
) -> None:
    page = browser.new_context().new_page()
    page.set_default_timeout(1000 * LONGEST_SECONDS)
    plain = address + run_page.removesuffix(f"?{MACHINE_LEARNING}")
    page.goto(plain)
    assert not in_view_for_trained_models(page)
    page.get_by_text("Model training").click()
    page.get_by_role("link", name="Model registry").wait_for()
    page.goto(plain)
    page.reload()
    assert in_view_for_trained_models(page)
