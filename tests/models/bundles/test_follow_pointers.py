"""Aliases follow the pointers, and numbers are never reused, whatever became of the database."""

import shutil
from pathlib import Path

import pytest

from features.config.company import load_company
from features.settings import Workspace
from models.bundles.bundle import Bundle
from models.bundles.bundle_folders import highest_number, take_number
from models.bundles.champions import POINTER, load_champion, set_champion
from models.bundles.mlflow_registry import RESTORED, Registry, model_name
from models.bundles.rollback import roll_back
from support.second_version import promote_milder_churn
from support.trained_company import copy_of_trained

CHURN = model_name("sample", "churn")


@pytest.fixture(scope="module")
def promoted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained company whose churn model was promoted a second time; copy it before a change."""
    home = tmp_path_factory.mktemp("promoted") / "home"
    promote_milder_churn(copy_of_trained(home)[1])
    return home


@pytest.fixture(scope="module")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new database of MLflow, which takes five seconds to create."""
    return Registry(Workspace(tmp_path_factory.mktemp("empty"))).database


@pytest.fixture
def workspace(promoted: Path, tmp_path: Path) -> Workspace:
    return Workspace(Path(shutil.copytree(promoted, tmp_path / "home")))


def aliases(registry: Registry) -> dict[str, str]:
    return {k: str(v) for k, v in registry.client.get_registered_model(CHURN).aliases.items()}


def follow(registry: Registry) -> list[str]:
    return registry.follow_pointers("sample", registry.workspace.serving("sample"))


def numbers(registry: Registry) -> list[int]:
    return sorted(int(v.version) for v in registry.client.search_model_versions(f"name='{CHURN}'"))


def champion(workspace: Workspace) -> Bundle:
    found = load_champion(workspace.serving("sample"), "churn")
    assert found is not None
    return found


def register(registry: Registry, workspace: Workspace) -> str:
    with registry.run("sample", "churn") as run_id:
        return registry.register(run_id, "sample", champion(workspace), {"grade": "A"})


def test_nothing_is_said_or_done_when_they_agree(workspace: Workspace) -> None:
    registry = Registry(workspace)
    assert follow(registry) == []
    assert aliases(registry) == {"champion": "2", "previous": "1"}


def test_a_champion_that_an_older_version_left_as_challenger_is_none(workspace: Workspace) -> None:
    registry = Registry(workspace)
    registry.client.set_registered_model_alias(CHURN, "challenger", "2")
    assert follow(registry) == []
    assert aliases(registry) == {"champion": "2", "previous": "1"}
    registry.client.set_registered_model_alias(CHURN, "challenger", "2")
    set_champion(workspace.serving("sample"), "churn", "1")  # rolled back without the registry
    follow(registry)
    assert aliases(registry) == {"champion": "1", "previous": "2"}


def test_a_challenger_stays_one_through_a_rollback_until_it_serves(workspace: Workspace) -> None:
    registry, serving = Registry(workspace), workspace.serving("sample")
    assert register(registry, workspace) == "3"
    set_champion(serving, "churn", "1")
    follow(registry)
    assert aliases(registry) == {"champion": "1", "previous": "2", "challenger": "3"}
    shutil.copytree(serving / "churn/2", serving / "churn/3")
    set_champion(serving, "churn", "3")
    follow(registry)
    assert aliases(registry) == {"champion": "3", "previous": "1"}


def test_a_refused_first_model_is_a_challenger_without_a_champion(workspace: Workspace) -> None:
    registry = Registry(workspace)
    with registry.run("other", "churn") as run_id:
        registry.register(run_id, "other", champion(workspace), {})
    assert registry.follow_pointers("other", workspace.serving("other")) == []
    found = registry.client.get_registered_model(model_name("other", "churn")).aliases
    assert {name: str(version) for name, version in found.items()} == {"challenger": "1"}


def test_a_kill_between_pointer_and_alias_is_repaired(workspace: Workspace) -> None:
    set_champion(workspace.serving("sample"), "churn", "1")
    registry = Registry(workspace)
    assert follow(registry) == ["churn: version 1 serves; the MLflow aliases follow it now"]
    assert aliases(registry) == {"champion": "1", "previous": "2"}
    assert follow(registry) == []


