"""`models.html` of a small company with four models."""

import json
import re

import pyarrow.parquet as pq
import pytest

from features.progress import Steps, silent_steps
from insight.model_report.data_section import feature_rows
from insight.model_report.holdout_section import rule_predictions
from insight.model_report.model_report_page import write_model_report
from insight.model_report.target_section import target_section
from insight.report_facts import load_report_facts
from models.bundles.champions import load_champions
from models.evaluation.metrics import METRICS, PRIMARY
from models.targets.registry import TARGETS
from models.training.train import load_rows, split_rows


@pytest.fixture(scope="session")
def written(trained_company, tmp_path_factory):
    """The page and the log of writing it."""
    log = tmp_path_factory.mktemp("log") / "log.jsonl"
    path = write_model_report(*trained_company, Steps(log, silent_steps().console))
    return path.read_text(encoding="utf-8"), log.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def page(written):
    return written[0]


def test_every_served_target_has_its_section(page, trained_company):
    bundles, _ = load_champions(trained_company[1].serving("sample"))
    assert bundles
    for target in bundles:
        section = page.partition(f'<section class="target" id="{target}">')[2]
        section = section.partition("</section>")[0]
        assert "<h3>Model ageing</h3>" in section, target
        assert "By age, a model is" in section, target
        assert "Worst for" in section or "No group has enough rows" in section, target
    assert page.count('src="data:image/png;base64,') >= 8
    assert len(page.encode()) < 4_000_000


def test_the_page_loads_nothing_from_outside(page):
    assert not re.search(r"""(src|href)\s*=\s*["']?\s*(https?:)?//""", page)
    assert "<script" not in page
    assert "@import" not in page
    assert "url(" not in page


def test_champions_are_evaluated_as_in_training(page, trained_company):
    """The baseline rule is that of the training run: its metrics equal those of the manifest."""
    assert "data have changed since" not in page
    company, workspace = trained_company
    bundles, _ = load_champions(workspace.serving(company.name))
    for name, bundle in bundles.items():
        target, config = TARGETS[name], company.target(name)
        rows = load_rows(company, workspace, name)
        split = split_rows(target, config, rows)
        test = rows.take(split.test)
        predicted = rule_predictions(target, config, rows.take(split.refit), test)
        measure = PRIMARY[target.kind]
        found = METRICS[measure].function(test.label, predicted, test.weight)
        assert found == pytest.approx(bundle.manifest.metrics[f"rule_{measure}"], rel=1e-9)


@pytest.fixture
def _no_plots(monkeypatch):
    """Drawing takes longer than the rest of a section, and the page of this file has its plots."""
    monkeypatch.setattr("insight.model_report.holdout_section.draw_all", lambda *_, **__: {})


@pytest.mark.usefixtures("_no_plots")
def test_a_changed_test_set_has_a_note(trained_company):
    company, workspace = trained_company
    facts = load_report_facts(company, workspace)
    bundle = next(iter(facts.bundles.values()))
    bundle.manifest.metrics.update(dict.fromkeys(bundle.manifest.metrics, 0.123))
    section, _ = target_section(bundle.target, facts)
    assert "have changed since" in section.notes[0]


@pytest.mark.usefixtures("_no_plots")
def test_without_a_column_the_metrics_are_those_of_the_training_run(trained_company):
    facts = load_report_facts(*trained_company)
    bundle = next(iter(facts.bundles.values()))
    bundle.manifest.also_reads[:] = ["moon_phase"]
    section, measured = target_section(bundle.target, facts)
    assert "moon_phase" in section.notes[0]
    assert not section.first_plots
    assert measured["model"]
    assert measured["linear"]


def test_features_carry_meaning_unit_and_missing_rate(trained_company):
    lines = feature_rows(load_report_facts(*trained_company))
    assert len(lines) > 100
    assert all(line.meaning and line.unit for line in lines)
    assert all(line.missing.endswith("%") for line in lines)
    assert any(line.used_by for line in lines)


def test_no_personal_data_is_shown(page, trained_company):
    company, workspace = trained_company
    accounts = pq.read_table(workspace.company(company.name) / "raw" / "crm_accounts.parquet")
    for column in ("name", "email", "phone"):
        for text in accounts[column].to_pylist()[:300]:
            assert not text or text not in page


def test_the_step_writes_one_log_line(written):
    (line,) = (json.loads(row) for row in written[1].splitlines())
    assert line["step"] == "write the model report"
    assert line["outcome"] == "ok"
