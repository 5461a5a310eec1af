"""Where an evaluation lies, and how it is read back."""

from pathlib import Path

from pydantic import ValidationError

from features.atomic_write import write_text_atomically
from features.errors import DataRefused
from features.settings import Workspace
from insight.evaluation.evaluation_schema import CompanyEvaluation

EVALUATION_FILE, STATUS_FILE = "evaluation.json", "standing.parquet"


def evaluation_folder(workspace: Workspace, company: str) -> Path:
    """The folder of a company's evaluation."""
    return workspace.company(company) / "evaluation"


def write_evaluation(folder: Path, told: CompanyEvaluation) -> Path:
    """Write `evaluation.json`, whole or not at all; its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / EVALUATION_FILE
    write_text_atomically(path, told.model_dump_json(indent=1))
    return path


def read_evaluation(folder: Path) -> CompanyEvaluation | None:
    """The last evaluation, or None before the first one.

    Raises DataRefused for a file that cannot be read, with the remedy.
    """
    path = folder / EVALUATION_FILE
    try:
        return CompanyEvaluation.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as err:
        raise DataRefused(
            f"{path.name} cannot be read ({type(err).__name__}); make it again with "
            "`goodwill evaluate`"
        ) from None
