"""The first training after a kill, or in a restored copy of the project, puts things right."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from features.config.company import load_company
from features.settings import Workspace
from models.bundles.champions import load_champion, set_champion
from models.bundles.mlflow_registry import Registry, model_name
from support.second_version import promote_milder_churn
from support.trained_company import copy_of_trained, train_only


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A company of an older version, whose run was killed, restored elsewhere and trained again."""
    _, workspace = copy_of_trained(tmp_path_factory.mktemp("first") / "home")
    promote_milder_churn(workspace)
    with closing(sqlite3.connect(workspace.mlruns / "mlflow.db")) as connection, connection:
        older = (workspace.mlruns / "artifacts/sample").as_uri()  # as version 0.5 stored it
        connection.execute(
            "update experiments set artifact_location = ? where name = 'goodwill-sample'", (older,)
        )
    set_champion(workspace.serving("sample"), "churn", "1")
    return workspace


def contents(home: Path) -> dict[str, bytes]:
    return {str(p.relative_to(home)): p.read_bytes() for p in home.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def before(killed: Workspace) -> dict[str, bytes]:
    return contents(killed.home)


@pytest.fixture(scope="module")
def restored(
    killed: Workspace, before: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory
) -> Workspace:
    """A copy of it elsewhere, in which one target was trained and promoted."""
    home = tmp_path_factory.mktemp("second") / "home"
    shutil.copytree(killed.home, home)
    workspace = Workspace(home)
    (workspace.serving("sample") / "nps/champion.json").unlink()  # so that it is promoted
    train_only(load_company(home / "data/sample.toml"), workspace, "nps")
    return workspace


@pytest.mark.slow
def test_nothing_is_written_below_the_old_path(
    killed: Workspace, before: dict[str, bytes], restored: Workspace
) -> None:
    assert contents(killed.home) == before
    old, new = (contents(w.mlruns / "artifacts") for w in (killed, restored))
    assert len(new) - len(old) > 20
    served = load_champion(restored.serving("sample"), "nps")
    assert served is not None
    assert served.version == "2"


def test_its_runs_are_in_a_new_experiment(killed: Workspace, restored: Workspace) -> None:
    registry = Registry(restored)
    names = {e.name: e.artifact_location for e in registry.client.search_experiments()}
    assert names["goodwill-sample"] == "goodwill:/sample"
    assert names["goodwill-sample 1"].startswith(killed.home.as_uri())


def test_the_aliases_follow(restored: Workspace) -> None:
    registry = Registry(restored)
    assert registry.champion("sample", "churn") == "1"
    assert registry.champion("sample", "nps") == "2"
    aliases = registry.client.get_registered_model(model_name("sample", "churn")).aliases
    assert {k: str(v) for k, v in aliases.items()} == {"champion": "1", "previous": "2"}
