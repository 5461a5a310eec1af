"""The files in deploy/ refer to existing things and restrict access."""

import json
import re
import shutil
import subprocess
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import AliasChoices

from features.settings import Settings
from serve.cli.main import cli
from serve.http.request_body import BODY_BYTES
from serve.observability.prometheus import Metrics
from serve.process.server import KEEP_ALIVE_SECONDS, STOP_SECONDS
from serve.schemas.score_schemas import CustomerScore
from serve.scoring.reload_loop import ScorerLoader
from serve.scoring.scorer import ScoreBatch
from support.fake_scorer import AS_OF, FakeScorer

PROJECT = Path(__file__).parents[2]
DEPLOY = PROJECT / "deploy"
FILES = sorted(path for path in DEPLOY.iterdir() if path.is_file())
UNITS = [path for path in FILES if path.suffix in (".service", ".timer")]
#: Read by `serve.service`; not a setting.
COMPANY = "GOODWILL_COMPANY"
#: Labels that Prometheus adds.
ADDED = {"instance", "job", "le"}


def read(name: str) -> str:
    return (DEPLOY / name).read_text("utf-8")


def variables() -> set[str]:
    """All settings that exist, by the prefix of their owner."""
    names = {COMPANY}
    for name, field in Settings.model_fields.items():
        alias = field.validation_alias
        choices = alias.choices if isinstance(alias, AliasChoices) else [f"GOODWILL_{name.upper()}"]
        names |= {str(choice) for choice in choices if str(choice).startswith("GOODWILL_")}
    return names


def compose() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(read("compose.yaml"))
    return content


def unit(path: Path) -> dict[str, list[str]]:
    """The values of each key, in all sections."""
    found: dict[str, list[str]] = {}
    for line in path.read_text("utf-8").splitlines():
        key, equals, value = line.partition("=")
        if equals and line[0] != "#":
            found.setdefault(key, []).append(value)
    return found


@pytest.fixture(scope="module")
def metrics() -> dict[str, set[str]]:
    """The labels of each metric, by the names that can be queried."""
    scorer = FakeScorer()
    loader = ScorerLoader(lambda: scorer)
    counters = Metrics(loader)
    loader.refresh()
    counters.count_answer("/v1/scores", "POST", 200, 0.01)
    score = CustomerScore("a", {"churn": {"probability": 0.1}}, {})
    counters.count_scores(ScoreBatch(AS_OF, [score], ["b"], {"churn": "7"}, {"churn": 1}))
    counters.count_rejected_rows("/v1/scores", {"missing": 1})
    counters.count_refusal("no_key")
    found: dict[str, set[str]] = {}
    for line in counters.exposition().decode().splitlines():
        if line.startswith("goodwill_"):
            name, labels = re.fullmatch(r"(\w+)(?:{(.*)})? \S+", line).groups()  # type: ignore[union-attr]
            found.setdefault(name, set()).update(re.findall(r'(\w+)="', labels or ""))
    return found


def expressions() -> list[str]:
    alerts = yaml.safe_load(read("alerts.yml"))
    queries = [rule["expr"] for group in alerts["groups"] for rule in group["rules"]]
    board = json.loads(read("grafana.json"))
    queries += [t["expr"] for panel in board["panels"] for t in panel.get("targets", ())]
    return queries + [note["expr"] for note in board["annotations"]["list"]]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_each_setting_in_a_file_exists(path: Path) -> None:
    assert set(re.findall(r"\bGOODWILL_[A-Z_]+", path.read_text("utf-8"))) <= variables()


@pytest.mark.parametrize("expression", expressions())
def test_each_queried_metric_and_label_exists(
    expression: str, metrics: dict[str, set[str]]
) -> None:
    named = re.findall(r"\b(goodwill_\w+)(?:{([^}]*)})?", expression)
    assert named or expression.startswith("up")
    labels = set(ADDED)
    for name, chosen in named:
        assert name in metrics
        assert set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", chosen)) <= metrics[name] | ADDED
        labels |= metrics[name]
    for listed in re.findall(r"\b(?:by|ignoring|on) \(([^)]*)\)", expression):
        assert {label.strip() for label in listed.split(",")} <= labels
    assert expression.count("(") == expression.count(")")


def test_each_metric_is_used_and_documented(metrics: dict[str, set[str]]) -> None:
    queries = " ".join(expressions())
    document = (PROJECT / "docs/how-to/operate.md").read_text("utf-8")
    for name in metrics:
        if not name.endswith(("_created", "_sum", "_count", "_bucket")):
            assert name in queries, name
            assert f"`{name}`" in document, name


def test_each_alert_has_a_remedy() -> None:
    document = (PROJECT / "docs/how-to/operate.md").read_text("utf-8")
    alerts = yaml.safe_load(read("alerts.yml"))
    rules = [rule for group in alerts["groups"] for rule in group["rules"]]
    assert len(rules) >= 6
    for rule in rules:
        assert rule["annotations"]["summary"]
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert f"`{rule['alert']}`" in document, rule["alert"]


def test_each_setting_is_in_the_table() -> None:
    document = (PROJECT / "docs/how-to/operate.md").read_text("utf-8")
    rows = set(re.findall(r"^\| [^|]*`(GOODWILL_[A-Z_]+)` \|", document, re.MULTILINE))
    assert rows == variables()


