"""Load the inputs of the report: evaluation, customer status, complaints, data quality, models."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from features.config.company import Company
from features.data_quality.check_tables import DataQualityReport
from features.errors import DataRefused
from features.formatting import Language, NumberFormat
from features.settings import Workspace
from insight.business_report.translations import Translator
from insight.evaluation.evaluation_files import STATUS_FILE, evaluation_folder, read_evaluation
from insight.evaluation.evaluation_schema import CompanyEvaluation
from insight.report_facts import ReportFacts, load_report_facts

Read = TypeVar("Read")


@dataclass(frozen=True)
class ReportInputs:
    """Inputs of the report; None for a result that does not exist yet.

    `status` has one row for each customer_id. `unreadable` names damaged files.
    """

    facts: ReportFacts
    evaluation: CompanyEvaluation | None
    status: pd.DataFrame | None
    complaints: dict[str, Any] | None
    usability: DataQualityReport | None
    unreadable: str
    translate: Translator

    @property
    def period(self) -> str:
        """The length of the periods: month, quarter or year."""
        return self.evaluation.period if self.evaluation else "quarter"

    @property
    def numbers(self) -> NumberFormat:
        """The number formats of the report's language."""
        return self.translate.numbers


def load_report_inputs(company: Company, workspace: Workspace, language: Language) -> ReportInputs:
    """Read all inputs that exist. Raises DataRefused without a history; everything else is optional."""
    facts = load_report_facts(company, workspace)
    folder = evaluation_folder(workspace, company.name)
    evaluation, error = _read_or_reason(lambda: read_evaluation(folder), "evaluation.json")
    status, status_error = _read_or_reason(lambda: _status(folder / STATUS_FILE), STATUS_FILE)
    complaints, complaints_error = _read_or_reason(
        lambda: _complaints(company, workspace), "complaints.json"
    )
    return ReportInputs(
        facts=facts,
        evaluation=evaluation,
        status=status,
        complaints=complaints,
        usability=DataQualityReport.read(workspace, company.name),
        unreadable="; ".join(filter(None, (error, status_error, complaints_error))),
        translate=Translator(language),
    )


def _read_or_reason(read: Callable[[], Read | None], name: str) -> tuple[Read | None, str]:
    """The content of a file, or None with the reason if the file is damaged."""
    try:
        return read(), ""
    except DataRefused as err:
        return None, str(err)
    except (OSError, ValueError) as err:  # includes pyarrow's and JSON's errors
        reason = (
            f"{name} cannot be read ({type(err).__name__}); make it again with `goodwill evaluate`"
        )
        return None, reason


def _status(path: Path) -> pd.DataFrame | None:
    if not path.is_file():
        return None
    table = pd.read_parquet(path)
    if "customer_id" in table:
        table = table.set_index("customer_id")
    return table.set_axis(table.index.astype(str))


def _complaints(company: Company, workspace: Workspace) -> dict[str, Any] | None:
    path = workspace.company(company.name) / "complaints.json"
    if not path.is_file():
        return None
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
