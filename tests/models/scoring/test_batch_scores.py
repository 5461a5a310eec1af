"""The scores file: the columns the architecture promises, one row a customer."""

import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from features.errors import DataRefused
from features.progress import silent_steps
from models.bundles.champions import load_champions
from models.scoring import batch_scores
from models.scoring.batch_scores import check_scores, score_customers
from support.trained_company import CUSTOMERS, copy_of_trained, trained

TEXT, NUMBER, FLAG = pa.string(), pa.float64(), pa.bool_()
COLUMNS = {
    "customer_id": TEXT,
    "as_of": pa.timestamp("us", "UTC"),
    "satisfaction_score": NUMBER,
    "satisfaction_low": NUMBER,
    "satisfaction_high": NUMBER,
    "satisfaction_dissatisfied": NUMBER,
    "satisfaction_abstain": FLAG,
    "nps_class": TEXT,
    "nps_detractor": NUMBER,
    "nps_passive": NUMBER,
    "nps_promoter": NUMBER,
    "nps_abstain": FLAG,
    "churn_probability": NUMBER,
    "churn_in_population": FLAG,
    "churn_months_left": NUMBER,
    "churn_survival": pa.list_(NUMBER),
    "churn_abstain": FLAG,
    "value_expected": NUMBER,
    "value_low": NUMBER,
    "value_high": NUMBER,
    "value_segment": TEXT,
    "value_typical": NUMBER,
    "value_abstain": FLAG,
    "satisfaction_version": TEXT,
    "nps_version": TEXT,
    "churn_version": TEXT,
    "value_version": TEXT,
}


def test_the_columns_are_those_of_the_architecture() -> None:
    table = pq.read_table(trained()[0].scores("sample"))
    assert dict(zip(table.schema.names, table.schema.types, strict=True)) == COLUMNS
    assert table.num_rows == CUSTOMERS == len(set(table["customer_id"].to_pylist()))
    # only customers have a churn figure: who has left cannot leave
    outside = pc.sum(pc.invert(table["churn_in_population"])).as_py()
    assert 0 < outside < CUSTOMERS / 2
    of_customers = {"churn_probability", "churn_months_left", "churn_survival"}
    assert {name: table[name].null_count for name in COLUMNS if table[name].null_count} == (
        dict.fromkeys(of_customers, outside)
    )
    assert {f"{t:%Y-%m-%d %H:%M %Z}" for t in table["as_of"].to_pylist()} == {
        "2026-07-01 00:00 UTC"
    }
    versions = json.loads(table.schema.metadata[b"goodwill_versions"])
    assert versions == dict.fromkeys(("satisfaction", "nps", "churn", "value"), "1")


def test_the_number_of_contradicting_predictions_is_stored_next_to_the_scores() -> None:
    workspace = trained()[0]
    path = workspace.scores("sample").parent / "agreement.json"
    opinions, money = json.loads(path.read_text(encoding="utf-8"))
    table = pq.read_table(workspace.scores("sample"))
    assert opinions["name"] == "satisfaction and recommendation"
    assert opinions["customers"] == table.num_rows
    score, index = (
        table["satisfaction_score"].to_numpy(),
        50 + 50 * (table["nps_promoter"].to_numpy() - table["nps_detractor"].to_numpy()),
    )
    z = (index - index.mean()) / index.std()
    apart = abs(score.mean() + z * score.std() - score) > 50
    assert opinions["contradictions"] == apart.sum()
    assert money["name"] == "churn and value"
    assert money["customers"] == pc.sum(table["churn_in_population"]).as_py() > 0
    for check in (opinions, money):
        assert check["share"] == check["contradictions"] / check["customers"] < 0.2


