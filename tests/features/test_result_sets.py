"""A company's results are published together, and a run that fails leaves them as they were."""

import os
import shutil
from pathlib import Path

import pytest

from features import result_sets
from features.atomic_write import write_text_atomically
from features.result_sets import (
    CURRENT,
    FORMER_NAMES,
    SETS,
    pin_results,
    published_path,
    staged_results,
)
from features.settings import Workspace


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text_atomically(path, text)


def make(workspace: Workspace, text: str) -> None:
    """Write the results of one night."""
    write(workspace.scores("shop"), text)
    write(workspace.company("shop") / "evaluation" / "evaluation.json", text)
    write(workspace.serving("shop") / "churn" / "champion.json", text)
    write(workspace.report("shop"), text)


def results(workspace: Workspace) -> set[str]:
    """The texts of all results, as a reader finds them at their paths."""
    paths = (
        workspace.scores("shop"),
        workspace.company("shop") / "evaluation" / "evaluation.json",
        workspace.serving("shop") / "churn" / "champion.json",
        workspace.report("shop"),
    )
    return {path.read_text(encoding="utf-8") for path in paths}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


@pytest.fixture
def published(workspace: Workspace) -> Workspace:
    with staged_results(workspace, "shop") as staged:
        make(staged, "first")
    return workspace


def test_results_are_found_at_their_usual_paths(published: Workspace, tmp_path: Path) -> None:
    assert results(published) == {"first"}
    assert (tmp_path / "data/shop/scores/scores.parquet").read_text("utf-8") == "first"
    assert (tmp_path / "mlruns/serving/shop/churn/champion.json").read_text("utf-8") == "first"


def test_nothing_is_public_before_the_end(published: Workspace) -> None:
    with staged_results(published, "shop") as staged:
        make(staged, "second")
        assert results(staged) == {"second"}
        assert results(published) == {"first"}
    assert results(published) == {"second"}


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_after_an_exception_everything_is_as_it_was(
    published: Workspace, error: type[BaseException]
) -> None:
    def night() -> None:
        with staged_results(published, "shop") as staged:
            make(staged, "second")
            raise error

    with pytest.raises(error):
        night()
    assert results(published) == {"first"}
    assert [p.name for p in (published.data / "shop" / SETS).iterdir()] == ["000001"]


@pytest.mark.parametrize("has_sets", [True, False])
def test_results_of_a_former_version_get_their_names_of_today(
    workspace: Workspace, has_sets: bool
) -> None:
    home = workspace.company("shop")
    if has_sets:
        with staged_results(workspace, "shop") as staged:
            for former in FORMER_NAMES:
                write(staged.company("shop") / former, former)
    else:
        for former in FORMER_NAMES:
            write(home / former, former)
    with staged_results(workspace, "shop") as staged:
        write(staged.scores("shop"), "a run that makes none of them")
    for former, name in FORMER_NAMES.items():
        assert (home / name).read_text("utf-8") == former
        assert not os.path.lexists(home / former)


def test_a_result_of_today_is_not_replaced_by_one_of_a_former_version(workspace: Workspace) -> None:
    with staged_results(workspace, "shop") as staged:
        write(staged.company("shop") / "nonresponse.json", "today")
        write(staged.company("shop") / "population.json", "before")
    with staged_results(workspace, "shop"):
        pass
    assert (workspace.company("shop") / "nonresponse.json").read_text("utf-8") == "today"


def test_a_reader_that_holds_on_to_a_set_never_sees_two_nights(published: Workspace) -> None:
    pinned = pin_results(published, "shop")
    with staged_results(published, "shop") as staged:
        make(staged, "second")
    assert results(pinned) == {"first"}
    assert results(pin_results(published, "shop")) == {"second"}


def test_what_a_run_does_not_make_stays(published: Workspace) -> None:
    with staged_results(published, "shop") as staged:
        write(staged.scores("shop"), "second")
    assert results(published) == {"first", "second"}


def test_a_result_that_is_removed_is_gone(published: Workspace) -> None:
    with staged_results(published, "shop") as staged:
        staged.report("shop").unlink()
    assert not os.path.lexists(published.report("shop"))


def test_the_former_set_stays_for_readers_and_older_ones_are_removed(published: Workspace) -> None:
    for text in ("second", "third", "fourth"):
        with staged_results(published, "shop") as staged:
            make(staged, text)
    names = sorted(p.name for p in (published.data / "shop" / SETS).iterdir())
    assert names == ["000003", "000004"]


def test_a_rollback_during_a_run_outlives_it(published: Workspace) -> None:
    pointer = published.serving("shop") / "churn" / "champion.json"
    with staged_results(published, "shop") as staged:
        make(staged, "second")
        write(pointer, "rolled back")
    assert pointer.read_text("utf-8") == "rolled back"
    assert published.scores("shop").read_text("utf-8") == "second"


