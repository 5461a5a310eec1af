"""Files of an evaluation: their folder, and reading and writing `evaluation.json`."""

from pathlib import Path

from pydantic import ValidationError

from features.atomic_write import write_text_atomically
from features.errors import DataRefused
from features.settings import Workspace
from insight.evaluation.evaluation_schema import CompanyEvaluation

EVALUATION_FILE, STATUS_FILE = "evaluation.json", "customer_status.parquet"


def evaluation_folder(workspace: Workspace, company: str) -> Path:
    """Return the folder of a company's evaluation."""
    return workspace.company(company) / "evaluation"


def write_evaluation(folder: Path, evaluation: CompanyEvaluation) -> Path:
    """Write `evaluation.json` atomically; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / EVALUATION_FILE
    write_text_atomically(path, evaluation.model_dump_json(indent=1))
    return path


def read_evaluation(folder: Path) -> CompanyEvaluation | None:
    """Read the last evaluation; None before the first one.

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