def test_panels_do_not_overlap_and_are_numbered() -> None:
    panels = json.loads(read("grafana.json"))["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for one, other in combinations([panel["gridPos"] for panel in panels], 2):
        side_by_side = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        assert (
            side_by_side or one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        )
    assert all(p["gridPos"]["x"] + p["gridPos"]["w"] <= 24 for p in panels)


def test_only_the_proxy_is_exposed() -> None:
    services = compose()["services"]
    assert [name for name, service in services.items() if "ports" in service] == ["proxy"]
    assert services["service"]["networks"] == ["inside"]
    assert compose()["networks"]["inside"]["internal"] is True


def test_the_proxy_hides_metrics_and_has_the_limits_of_the_service() -> None:
    text = read("Caddyfile")
    assert "path /metrics /livez /readyz" in text
    assert "not path /v1/scores/stream" in text
    assert f"max_size {BODY_BYTES // 2**20}MiB" in text
    idle, keeps = (int(re.search(rf"{word} (\d+)s", text)[1]) for word in ("idle", "keepalive"))  # type: ignore[index]
    assert max(idle, keeps) < KEEP_ALIVE_SECONDS


@pytest.mark.parametrize("name", ["service", "proxy"])
def test_containers_have_few_privileges(name: str) -> None:
    container = compose()["services"][name]
    assert container["read_only"] is True
    assert container["cap_drop"] == ["ALL"]
    assert container["security_opt"] == ["no-new-privileges:true"]
    assert {"pids_limit", "mem_limit", "tmpfs", "logging"} <= set(container)


def test_the_service_cannot_change_its_models_or_keys() -> None:
    service = compose()["services"]["service"]
    assert service["user"] == "10001:10001"
    mounted = dict(
        volume.rsplit(":", 2)[-2:] for volume in service["volumes"] if volume[-3:] == ":ro"
    )
    assert mounted == {"/srv/goodwill/mlruns/serving": "ro", "/run/goodwill": "ro"}


def test_the_image_does_not_run_as_root() -> None:
    text = read("Dockerfile")
    lines = text.splitlines()
    assert {line.split()[1] for line in lines if line.startswith("FROM")} == {"python:3.11-slim"}
    last = [line for line in lines if line.startswith("USER")][-1]
    assert last == "USER 10001:10001"
    assert "HEALTHCHECK" in text
    assert "/livez" in text
    assert not re.search(r"\b(curl|wget|sudo|ssh|git)\b", text)
    assert '"--only-binary", ":all:"' in text
    command = json.loads(next(x for x in lines if x.startswith("CMD ")).removeprefix("CMD "))
    assert command[:3] == ["bentoml", "serve", "/opt/bento"]
    copied = [line.split()[1] for line in lines if line.startswith("COPY dist")]
    assert all(path.startswith("dist/bento") for path in copied)
    assert read("Dockerfile.dockerignore").splitlines()[-2:] == ["*", "!dist/bento"]


@pytest.mark.parametrize("path", [p for p in UNITS if p.suffix == ".service"], ids=lambda p: p.name)
def test_units_run_existing_verbs_with_few_privileges(path: Path) -> None:
    values = unit(path)
    (command,) = values["ExecStart"]
    assert command.split()[0].endswith("/.venv/bin/goodwill")
    assert command.split()[1] in cli.commands
    assert values["User"] == ["goodwill"]
    for hardened in ("NoNewPrivileges", "PrivateTmp", "ProtectHome", "LockPersonality"):
        assert values[hardened] == ["yes"]
    assert values["ProtectSystem"] == ["strict"]
    assert values["CapabilityBoundingSet"] == [""]
    assert values["MemoryMax"]


def test_retraining_has_lower_priority_than_the_service() -> None:
    values = unit(DEPLOY / "goodwill-retrain.service")
    assert values["Nice"] == ["19"]
    assert "GOODWILL_THREADS=1" in values["Environment"]
    assert unit(DEPLOY / "goodwill-retrain.timer")["OnCalendar"]


def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    for path in UNITS:
        text = path.read_text("utf-8")
        assert {"Unit", "Service", "Timer", "Install"} >= set(re.findall(r"(?m)^\[(\w+)\]$", text))
        assert re.fullmatch(r"(?:(?:#.*|\[\w+\]|[A-Z]\w+=.*|)\n)+", text)
        text = re.sub(r"(?m)^ExecStart=.*", "ExecStart=/bin/true", text)
        (tmp_path / path.name).write_text(re.sub(r"(?m)^(User|Group)=.*", "", text))
    if not (tool := shutil.which("systemd-analyze")):
        return
    names = [str(tmp_path / path.name) for path in UNITS]
    shown = subprocess.run([tool, "verify", "--man=no", *names], capture_output=True, text=True)
    assert shown.returncode == 0, shown.stderr
    assert "Unknown" not in shown.stderr


def test_the_service_may_drain_and_finish_its_calls_before_it_is_killed() -> None:
    (systemd,) = (unit(path) for path in UNITS if path.name == "goodwill.service")
    settings = dict(line.split("=", 1) for line in systemd["Environment"])
    drain = float(settings["GOODWILL_DRAIN_SECONDS"])
    assert drain == Settings.model_fields["drain_seconds"].default
    assert float(systemd["TimeoutStopSec"][0]) >= drain + STOP_SECONDS + 10
    assert systemd["KillMode"] == ["mixed"]
    service = compose()["services"]["service"]
    assert service["environment"]["GOODWILL_DRAIN_SECONDS"] == f"${{DRAIN_SECONDS:-{drain:g}}}"
    assert float(service["stop_grace_period"].rstrip("s")) >= drain + STOP_SECONDS + 10
    interval = re.search(r"health_interval (\d+)s", read("Caddyfile"))
    assert interval
    assert 2 * float(interval.group(1)) < drain