def test_a_rollback_during_a_run_is_scored_again_before_the_publication(
    published: Workspace,
) -> None:
    pointer, again = published.serving("shop") / "churn" / "champion.json", list[list[str]]()

    def score_again(staged: Workspace, targets: list[str]) -> None:
        assert published.scores("shop").read_text("utf-8") == "first", "nothing is public yet"
        served = (staged.serving("shop") / "churn" / "champion.json").read_text("utf-8")
        assert (staged.serving("shop") / "churn" / served / "model.txt").is_file()
        write(staged.scores("shop"), f"by {served}")
        again.append(targets)
        if served == "old":  # and once more, while it scores again
            write(pointer, "oldest")

    for version in ("old", "oldest"):
        write(pointer.with_name(version) / "model.txt", version)
    with staged_results(published, "shop", score_again) as staged:
        make(staged, "second")
        for version in ("old", "oldest"):  # the run has removed them as too old
            shutil.rmtree(staged.serving("shop") / "churn" / version)
        write(pointer, "old")
    assert again == [["churn"], ["churn"]]
    assert pointer.read_text("utf-8") == "oldest"
    assert published.scores("shop").read_text("utf-8") == "by oldest"


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize(
    ("point", "public"),
    [("_sync", "second"), ("_replace_by_link", "second"), ("symlink_to", "first")],
)
def test_a_publication_that_is_killed_is_undone_or_finished(
    published: Workspace, monkeypatch: pytest.MonkeyPatch, point: str, public: str
) -> None:
    def die(*_: object) -> None:
        raise Killed

    def night(patch: pytest.MonkeyPatch) -> None:
        with staged_results(published, "shop") as staged:
            make(staged, "second")
            write(staged.company("shop") / "leakage.json", "new in this night")
            if point == "symlink_to":
                patch.setattr(Path, point, die)
            else:
                patch.setattr(result_sets, point, die)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        night(patch)
    assert results(published) == {public}
    left = published.data / "shop" / SETS / ".000009.new"  # of a run that was killed at work
    write(left / "report.html", "half")
    with staged_results(published, "shop") as staged:
        assert results(staged) == {public}
    assert not left.exists()
    assert (published.data / "shop" / "leakage.json").exists() == (public == "second")


def test_results_of_a_version_without_sets_are_taken_over(workspace: Workspace) -> None:
    make(workspace, "old")
    own = workspace.data / "shop" / "raw" / "orders.csv"
    write(own, "mine")
    write(workspace.feedback("shop") / "call.json", "feedback")
    with staged_results(workspace, "shop") as staged:
        assert results(staged) == {"old"}
        assert not (staged.company("shop") / "raw").exists()
    assert results(workspace) == {"old"}
    assert (workspace.data / "shop" / CURRENT).is_symlink()
    assert own.read_text("utf-8") == "mine"
    assert not own.parent.is_symlink()
    assert (workspace.feedback("shop") / "call.json").read_text("utf-8") == "feedback"


def test_what_killed_writes_left_is_not_taken_over(published: Workspace) -> None:
    serving = published.serving("shop") / "churn"
    for left in (serving / ".2.new/model.txt", serving / ".champion.json.new", serving / "2.new/x"):
        left.parent.mkdir(exist_ok=True)
        left.write_text("half", encoding="utf-8")
    with staged_results(published, "shop") as staged:
        names = {p.name for p in (staged.serving("shop") / "churn").iterdir()}
    assert names == {"champion.json"}


def test_a_moved_project_keeps_its_results(published: Workspace, tmp_path: Path) -> None:
    moved = tmp_path.with_name(tmp_path.name + "-moved")
    tmp_path.rename(moved)
    assert results(Workspace(moved)) == {"first"}


def test_a_copy_that_followed_the_links_keeps_its_results(
    published: Workspace, tmp_path_factory: pytest.TempPathFactory
) -> None:
    copy = Workspace(tmp_path_factory.mktemp("copies") / "home")
    shutil.copytree(published.home, copy.home)
    assert results(copy) == {"first"}
    with staged_results(copy, "shop") as staged:
        assert results(staged) == {"first"}
        make(staged, "second")
    assert results(copy) == {"second"}
    assert results(published) == {"first"}


def test_the_published_path_of_a_staged_file(published: Workspace) -> None:
    with staged_results(published, "shop") as staged:
        shown = published_path(staged.report("shop"))
    assert shown == published.report("shop")
    assert published_path(published.home / "elsewhere") == published.home / "elsewhere"
