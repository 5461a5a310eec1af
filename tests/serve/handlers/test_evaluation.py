"""Indicators and segments over HTTP: a server on real files, with keys."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from insight.evaluation.evaluation_files import EVALUATION_FILE
from insight.evaluation.evaluation_schema import Segment
from serve.app import build_app
from serve.handlers.evaluation import IndicatorsAnswer, SegmentsAnswer, SegmentsQuery
from serve.scoring.evaluation_cache import ServedEvaluation
from serve.scoring.reload_loop import ScorerLoader
from serve.security.api_keys import KeyFile
from serve.security.authentication import Authenticator
from serve.security.key_file_watcher import KeyFileWatcher
from support.evaluation_builders import SHARE, evaluation, write
from support.fake_scorer import WatchingScorer
from support.http_server import running_app
from support.service_in_process import Service, error_of


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("evaluated")


@pytest.fixture(scope="module")
def secrets(home: Path) -> dict[str, str]:
    file = KeyFile(home / "data" / "keys.json")
    return {scope: file.add(f"{scope}-only", [scope], "testing") for scope in ("read", "score")}


@pytest.fixture(scope="module")
def url(home: Path, secrets: dict[str, str]) -> Iterator[str]:
    write(home / "evaluation")
    loader = ScorerLoader(lambda: WatchingScorer(home / "evaluation"))
    keys = KeyFileWatcher(home / "data" / "keys.json", required=True)
    with running_app(build_app(loader, Authenticator(keys))) as url:
        yield url


def get(url: str, path: str, secret: str | None = None) -> httpx.Response:
    headers = {"authorization": f"Bearer {secret}"} if secret else {}
    return httpx.get(f"{url}{path}", headers=headers, trust_env=False, timeout=30)


def test_answers_equal_the_file(home: Path, url: str, secrets: dict[str, str]) -> None:
    file = json.loads((home / "evaluation" / EVALUATION_FILE).read_text("utf-8"))
    answer_json = get(url, "/v1/indicators", secrets["read"]).json()
    for name in ("period", "indicators", "alerts", "too_young", "not_measured", "skipped",
                 "as_of", "made_at", "company", "currency"):  # fmt: skip
        assert answer_json[name] == file[name], name
    assert answer_json["indicators"][0]["value"] == SHARE
    answer_json = get(url, "/v1/segments", secrets["read"]).json()
    for name in ("segments", "stability", "tiers", "stages", "value", "skipped", "as_of"):
        assert answer_json[name] == file[name], name


@pytest.mark.parametrize("path", ["/v1/indicators", "/v1/segments"])
def test_a_key_without_the_scope_read_is_refused(
    url: str, secrets: dict[str, str], path: str
) -> None:
    assert get(url, path, secrets["read"]).status_code == 200
    answer = get(url, path, secrets["score"])
    assert (answer.status_code, error_of(answer)["code"]) == (403, "forbidden")
    assert get(url, path, "gw_wrong").status_code == 401


def test_a_broken_new_file_keeps_the_last_content_and_is_counted(
    home: Path, url: str, secrets: dict[str, str]
) -> None:
    path = home / "evaluation" / EVALUATION_FILE
    path.write_text("{", encoding="utf-8")
    kept = 'goodwill_reloads_total{part="evaluation",result="kept"} 1.0'
    until = time.monotonic() + 20
    while kept not in get(url, "/metrics").text and time.monotonic() < until:
        time.sleep(0.1)
    text = get(url, "/metrics").text
    assert kept in text
    assert 'goodwill_part_ready{part="evaluation"} 1.0' in text
    answer_json = get(url, "/v1/indicators?name=csat", secrets["read"]).json()
    assert answer_json["indicators"][0]["value"] == SHARE
    assert get(url, "/v1/customers/C-7", secrets["read"]).json()["tier"] == "B"
    assert get(url, "/readyz").json()["missing"] == {"nps": "no champion yet"}


def test_filter_by_indicator_and_column(service: Service) -> None:
    parsed = IndicatorsAnswer.model_validate_json(
        service.get("/v1/indicators?name=csat&by=channel").text
    )
    (one,) = parsed.indicators
    assert (one.name, [cell.group for cell in one.cells], one.hidden) == ("csat", ["web"], {})
    assert (parsed.alerts, parsed.not_measured) == ([], {})
    assert len(one.over_time) == 5  # other fields are complete
    parsed = IndicatorsAnswer.model_validate_json(service.get("/v1/indicators?by=region").text)
    assert [i.name for i in parsed.indicators] == ["csat", "nps"]
    assert [cell.group for cell in parsed.indicators[0].cells] == ["north", "south"]
    assert parsed.indicators[0].hidden["region"].answers == 7
    assert [alert.group for alert in parsed.alerts] == ["north"]


def test_an_unmeasured_indicator_has_a_reason(service: Service) -> None:
    answer_json = service.get("/v1/indicators?name=ces").json()
    assert answer_json["indicators"] == []
    assert answer_json["not_measured"] == {"ces": "no question of this kind was asked"}


@pytest.mark.parametrize(
    ("query", "known"), [("name=sat<b>", "csat, nps, ces"), ("by=plan", "channel, region")]
)
def test_unknown_names_are_refused_with_the_known_ones(
    service: Service, query: str, known: str
) -> None:
    answer = service.get(f"/v1/indicators?{query}")
    error = error_of(answer)
    assert (answer.status_code, error["code"]) == (404, "unknown_indicator")
    assert known in error["message"]
    assert "<b>" not in answer.text


def test_filter_segments_by_kind(service: Service) -> None:
    parsed = SegmentsAnswer.model_validate_json(service.get("/v1/segments?by=group").text)
    assert [segment.rule for segment in parsed.segments] == ["orders_90d over 3"]
    assert parsed.tiers == evaluation().tiers
    assert service.get("/v1/segments?by=region").status_code == 422
    assert service.get("/v1/segments?name=tier").status_code == 422


def test_every_kind_of_segment_is_accepted() -> None:
    schema: dict[str, Any] = SegmentsQuery.model_json_schema()
    kinds = Segment.model_json_schema()["properties"]["by"]["enum"]
    assert schema["properties"]["by"]["enum"] == kinds
    for kind in kinds:
        assert SegmentsQuery.model_validate_strings({"by": kind}).by == kind


def test_before_the_first_evaluation_the_error_names_the_command(service: Service) -> None:
    service.scorer.evaluation = ServedEvaluation(
        missing={"evaluation": "make it with `goodwill evaluate`"}
    )
    for path in ("/v1/indicators", "/v1/segments"):
        answer = service.get(path)
        error = error_of(answer)
        assert (answer.status_code, error["code"]) == (503, "not_ready")
        assert error["details"][0]["problem"] == "make it with `goodwill evaluate`"
    assert service.get("/readyz").json()["missing"]["evaluation"]
    assert "evaluation" not in service.get("/v1/models").json()["missing"]  # no target is
    answer_json = service.get("/v1/customers/C-7").json()
    assert (answer_json["tier"], answer_json["standing_as_of"], answer_json["warnings"]) == (
        None,
        None,
        [],
    )
    assert 'goodwill_part_ready{part="evaluation"} 0.0' in service.get("/metrics").text