def test_a_lost_database_is_filled_from_the_bundles(
    workspace: Workspace, empty_database: Path
) -> None:
    before = Registry(workspace).client.get_model_version(CHURN, "2")
    shutil.copy(empty_database, workspace.mlruns / "mlflow.db")
    registry = Registry(workspace)
    notes = follow(registry)
    assert "churn: version 1, 2 registered in MLflow again, from its bundle" in notes
    assert "nps: version 1 registered in MLflow again, from its bundle" in notes
    assert aliases(registry) == {"champion": "2", "previous": "1"}
    found = registry.client.get_model_version(CHURN, "2")
    assert (found.run_id, found.source) == (before.run_id, before.source)
    assert found.tags["grade"] == champion(workspace).manifest.grade
    assert register(registry, workspace) == "3"


def test_numbers_of_deleted_bundles_stay_taken(workspace: Workspace, empty_database: Path) -> None:
    take_number(workspace, "sample", "churn", 5)
    shutil.rmtree(workspace.serving("sample") / "churn/1")
    shutil.copy(empty_database, workspace.mlruns / "mlflow.db")
    registry = Registry(workspace)
    follow(registry)
    assert numbers(registry) == [2]
    assert [register(registry, workspace) for _ in range(2)] == ["6", "7"]
    assert numbers(registry) == [2, 6, 7]
    assert highest_number(workspace, "sample", "churn") == 7


def test_an_older_database_catches_up_and_keeps_what_it_has(
    workspace: Workspace, tmp_path: Path
) -> None:
    older = Path(shutil.copy(workspace.mlruns / "mlflow.db", tmp_path / "older.db"))
    registry = Registry(workspace)
    assert register(registry, workspace) == "3"  # a challenger that never served
    churn = workspace.serving("sample") / "churn"
    shutil.copytree(churn / "2", churn / "4")
    set_champion(workspace.serving("sample"), "churn", "4")
    shutil.copy(older, workspace.mlruns / "mlflow.db")
    registry = Registry(workspace)
    assert follow(registry) == [
        "churn: version 4 registered in MLflow again, from its bundle",
        "churn: version 4 serves; the MLflow aliases follow it now",
    ]
    assert numbers(registry) == [1, 2, 4]
    assert aliases(registry) == {"champion": "4", "previous": "2"}
    assert register(registry, workspace) == "5"


def test_a_serving_version_that_mlflow_deleted_is_a_note(workspace: Workspace) -> None:
    registry = Registry(workspace)
    registry.client.delete_model_version(CHURN, "2")
    for _ in range(2):
        (note,) = [n for n in follow(registry) if "does not have it" in n]
        assert note.startswith("churn: version 2 serves, and the MLflow registry does not have it")
    assert aliases(registry) == {"previous": "1"}
    assert registry.client.get_registered_model(CHURN).tags[RESTORED] == "2"
    assert numbers(registry) == [1]
    assert int(register(registry, workspace)) > 2


def test_a_damaged_pointer_leaves_the_aliases(workspace: Workspace) -> None:
    (workspace.serving("sample") / "churn" / POINTER).write_text("{")
    registry = Registry(workspace)
    assert follow(registry) == ["churn: its pointer cannot be read, so the MLflow aliases stay"]
    assert aliases(registry)["champion"] == "2"


def test_a_damaged_bundle_is_not_registered_again(
    workspace: Workspace, empty_database: Path
) -> None:
    (workspace.serving("sample") / "churn/1/manifest.json").write_text("{")
    shutil.copy(empty_database, workspace.mlruns / "mlflow.db")
    registry = Registry(workspace)
    follow(registry)
    assert numbers(registry) == [2]


def test_a_rollback_fills_a_lost_database_too(workspace: Workspace, empty_database: Path) -> None:
    shutil.copy(empty_database, workspace.mlruns / "mlflow.db")
    rolled = roll_back(load_company(workspace.data / "sample.toml"), workspace, "churn")
    assert (rolled.before, rolled.now) == ("2", "1")
    assert Registry(workspace).champion("sample", "churn") == "1"
