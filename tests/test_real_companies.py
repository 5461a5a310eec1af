"""The whole chain on real data: the companies whose files are shipped, later-in-time as declared."""

import os
import warnings
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from features.config.company import load_company
from features.history_store import Manifest
from features.progress import silent_steps
from features.settings import Workspace
from models.bundles.champions import load_champions
from models.pipeline.retrain import Outcome, check_gate, retrain
from models.training_set.build_training_sets import read_counts

PROJECT = Path(__file__).parents[1]
REAL_DATA = Path(os.environ.get("GOODWILL_REAL_DATA", PROJECT.parent / "shared" / "data"))

pytestmark = pytest.mark.real_data


def chain(name: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Outcome]:
    """Retrain a shipped company in a workspace of its own; its outcomes by target."""
    monkeypatch.setenv("GOODWILL_REAL_DATA", str(REAL_DATA))
    company = load_company(PROJECT / "data" / f"{name}.toml")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow uses what its own libraries call deprecated
        outcomes = retrain(company, Workspace(home), silent_steps())
    check_gate(outcomes)
    return {o.target: o for o in outcomes}


def needs(folder: str) -> pytest.MarkDecorator:
    path = REAL_DATA / folder
    return pytest.mark.skipif(not path.is_dir(), reason=f"no real data at {path}")


@needs("online_retail_ii")
def test_online_retail_churn_and_value_at_2011_06_09(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = chain("online_retail", tmp_path, monkeypatch)
    assert {t: o.decision for t, o in outcomes.items()} == {
        "churn": "promoted",
        "value": "promoted",
        "satisfaction": "skipped",
        "nps": "skipped",
    }
    assert outcomes["nps"].reason == "the company has no surveys table"
    bundles, _ = load_champions(Workspace(tmp_path).serving("online_retail"))
    for bundle in bundles.values():
        assert bundle.manifest.test_start.startswith("2011-06-09")
        assert bundle.manifest.horizon_days == 182
    manifest = Manifest.read(Workspace(tmp_path), "online_retail")
    assert manifest.customers == 5942  # as the data's own README counts them
    assert manifest.dropped["events"]["no customer on the invoice"] > 8000
    churn, value = outcomes["churn"].metrics, outcomes["value"].metrics
    assert churn is not None
    assert value is not None
    assert churn["roc_auc"] > churn["rule_roc_auc"]
    assert 530 < value["rule_mae"] < 560  # the rule of the reference figures: 555
    assert value["mae"] < value["rule_mae"]


@needs("olist_sample")
def test_olist_satisfaction_on_the_last_fifth_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = chain("olist", tmp_path, monkeypatch)
    assert [t for t, o in outcomes.items() if o.decision == "promoted"] == ["satisfaction"]
    metrics = outcomes["satisfaction"].metrics
    assert metrics is not None
    assert metrics["dissatisfied_auc"] > 0.65
    counts, _ = read_counts(load_company(PROJECT / "data/olist.toml"), Workspace(tmp_path))
    assert counts["satisfaction"].late == 108  # of 12,831 reviews
    assert metrics["multiclass_log_loss"] < metrics["rule_multiclass_log_loss"]
    training = pq.read_table(
        Workspace(tmp_path).features("olist") / "satisfaction.parquet", columns=["weight", "label"]
    ).to_pandas()
    low = training["label"] <= 1
    share = (training["weight"] * low).sum() / training["weight"].sum()
    assert share == pytest.approx(0.147, abs=0.005)  # weighted: 11.6 % + 3.1 %
    assert low.mean() > 0.25  # the sample itself holds too many undelivered orders


def test_complete_journey_comes_with_the_setup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = chain("complete_journey", tmp_path, monkeypatch)
    assert outcomes["churn"].decision == outcomes["value"].decision == "promoted"
    scores = pq.read_table(Workspace(tmp_path).scores("complete_journey"))
    assert scores.num_rows == 2469
