"""Where a model's code comes from."""

from pathlib import Path

import pytest

from features.settings import Workspace
from models.bundles.model_manifest import code_revision


def test_the_code_revision_is_read_without_git(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GOODWILL_REVISION", raising=False)
    workspace = Workspace(tmp_path)
    assert code_revision(workspace) == "unknown"
    monkeypatch.setenv("GOODWILL_REVISION", "abc")
    assert code_revision(workspace) == "abc"
    (tmp_path / ".git/refs/heads").mkdir(parents=True)
    (tmp_path / ".git/HEAD").write_text("ref: refs/heads/main\n")
    assert code_revision(workspace) == "unknown"
    (tmp_path / ".git/refs/heads/main").write_text("1234\n")
    assert code_revision(workspace) == "1234"
    (tmp_path / ".git/refs/heads/main").unlink()  # as `git gc` does
    packed = "# pack-refs with: peeled\n99 refs/heads/not-main\n88 refs/heads/main\n"
    (tmp_path / ".git/packed-refs").write_text(packed)
    assert code_revision(workspace) == "88"
    (tmp_path / ".git/HEAD").write_text("5678\n")
    assert code_revision(workspace) == "5678"
