"""Where an evaluation lies, and how it is read back."""

import os
from pathlib import Path

from pydantic import ValidationError

from features.errors import DataRefused
from features.settings import Workspace
from insight.evaluation.evaluation_schema import Evaluation

FILE, STANDING = "evaluation.json", "standing.parquet"


def evaluation_folder(workspace: Workspace, company: str) -> Path:
    """The folder of a company's evaluation."""
    return workspace.company(company) / "evaluation"


def write_evaluation(folder: Path, told: Evaluation) -> Path:
    """Write `evaluation.json`, whole or not at all; its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path, part = folder / FILE, folder / f"{FILE}.new"
    part.write_text(told.model_dump_json(indent=1), encoding="utf-8")
    os.replace(part, path)
    return path


def read_evaluation(folder: Path) -> Evaluation | None:
    """The last evaluation, or None before the first one.

    Raises DataRefused for a file that cannot be read, with the remedy.
    """
    path = folder / FILE
    try:
        return Evaluation.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as err:
        raise DataRefused(
            f"{path.name} cannot be read ({type(err).__name__}); make it again with "
            "`goodwill evaluate`"
        ) from None
