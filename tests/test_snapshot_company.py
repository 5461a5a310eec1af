"""A table of customers with a label and no dates: every verb and the service, as processes."""

import html
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pyarrow.parquet as pq
import pytest

from features.config.snapshot_settings import NO_DATES, WEAKER_EVIDENCE
from features.settings import Workspace
from serve.process.server import free_port
from support.telco_company import LEAKING, write_telco_company

SOURCES = Path(__file__).parents[1] / "src"
LEVER = 'levers = ["MonthlyCharges"]'
CHINESE = "证据较弱：没有时间先后"

pytestmark = pytest.mark.slow


def environment(home: Path) -> dict[str, str]:
    return {
        **os.environ, "GOODWILL_HOME": str(home), "PYTHONPATH": str(SOURCES), "COLUMNS": "160",
        "GOODWILL_THREADS": "1", "BENTOML_DO_NOT_TRACK": "True",
    }  # fmt: skip


def goodwill(home: Path, *verb: str) -> tuple[int, str]:
    """The exit code of a verb, and what it printed, in one line."""
    command = [sys.executable, "-m", "serve.cli", *verb, "--company", str(home / "data/telco.toml")]
    done = subprocess.run(
        command, env=environment(home), capture_output=True, text=True, check=False
    )
    return done.returncode, " ".join((done.stdout + done.stderr).split())


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A company that was retrained once, as a nightly job does."""
    folder = tmp_path_factory.mktemp("telco")
    write_telco_company(folder / "data", 1500, more=LEVER)
    code, printed = goodwill(folder, "retrain")
    assert code == 0, printed
    return folder


def text_of(page: Path) -> str:
    shown = re.sub(
        r"<(script|style).*?</\1>", "", page.read_text(encoding="utf-8"), flags=re.DOTALL
    )
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", shown)))


def test_columns_that_leak_stop_the_training_and_the_remedy_lets_it_run(home, tmp_path):
    """`home` has the same table with the leaking columns under `except`."""
    write_telco_company(tmp_path / "data", 1500, left_out=())
    code, printed = goodwill(tmp_path, "retrain")
    assert code == 3
    assert "2 leaks found, nothing was trained" in printed
    assert "label in other words: feature crm_Churn_Reason (target churn)" in printed
    assert "identifier: customers.Row" in printed
    assert printed.count("except = [...] under tables.customers") == 1
    assert set(LEAKING) == {"Churn Reason", "Row"}
    assert not (tmp_path / "mlruns/serving").exists()


def test_the_model_is_judged_on_customers_whom_it_has_not_seen(home):
    workspace = Workspace(home)
    (manifest,) = workspace.serving("telco").glob("churn/*/manifest.json")
    content = json.loads(manifest.read_text(encoding="utf-8"))
    assert content["grade"] in {"A", "B"}
    assert content["metrics"]["roc_auc"] > content["metrics"]["rule_roc_auc"] > 0.6
    assert content["origin_limits"] == [WEAKER_EVIDENCE]
    assert (content["definition"], content["horizon_days"], content["survival"]) == (
        "snapshot",
        0,
        None,
    )
    assert len(content["origins"]["each"]) == 5
    assert {f["name"] for f in content["features"]}.isdisjoint({"crm_Row", "crm_Churn_Reason"})


def test_who_has_left_gets_no_score_and_everybody_else_does(home):
    workspace = Workspace(home)
    scores = pq.read_table(workspace.scores("telco")).to_pandas().set_index("customer_id")
    stored = pq.read_table(workspace.history("telco") / "customers.parquet").to_pandas()
    left = stored.set_index("customer_id")["snapshot_label"].reindex(scores.index) == 1
    assert 0.15 < left.mean() < 0.6
    assert (scores["churn_probability"].isna() == left).all()
    assert (scores["churn_in_population"] == ~left).all()


def test_report_and_card_say_that_the_evidence_is_weaker(home):
    folder = home / "data/telco"
    for page in ("report.html", "report-details.html", "models.html"):
        assert "Weaker evidence: no time order." in text_of(folder / page), page
    card = (folder / "cards/churn.md").read_text(encoding="utf-8")
    assert WEAKER_EVIDENCE in card
    assert f"Cannot be measured: {NO_DATES}" in card
    for words in ("0 days", "later than all it learnt", "rolling origins"):
        assert words not in card
        assert words not in text_of(folder / "models.html")
    code, _ = goodwill(home, "report", "--lang", "zh")
    assert code == 0
    assert CHINESE in text_of(folder / "report.zh.html")


@pytest.mark.parametrize("verb", [
    ("quality",), ("data",), ("features",), ("leakage",), ("score", "--reasons"), ("reasons",),
    ("evaluate",), ("tune", "--minutes", "0.05"), ("features", "--describe"),
])  # fmt: skip
def test_verbs_that_need_no_dates_work(home, verb):
    code, printed = goodwill(home, *verb)
    assert code == 0, printed


def test_a_second_training_keeps_the_champion_of_the_same_labels(home):
    code, printed = goodwill(home, "train")
    assert code == 0, printed
    assert "a model of the same labels never replaces the champion" in printed


def test_parts_and_verbs_that_need_dates_say_so(home):
    code, printed = goodwill(home, "evaluate")
    assert code == 0
    for part in ("standing", "indicators", "drivers", "revenue", "cohorts"):
        assert f"no {part}: {NO_DATES}" in printed
    code, printed = goodwill(home, "nonresponse")
    assert code == 3
    assert printed == f"goodwill: DataRefused: non-response needs a survey: {NO_DATES}"
    code, printed = goodwill(home, "features")
    assert code == 0
    assert f"value: cannot be trained: {NO_DATES}: Value needs records with dates" in printed


@pytest.fixture(scope="module")
def client(home: Path) -> Iterator[httpx.Client]:
    port = free_port()
    command = [sys.executable, "-m", "serve.cli", "serve", "--port", str(port),
               "--company", str(home / "data/telco.toml")]  # fmt: skip
    settings = {**environment(home), "GOODWILL_DRAIN_SECONDS": "0"}
    with (
        (home / "service.log").open("w") as log,
        subprocess.Popen(command, env=settings, stdout=log, stderr=log) as service,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as made,
    ):
        try:
            wait_until_ready(made, service, home / "service.log")
            yield made
        finally:
            service.send_signal(signal.SIGTERM)
            service.wait(60)


def wait_until_ready(client: httpx.Client, service: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 240
    while time.monotonic() < until and service.poll() is None:
        try:
            if client.get("/readyz").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.5)
    raise AssertionError(log.read_text(encoding="utf-8")[-3000:])


def customers(home: Path) -> tuple[str, str]:
    """A customer who stays, with high charges, and one who has left."""
    stored = pq.read_table(Workspace(home).history("telco") / "customers.parquet").to_pandas()
    stays = stored[(stored["snapshot_label"] == 0) & (stored["Contract"] == "Month-to-month")]
    first = stays.sort_values("MonthlyCharges")["customer_id"].iloc[-1]
    return first, stored[stored["snapshot_label"] == 1]["customer_id"].iloc[0]


def test_http_scores_with_reasons_and_a_warning(home, client):
    stays, left = customers(home)
    answer = client.post("/v1/scores", json={"customer_ids": [stays, left], "reasons": True}).json()
    assert WEAKER_EVIDENCE in answer["warnings"]
    one, gone = answer["scores"]
    assert 0 < one["predictions"]["churn"]["probability"] < 1
    assert one["reasons"]["churn"]
    assert gone["predictions"]["churn"]["probability"] is None
    calls = client.get("/v1/calls").json()
    assert WEAKER_EVIDENCE in calls["warnings"]
    assert left not in {call["customer_id"] for call in calls["calls"]}


def test_http_names_the_limits_of_the_model(client):
    answer = client.get("/v1/models").json()
    (model,) = answer["models"]
    assert model["limits"] == [WEAKER_EVIDENCE]
    assert set(answer["missing"]) == {"satisfaction", "nps", "value"}
    assert WEAKER_EVIDENCE in client.get("/v1/models/churn").json()["card"]


def test_http_scores_a_customer_by_the_attributes_alone(client):
    attributes = {"Contract": "Month-to-month", "tenure": 1, "Internet_Service": "Fiber optic",
                  "MonthlyCharges": 85.0, "PaymentMethod": "Electronic check", "SeniorCitizen": 0,
                  "gender": "Female"}  # fmt: skip
    risky = {"customer_id": "new", **attributes}
    safe = {**risky, "customer_id": "old", "Contract": "Two year", "tenure": 70}
    answer = client.post("/v1/scores/records", json={"records": {"customers": [risky, safe]}})
    assert answer.status_code == 200, answer.text
    found = {
        s["customer_id"]: s["predictions"]["churn"]["probability"] for s in answer.json()["scores"]
    }
    assert found["new"] > 2 * found["old"]


def test_http_what_if_lowers_what_the_company_can_lower(home, client):
    stays, left = customers(home)
    (lever,) = client.get(f"/v1/customers/{stays}").json()["levers"]
    assert lever["lever"] == "MonthlyCharges"
    ask = {"customer_id": stays, "target": "churn", "set": {"MonthlyCharges": lever["least"]}}
    answer = client.post("/v1/whatif", json=ask).json()
    assert answer["score_then"] <= answer["score"]
    assert "MonthlyCharges had been" in answer["text"]
    refused = client.post("/v1/whatif", json={**ask, "customer_id": left})
    assert refused.status_code == 409
