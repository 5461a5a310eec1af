"""The scorer of a company: scores, and reloads of champions and snapshots."""

import json
import logging
import re
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.config.company import Company, load_company
from features.errors import GoodwillError
from features.result_sets import staged_results
from features.settings import Workspace
from insight.evaluation.evaluation_files import evaluation_folder
from models.bundles.bundle import write_bundle
from models.bundles.champions import load_champion, set_champion
from models.learners.calibration import Calibrator
from serve.schemas.record_schemas import Records
from serve.scoring.company_scorer import CompanyScorer, load_scorer
from serve.scoring.explanations import Explanations
from support.evaluation_builders import write
from support.trained_company import CUSTOMERS, SAMPLE_TARGETS, copy_of_trained, trained

#: A customer with an open contract, so that churn applies.
ONE = ["A0000000"]


@pytest.fixture(scope="module")
def shared() -> CompanyScorer:
    workspace = trained()[0]
    return CompanyScorer(load_company(workspace.data / "sample.toml"), workspace)


@pytest.fixture
def copied(tmp_path: Path) -> tuple[Company, Workspace]:
    return copy_of_trained(tmp_path / "home")


def test_it_is_ready_and_describes_its_models(shared: CompanyScorer) -> None:
    assert shared.ready()
    assert shared.missing() == {}
    assert shared.as_of() == datetime(2026, 7, 1, tzinfo=UTC)
    infos = {m.target: m for m in shared.models()}
    assert list(infos) == list(SAMPLE_TARGETS)
    assert {m.version for m in infos.values()} == {"1"}
    assert infos["churn"].horizon_days == 90
    assert infos["churn"].label_counts.keys() == {"stays", "leaves"}
    assert 0.5 < infos["churn"].metrics["roc_auc"] < 1
    assert infos["churn"].cutoffs == sorted(infos["churn"].cutoffs)
    assert all(len(m.features) > 50 and m.grade in {"A", "B"} for m in infos.values())


def test_owner_and_region_of_each_customer_are_those_of_the_snapshot(shared: CompanyScorer) -> None:
    snapshot = pq.read_table(trained()[0].features("sample") / "snapshot.parquet")
    columns = ("customer_id", "crm_account_owner", "crm_region")
    for row in snapshot.select(columns).slice(0, 50).to_pylist():
        known = {"owner": row["crm_account_owner"], "region": row["crm_region"]}
        assert shared.owner_and_region(row["customer_id"]) == known
    assert shared.owner_and_region("nobody") == {}


def test_ids_are_scored_once_in_order_and_unknown_ones_are_listed(shared: CompanyScorer) -> None:
    batch = shared.score_ids(["A0000009", "nobody", "A0000002", "A0000009", "nobody"], None, 0)
    assert [s.customer_id for s in batch.scores] == ["A0000009", "A0000002"]
    assert batch.unknown == ["nobody"]
    assert all(s.reasons == {} for s in batch.scores)
    alone = shared.score_ids(["A0000002"], None, 0)
    assert alone.scores[0] == batch.scores[1]


def test_unknown_ids_only_give_no_scores(shared: CompanyScorer) -> None:
    batch = shared.score_ids(["x"], None, 2)
    assert (batch.scores, batch.unknown) == ([], ["x"])
    assert shared.score_ids([], None, 2).scores == []


def test_targets_and_reasons_as_requested(shared: CompanyScorer) -> None:
    batch = shared.score_ids(ONE, ["churn", "nps"], 2)
    assert set(batch.versions) == set(batch.scores[0].predictions) == {"churn", "nps"}
    for reasons in batch.scores[0].reasons.values():
        assert len(reasons) == 2
        assert all(r.meaning and r.meaning != r.feature for r in reasons)
        assert abs(reasons[0].effect) >= abs(reasons[1].effect) > 0


def test_reasons_are_sentences_in_the_requested_language(shared: CompanyScorer) -> None:
    english = shared.score_ids(ONE, None, 4).scores[0].reasons
    chinese = shared.score_ids(ONE, None, 4, "zh").scores[0].reasons
    for target, reasons in english.items():
        for one, other in zip(reasons, chinese[target], strict=True):
            assert (one.factor, one.effect) == (other.factor, other.effect)
            assert one.feature.startswith(one.factor)
            assert re.search(r": [+-]", one.text)
            assert re.search(r"[\u4e00-\u9fff]", other.text)


