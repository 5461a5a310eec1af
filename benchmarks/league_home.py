"""The companies of the league, each with its training sets made, in a workspace of its own."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from features.config.company import Company, load_company
from features.import_history.run_import import import_history
from features.progress import Steps
from features.settings import Workspace, find_workspace, real_data_root
from models.training_set.build_training_sets import build_features


@contextmanager
def home_of_its_own() -> Iterator[Workspace]:
    """A workspace of its own, so that no model, tuning or tone of before has a say."""
    project = find_workspace()
    with tempfile.TemporaryDirectory(prefix="goodwill-league-") as folder:
        home = Path(folder)
        (home / "data").mkdir()
        for toml in project.data.glob("*.toml"):
            (home / "data" / toml.name).write_text(toml.read_text(encoding="utf-8"), "utf-8")
        os.environ.setdefault("GOODWILL_REAL_DATA", str(real_data_root(project)))
        yield Workspace(home)


def with_training_sets(workspace: Workspace, name: str) -> Company:
    """The company with its training sets made."""
    company = load_company(workspace.data / f"{name}.toml")
    if not (workspace.features(name) / "counts.json").is_file():
        if name == "sample":
            from features.sample_company.generate import generate_sample_company

            folder = workspace.company(name)
            generate_sample_company(folder / "raw", folder / "truth", customers=5000, seed=7)
        steps = Steps()
        import_history(company, workspace, steps)
        build_features(company, workspace, steps)
    return company
