"""Fixtures: the small test company with an evaluation, customer status and complaints."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from features.config.company import Company
from features.settings import Workspace
from insight.business_report.business_report_page import render_details, render_overview
from insight.business_report.report_inputs import ReportInputs, load_report_inputs
from insight.business_report.translations import Language
from insight.evaluation.evaluation_files import STATUS_FILE, evaluation_folder, write_evaluation
from insight.evaluation.evaluation_schema import CompanyEvaluation
from support import report_builders


def write_evaluation_files(
    workspace: Workspace, evaluation: CompanyEvaluation | None = None
) -> None:
    """Write an evaluation, the customer status and the complaints of the test company."""
    folder = evaluation_folder(workspace, "tiny")
    write_evaluation(folder, evaluation or report_builders.evaluation())
    report_builders.customer_status().to_parquet(folder / STATUS_FILE)
    path = workspace.company("tiny") / "complaints.json"
    path.write_text(json.dumps(report_builders.complaints()), encoding="utf-8")


@pytest.fixture
def evaluated(
    world: Callable[..., tuple[Company, Workspace]], four_targets: dict[str, list[Any]]
) -> tuple[Company, Workspace]:
    """The company with every input of the report."""
    company, workspace = world(four_targets)
    write_evaluation_files(workspace)
    return company, workspace


@pytest.fixture(params=["en", "zh"])
def language(request: pytest.FixtureRequest) -> Language:
    """Each language of the report."""
    found: Language = request.param
    return found


@pytest.fixture
def inputs(evaluated: tuple[Company, Workspace], language: Language) -> ReportInputs:
    """The inputs of the report, in each language."""
    return load_report_inputs(*evaluated, language)


@pytest.fixture
def english(evaluated: tuple[Company, Workspace]) -> ReportInputs:
    """The inputs of the report in English."""
    return load_report_inputs(*evaluated, "en")


@pytest.fixture
def chinese(evaluated: tuple[Company, Workspace]) -> ReportInputs:
    """The inputs of the report in Chinese."""
    return load_report_inputs(*evaluated, "zh")


@pytest.fixture
def overview(inputs: ReportInputs) -> str:
    """Page one in each language."""
    return render_overview(inputs, report_builders.AS_OF)


@pytest.fixture
def details(inputs: ReportInputs) -> str:
    """The second page in each language."""
    return render_details(inputs, report_builders.AS_OF)


@pytest.fixture
def page(overview: str, details: str) -> str:
    """Both pages of the report, for what holds for all of it."""
    return overview + details
