"""The company by hand with an evaluation, a standing and complaints, ready to be reported."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from features.config.company import Company
from features.settings import Workspace
from insight.business_report.business_report_page import render
from insight.business_report.report_inputs import ReportInputs, load_report_inputs
from insight.business_report.translations import Language
from insight.evaluation.evaluation_files import STATUS_FILE, evaluation_folder, write_evaluation
from insight.evaluation.evaluation_schema import CompanyEvaluation
from support import report_builders as told


def tell(workspace: Workspace, evaluation: CompanyEvaluation | None = None) -> None:
    """Write an evaluation, the standing and the complaints of the company by hand."""
    folder = evaluation_folder(workspace, "tiny")
    write_evaluation(folder, evaluation or told.evaluation())
    told.standing().to_parquet(folder / STATUS_FILE)
    path = workspace.company("tiny") / "complaints.json"
    path.write_text(json.dumps(told.complaints()), encoding="utf-8")


@pytest.fixture
def evaluated(
    world: Callable[..., tuple[Company, Workspace]], four_targets: dict[str, list[Any]]
) -> tuple[Company, Workspace]:
    """The company with everything the report shows."""
    company, workspace = world(four_targets)
    tell(workspace)
    return company, workspace


@pytest.fixture(params=["en", "zh"])
def language(request: pytest.FixtureRequest) -> Language:
    """Each language of the report."""
    found: Language = request.param
    return found


@pytest.fixture
def material(evaluated: tuple[Company, Workspace], language: Language) -> ReportInputs:
    """What the report is made of, in each language."""
    return load_report_inputs(*evaluated, language)


@pytest.fixture
def english(evaluated: tuple[Company, Workspace]) -> ReportInputs:
    """What the report is made of, in English."""
    return load_report_inputs(*evaluated, "en")


@pytest.fixture
def chinese(evaluated: tuple[Company, Workspace]) -> ReportInputs:
    """What the report is made of, in Chinese."""
    return load_report_inputs(*evaluated, "zh")


@pytest.fixture
def page(material: ReportInputs) -> str:
    """The whole page in each language."""
    return render(material, told.AS_OF)
