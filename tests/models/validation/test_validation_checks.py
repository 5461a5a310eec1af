"""All validation checks of a trained model: written, read and plotted."""

import json

import pytest

from features.config.company import load_company
from features.errors import DataRefused
from models.bundles.champions import load_champion
from models.targets.registry import TARGETS
from models.training.train import load_rows, train
from models.validation.validation_checks import read_staleness, run_checks
from support.trained_company import SAMPLE_TARGETS, trained


@pytest.fixture(scope="module")
def guarded():
    workspace = trained()[0]
    company = load_company(workspace.data / "sample.toml")
    rows = load_rows(company, workspace, "churn")
    return run_checks(train(TARGETS["churn"], company, rows), rows)


def test_training_writes_the_same_results_to_disk(guarded):
    workspace = trained()[0]
    written = workspace.cards("sample") / "churn.json"
    assert written.read_text(encoding="utf-8") == guarded.to_json()
    assert read_staleness(written) == guarded.staleness
    content = json.loads(guarded.to_json())
    assert {s["column"] for s in content["slices"]["judged"]} >= {"crm_plan", "tenure_days"}
    assert len(guarded.staleness.ages) > 3


def test_only_the_serving_version_has_a_card_file(guarded):
    workspace = trained()[0]
    for target in SAMPLE_TARGETS:
        now = load_champion(workspace.serving("sample"), target)
        card = (workspace.cards("sample") / f"{target}.md").read_text(encoding="utf-8")
        assert card.startswith(f"# {TARGETS[target].title}, version {now.version}\n")


def test_figures_of_what_was_measured(guarded):
    assert set(guarded.figures()) == {"slices", "staleness"}


def test_an_invalid_file_is_refused(tmp_path):
    path = tmp_path / "churn.json"
    for text in ("", "[]", '{"staleness": {"measure": "mae"}}'):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(DataRefused, match=r"churn\.json cannot be read .*goodwill train"):
            read_staleness(path)