def test_a_range_holds_its_prediction_and_a_curve_its_chance() -> None:
    table = pq.read_table(trained()[0].scores("sample"))
    for target, middle in (("satisfaction", "score"), ("value", "expected")):
        value, low, high = (table[f"{target}_{n}"].to_numpy() for n in (middle, "low", "high"))
        assert ((low <= value) & (value <= high)).all()
    inside = table["churn_in_population"].to_numpy()
    for name in ("probability", "months_left", "survival"):
        assert table[f"churn_{name}"].is_valid().to_numpy().tolist() == inside.tolist()
    curves = table["churn_survival"].drop_null().to_pylist()
    assert {len(curve) for curve in curves} == {13}
    assert all(curve == sorted(curve, reverse=True) and curve[0] == 1 for curve in curves)


def test_churn_and_value_are_not_compared_over_different_horizons(tmp_path: Path) -> None:
    company, workspace = copy_of_trained(tmp_path / "home")
    bundles, _ = load_champions(workspace.serving("sample"))
    shorter = replace(bundles["churn"].manifest, horizon_days=30)
    bundles["churn"] = replace(bundles["churn"], manifest=shorter)
    snapshot = workspace.features(company.name) / "snapshot.parquet"
    (only,) = check_scores(workspace.scores("sample"), snapshot, bundles)
    assert only.name == "satisfaction and recommendation"
    assert check_scores(workspace.scores("sample"), snapshot, {"nps": bundles["nps"]}) == []
    assert json.loads((workspace.scores("sample").parent / "agreement.json").read_text()) == []


def test_again_and_in_small_blocks_the_file_says_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    company, workspace = copy_of_trained(tmp_path / "home")
    before = workspace.scores("sample").read_bytes()
    score_customers(company, workspace, silent_steps())
    assert workspace.scores("sample").read_bytes() == before
    first = pq.read_table(workspace.scores("sample"))
    monkeypatch.setenv("GOODWILL_BLOCK_CUSTOMERS", "170")
    score_customers(company, workspace, silent_steps())
    assert pq.ParquetFile(workspace.scores("sample")).num_row_groups == 6
    assert pq.read_table(workspace.scores("sample")).equals(first)


def test_targets_without_a_model_have_no_columns(tmp_path: Path) -> None:
    company, workspace = copy_of_trained(tmp_path / "home")
    serving = workspace.serving("sample")
    (serving / "nps/champion.json").unlink()
    (serving / "value/1/model.txt").write_text("tree\n")
    found, missing = load_champions(serving)
    assert list(found) == ["satisfaction", "churn"]
    assert missing["nps"] == "no model has been promoted"
    assert "model.txt has SHA-256" in missing["value"]
    table = pq.read_table(score_customers(company, workspace, silent_steps()))
    assert table.column_names == [c for c in COLUMNS if not c.startswith(("nps", "value"))]


def test_nothing_to_score_with_is_refused_and_the_old_file_stays(tmp_path: Path) -> None:
    company, workspace = copy_of_trained(tmp_path / "home")
    before = workspace.scores("sample").read_bytes()
    for pointer in workspace.serving("sample").glob("*/champion.json"):
        pointer.unlink()
    with pytest.raises(DataRefused, match=r"no model of sample .*no model has been promoted"):
        score_customers(company, workspace, silent_steps())
    (workspace.features("sample") / "snapshot.parquet").unlink()
    with pytest.raises(DataRefused, match=r"no snapshot .*goodwill features"):
        score_customers(company, workspace, silent_steps())
    assert workspace.scores("sample").read_bytes() == before


def test_a_failure_in_the_middle_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    company, workspace = copy_of_trained(tmp_path / "home")
    before = workspace.scores("sample").read_bytes()
    monkeypatch.setenv("GOODWILL_BLOCK_CUSTOMERS", "400")
    scores, calls = batch_scores.score_table, []

    def second_fails(features, bundles):  # type: ignore[no-untyped-def]
        calls.append(features.num_rows)
        if len(calls) == 2:
            raise DataRefused("the disk is full")
        return scores(features, bundles)

    monkeypatch.setattr(batch_scores, "score_table", second_fails)
    with pytest.raises(DataRefused, match="disk is full"):
        score_customers(company, workspace, silent_steps())
    assert calls == [400, 400]
    assert workspace.scores("sample").read_bytes() == before
