"""The recipes of docs/how-to/bring-one-table.md run as they stand, on made-up tables."""

from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from features.config.company import load_company
from features.import_history.run_import import import_history
from features.progress import silent_steps
from features.settings import Workspace
from models.pipeline.retrain import Outcome, retrain
from models.targets.registry import check_names
from models.training_set.build_training_sets import build_features
from support.single_table_companies import recipe, write_survey_company, write_ticket_company
from support.telco_company import write_telco_table


def telco(folder: Path) -> Path:
    write_telco_table(folder, 600)
    path = folder / "telco.toml"
    path.write_text(recipe("telco"), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("write", "targets", "customers"),
    [
        (telco, {"churn"}, 600),
        (write_survey_company, {"satisfaction", "nps"}, 698),
        (write_ticket_company, {"satisfaction"}, 700),
    ],
)
def test_each_recipe_gives_training_sets(
    tmp_path: Path, write: Callable[[Path], Path], targets: set[str], customers: int
) -> None:
    workspace = Workspace(tmp_path)
    company = load_company(write(workspace.data))
    check_names(company)
    assert import_history(company, workspace, silent_steps()).customers == customers
    counts, unable = build_features(company, workspace, silent_steps())
    assert set(counts) == targets
    assert set(unable) == {"satisfaction", "nps", "churn", "value"} - targets


def test_attributes_of_the_snapshot_are_the_features_and_its_label_is_none(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    company = load_company(telco(workspace.data))
    import_history(company, workspace, silent_steps())
    build_features(company, workspace, silent_steps())
    columns = pq.read_schema(workspace.features("telco") / "churn.parquet").names
    assert {c for c in columns if c.startswith("crm_")} == {
        "crm_gender", "crm_SeniorCitizen", "crm_tenure", "crm_Contract", "crm_Internet_Service",
        "crm_PaymentMethod", "crm_MonthlyCharges",
    }  # fmt: skip
    assert not [c for c in columns if "snapshot" in c or "hurn" in c]


def trained(write: Callable[[Path], Path], home: Path) -> dict[str, Outcome]:
    company = load_company(write(home / "data"))
    return {o.target: o for o in retrain(company, Workspace(home), silent_steps())}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the libraries that train
def test_a_survey_alone_predicts_answers_and_says_what_it_lacks(tmp_path: Path) -> None:
    found = trained(write_survey_company, tmp_path)
    assert {t: o.decision for t, o in found.items()} == {
        "satisfaction": "promoted", "nps": "promoted", "churn": "skipped", "value": "skipped",
    }  # fmt: skip
    assert found["value"].reason == "the company has no events table"
    results = (tmp_path / "data/survey/nonresponse.json").read_text(encoding="utf-8")
    assert "the data hold answered questions only" in results


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the libraries that train
def test_tickets_alone_predict_ratings_and_correct_for_silence(tmp_path: Path) -> None:
    found = trained(write_ticket_company, tmp_path)
    assert {t: o.decision for t, o in found.items() if t != "value"} == {
        "satisfaction": "promoted", "nps": "skipped", "churn": "skipped",
    }  # fmt: skip
    results = (tmp_path / "data/desk/nonresponse.json").read_text(encoding="utf-8")
    assert '"propensity"' in results