def test_all_reasons_of_a_snapshots_customer_add_up(shared: CompanyScorer) -> None:
    """At most ten: the strongest factors of those that `goodwill reasons` adds up."""
    (score,) = shared.score_ids(ONE, ["churn"], 10).scores
    found = shared._loaded.explanations.explainers["churn"]
    features = shared._loaded.snapshot.features.slice(shared._loaded.snapshot.row_of[ONE[0]], 1)
    every = found.reasons(features, 999)[0]
    assert [r.effect for r in score.reasons["churn"]] == [r.effect for r in every[:10]]


def test_records_are_compared_with_the_preceding_window(shared: CompanyScorer) -> None:
    """The records have one recent login, and four in the 90 days before."""
    now = datetime(2026, 7, 1, tzinfo=UTC)
    why = shared._loaded.explanations
    logins = [
        {"customer_id": "n", "kind": "login", "occurred_at": (now - timedelta(days=d)).isoformat()}
        for d in (20, 100, 120, 140, 160, 500)
    ]
    for known, compared in ((logins, True), (logins[:1], False)):  # one is a customer of 20 days
        signed = {**known[-1], "kind": "contract"}
        rows = {"customers": [{"customer_id": "n"}], "events": [*known, signed]}
        records = Records.model_validate_json(json.dumps(rows))
        with mock.patch.object(
            Explanations, "reasons", autospec=True, side_effect=Explanations.reasons
        ) as spy:
            shared.score_records(records, now, ["churn"], 10)
        earlier = spy.call_args.args[5]
        assert np.array_equal(earlier["logins_90d"], [4.0 if compared else np.nan], equal_nan=True)
        features = spy.call_args.args[2]
        texts = [r.text for r in why.reasons("churn", features, 200, "en", earlier)[0]]
        fell = [t for t in texts if t.startswith("logins fell from 4 to 1 in 90 days: ")]
        assert compared or not fell
        assert any(" fell from " in t or " rose from " in t for t in texts) == compared


def test_what_if_of_a_customer_of_the_snapshot(shared: CompanyScorer) -> None:
    assert shared.what_if("nobody", "churn", 1.0) is None
    found = shared.what_if(ONE[0], "satisfaction", 99.0)
    probability = shared.score_ids(ONE, ["satisfaction"], 0).scores[0].predictions["satisfaction"]
    assert found is not None
    assert found.score == pytest.approx(probability["score"])
    assert found.score_then >= found.score
    assert (found.reached, found.target) == (False, "satisfaction")
    assert "promise" in found.text or found.text.startswith("Nothing you can act on")


def test_levers_of_a_customer_can_be_set_within_their_range(shared: CompanyScorer) -> None:
    assert shared.levers("nobody") == []
    customer = next(i for i in shared.find_customers("", 40) if shared.levers(i))
    for lever in shared.levers(customer):
        assert lever.now in (lever.least, lever.most)
        end = lever.least if lever.now == lever.most else lever.most
        answer = shared.what_if(customer, lever.targets[0], {lever.lever: end}, "zh")
        assert answer is not None
        assert (answer.goal, answer.reached) == (None, None)
        assert [(m.lever, m.start, m.end) for m in answer.moves] == [(lever.lever, lever.now, end)]
        assert "不是承诺" in answer.text


def test_levers_name_only_targets_that_apply_to_the_customer(shared: CompanyScorer) -> None:
    """Who has left cannot leave: no lever moves a churn probability that they do not have."""
    seen = set()
    for customer in shared.find_customers("", 60):
        (score,) = shared.score_ids([customer], ["churn"], 0).scores
        inside = score.predictions["churn"]["in_population"]
        seen.add(inside)
        moved = {target for lever in shared.levers(customer) for target in lever.targets}
        assert inside or "churn" not in moved
        assert all(lever.targets for lever in shared.levers(customer))
    assert seen == {True, False}


def test_a_customer_with_only_an_id_is_scored(shared: CompanyScorer) -> None:
    records = Records.model_validate({"customers": [{"customer_id": "new"}]})
    batch = shared.score_records(records, None, None, 1)
    assert abs((batch.as_of - datetime.now(UTC)).total_seconds()) < 60
    (score,) = batch.scores
    assert score.customer_id == "new"
    assert set(score.predictions) == set(SAMPLE_TARGETS)
    assert score.predictions["churn"]["in_population"] is False


