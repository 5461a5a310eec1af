"""Everything the report is made of, read once: evaluation, standing, complaints, scores, models."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from features.config.company import Company
from features.data_quality.check_tables import DataQualityReport
from features.errors import DataRefused
from features.settings import Workspace
from insight.business_report.translations import Translator
from insight.business_report.translations import Language, Translator
from insight.evaluation.evaluation_files import STATUS_FILE, evaluation_folder, read_evaluation
from insight.evaluation.evaluation_schema import CompanyEvaluation
from insight.report_facts import ReportFacts, load_report_facts

Read = TypeVar("Read")


@dataclass(frozen=True)
class ReportInputs:
    """What is known of a company; None stands for what was never made, `broken` says what is unreadable.

    `standing` has a row a customer, by customer_id.
    """

    facts: ReportFacts
    evaluation: CompanyEvaluation | None
    standing: pd.DataFrame | None
    complaints: dict[str, Any] | None
    usability: DataQualityReport | None
    broken: str
    translate: Translator
    translate: Translator

    @property
    def period(self) -> str:
        return self.evaluation.period if self.evaluation else "quarter"


def load_report_inputs(company: Company, workspace: Workspace, language: Language) -> ReportInputs:
    """Read what there is. Raises DataRefused without a history; all else may be missing."""
    facts = load_report_facts(company, workspace)
    folder = evaluation_folder(workspace, company.name)
    evaluation, broken = _whole(lambda: read_evaluation(folder), "evaluation.json")
    standing, torn = _whole(lambda: _standing(folder / STATUS_FILE), STATUS_FILE)
    complaints, lost = _whole(lambda: _complaints(company, workspace), "complaints.json")
    words = Translator(language)
    return ReportInputs(
        facts=facts,
        evaluation=evaluation,
        standing=standing,
        complaints=complaints,
        usability=DataQualityReport.read(workspace, company.name),
        broken="; ".join(filter(None, (broken, torn, lost))),
        words=translate,
        translate=Numerals(translate, company.info.currency),
    )


def _whole(read: Callable[[], Read | None], name: str) -> tuple[Read | None, str]:
    """What is read, or None with the reason for a file that is damaged."""
    try:
        return read(), ""
    except DataRefused as err:
        return None, str(err)
    except (OSError, ValueError) as err:  # pyarrow's and JSON's own are among them
        told = (
            f"{name} cannot be read ({type(err).__name__}); make it again with `goodwill evaluate`"
        )
        return None, told


def _standing(path: Path) -> pd.DataFrame | None:
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