def test_a_company_without_files_is_not_ready_and_has_reasons(tmp_path: Path) -> None:
    shutil.copy(trained()[0].data / "sample.toml", tmp_path)
    scorer = CompanyScorer(load_company(tmp_path / "sample.toml"), Workspace(tmp_path))
    assert not scorer.ready()
    assert scorer.missing()["churn"] == "no model has been promoted"
    assert "goodwill features" in scorer.missing()["snapshot"]
    assert scorer.models() == []
    with pytest.raises(GoodwillError, match="no snapshot"):
        scorer.score_ids(ONE, None, 0)
    scorer.refresh()
    assert not scorer.ready()


def test_load_scorer_finds_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    home = trained()[0].home
    monkeypatch.setenv("GOODWILL_HOME", str(home))
    assert load_scorer(str(home / "data/sample.toml")).ready()


def new_version(workspace: Workspace, target: str, version: str) -> Path:
    """Add a version with other predictions: churn calibrated to about half of the log odds."""
    serving = workspace.serving("sample")
    old = load_champion(serving, target)
    assert old is not None
    calibrator = Calibrator("binary", "platt", {"slope": [0.5], "shift": [0.25]})
    manifest = replace(old.manifest, version=version)
    changed = replace(old, calibrator=calibrator, manifest=manifest)
    return write_bundle(changed, serving / target / version)


def churn(scorer: CompanyScorer) -> tuple[str, Any]:
    batch = scorer.score_ids(ONE, ["churn"], 0)
    return batch.versions["churn"], batch.scores[0].predictions["churn"]["probability"]


def test_a_new_pointer_swaps_the_version(copied: tuple[Company, Workspace]) -> None:
    company, workspace = copied
    scorer = CompanyScorer(company, workspace)
    before = churn(scorer)
    loaded = scorer._loaded
    scorer.refresh()
    assert scorer._loaded is loaded  # nothing new, nothing read
    new_version(workspace, "churn", "2")
    scorer.refresh()
    assert churn(scorer) == before  # not before it is pointed to
    set_champion(workspace.serving("sample"), "churn", "2")
    scorer.refresh()
    version, probability = churn(scorer)
    assert version == "2"
    assert probability != before[1]
    assert {m.target: m.version for m in scorer.models()} == {
        "satisfaction": "1", "nps": "1", "churn": "2", "value": "1",
    }  # fmt: skip


@pytest.mark.parametrize("damage", ["model.txt", "manifest.json", "champion.json", "gone"])
def test_a_broken_new_version_keeps_the_old_one(
    copied: tuple[Company, Workspace], caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    company, workspace = copied
    scorer = CompanyScorer(company, workspace)
    before = churn(scorer)
    folder = new_version(workspace, "churn", "2")
    set_champion(workspace.serving("sample"), "churn", "2")
    if damage == "gone":
        shutil.rmtree(folder)
    else:
        path = folder.parent / damage if damage == "champion.json" else folder / damage
        path.write_bytes(path.read_bytes()[:-9])
    with caplog.at_level(logging.WARNING, "goodwill.scorer"):
        scorer.refresh()
    assert churn(scorer) == before
    assert scorer.ready()
    assert scorer.missing() == {}
    assert "keep churn 1: " in caplog.text
    shutil.rmtree(folder, ignore_errors=True)
    set_champion(workspace.serving("sample"), "churn", "1")
    new_version(workspace, "churn", "3")
    set_champion(workspace.serving("sample"), "churn", "3")
    scorer.refresh()
    assert churn(scorer)[0] == "3"


def test_a_broken_version_at_the_start_is_missing_with_its_reason(
    copied: tuple[Company, Workspace],
) -> None:
    company, workspace = copied
    (workspace.serving("sample") / "churn/1/model.txt").write_text("tree")
    scorer = CompanyScorer(company, workspace)
    assert list(scorer.missing()) == ["churn"]
    assert "model.txt has SHA-256" in scorer.missing()["churn"]
    assert set(scorer.score_ids(ONE, None, 0).versions) == {"satisfaction", "nps", "value"}


def test_a_replaced_snapshot_is_loaded(copied: tuple[Company, Workspace]) -> None:
    company, workspace = copied
    scorer = CompanyScorer(company, workspace)
    path = workspace.features("sample") / "snapshot.parquet"
    table = pq.read_table(path)
    later = np.full(10, np.datetime64("2026-08-01T00:00:00", "us"))
    part = table.slice(5, 10).set_column(
        1, "cutoff", pa.array(later, pa.timestamp("us")).cast(pa.timestamp("us", "UTC"))
    )
    pq.write_table(part, path.with_suffix(".new"))
    path.with_suffix(".new").replace(path)
    assert (
        len(scorer.score_ids([f"A{i:07}" for i in range(CUSTOMERS)], ["nps"], 0).scores)
        == CUSTOMERS
    )
    scorer.refresh()
    batch = scorer.score_ids(["A0000004", "A0000005", "A0000014", "A0000015"], ["nps"], 0)
    assert batch.unknown == ["A0000004", "A0000015"]
    assert batch.as_of == scorer.as_of() == datetime(2026, 8, 1, tzinfo=UTC)
    path.unlink()
    scorer.refresh()
    assert scorer.ready()
    assert scorer.as_of() == datetime(2026, 8, 1, tzinfo=UTC)


def test_an_evaluation_is_loaded_without_new_models(copied: tuple[Company, Workspace]) -> None:
    company, workspace = copied
    scorer = CompanyScorer(company, workspace)
    loaded = scorer._loaded
    assert scorer.evaluated().missing.keys() == {"evaluation", "standing"}
    with staged_results(workspace, "sample") as staged:
        write(evaluation_folder(staged, "sample"), "sample")
    assert scorer.refresh() == {"evaluation": "loaded", "standing": "loaded"}
    assert scorer.evaluated().status("C-7").tier == "B"
    assert scorer._loaded is loaded
    assert scorer.refresh() == {}
    assert CompanyScorer(company, workspace).evaluated().evaluation is not None


def test_scores_and_tiers_are_of_one_night(copied: tuple[Company, Workspace]) -> None:
    company, workspace = copied
    with staged_results(workspace, "sample") as staged:
        write(evaluation_folder(staged, "sample"), "sample")
    scorer = CompanyScorer(company, workspace)
    before = scorer.score_ids(ONE, None, 0)
    with staged_results(workspace, "sample") as staged:
        write(evaluation_folder(staged, "sample"), "sample", as_of=datetime(2026, 8, 1, tzinfo=UTC))
        assert scorer.refresh() == {}, "nothing of a night is seen before it is published"
    assert scorer.score_ids(ONE, None, 0).evaluated == before.evaluated
    assert scorer.refresh() == {"evaluation": "loaded", "standing": "loaded"}
    after = scorer.score_ids(ONE, None, 0)
    assert after.evaluated == scorer.evaluated()
    assert before.evaluated is not None
    assert before.evaluated.require().as_of < after.evaluated.require().as_of


def test_a_night_without_an_evaluation_drops_the_old_one(copied: tuple[Company, Workspace]) -> None:
    company, workspace = copied
    with staged_results(workspace, "sample") as staged:
        write(evaluation_folder(staged, "sample"), "sample")
    scorer = CompanyScorer(company, workspace)
    with staged_results(workspace, "sample") as staged:
        shutil.rmtree(evaluation_folder(staged, "sample"))
    assert scorer.refresh() == {"evaluation": "failed", "standing": "failed"}
    assert scorer.evaluated().missing.keys() == {"evaluation", "standing"}


def test_a_snapshot_with_another_comment_score_model_waits_for_a_model_that_reads_it(
    copied: tuple[Company, Workspace],
) -> None:
    company, workspace = copied
    scorer = CompanyScorer(company, workspace)
    before = scorer.score_ids(ONE, None, 0)
    path = workspace.features("sample") / "snapshot.parquet"
    table = pq.read_table(path)
    metadata = {b"goodwill": b'{"fingerprint": "f", "tone": "another"}'}
    pq.write_table(table.replace_schema_metadata(metadata), path.with_suffix(".new"))
    path.with_suffix(".new").replace(path)
    scorer.refresh()
    assert scorer.score_ids(ONE, None, 0) == before, "what is served goes on together"
    assert scorer.missing() == {}
    started = CompanyScorer(company, workspace)
    assert not started.ready()
    assert "reads comments with another model" in started.missing()["nps"]


def test_records_are_read_with_the_comment_score_model_of_the_models(shared: CompanyScorer) -> None:
    tone = shared._loaded.plan.comment_model
    assert tone is not None
    assert {b.tone for b in shared._loaded.bundles.values()} == {tone}
