"""Broken new models: the old ones stay in use, the others too, and a counter shows it."""

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from features.settings import Workspace
from models.bundles.champions import POINTER, set_champion
from support.served_company import WORKERS, Served, error_code, eventually, figure, served
from support.trained_company import SAMPLE_TARGETS

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(240)]

Break = Callable[[Path], None]


def cut(name: str, share: float) -> Break:
    """Truncate a file of the new version."""

    def broken(folder: Path) -> None:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: int(share * len(content))])

    return broken


def flipped(name: str) -> Break:
    """Flip one bit in the middle of a file."""

    def broken(folder: Path) -> None:
        content = bytearray((folder / name).read_bytes())
        content[len(content) // 2] ^= 1
        (folder / name).write_bytes(content)

    return broken


def update_hashes(folder: Path) -> None:
    """Update the hashes in the manifest, as if the version had been exported like this."""
    manifest = json.loads((folder / "manifest.json").read_bytes())
    for name in manifest["files"]:
        manifest["files"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def of_another_target(folder: Path) -> None:
    """Use trees and encoder of another target: valid, but they fail the golden rows."""
    for name in ("model.txt", "encoder.json"):
        shutil.copy(folder.parents[1] / "value/1" / name, folder)
    update_hashes(folder)


def trees_of_another_target(folder: Path) -> None:
    """Use trees that read other columns than the encoder makes."""
    shutil.copy(folder.parents[1] / "value/1/model.txt", folder)
    update_hashes(folder)


def fewer_columns(folder: Path) -> None:
    """Remove a column from the encoder."""
    encoder = json.loads((folder / "encoder.json").read_bytes())
    encoder["columns"] = encoder["columns"][:-1]
    (folder / "encoder.json").write_text(json.dumps(encoder), encoding="utf-8")
    update_hashes(folder)


def cut_and_signed(folder: Path) -> None:
    cut("model.txt", 0.6)(folder)
    update_hashes(folder)


def wrong_structure(folder: Path) -> None:
    """Write files that are JSON with valid hashes but the wrong structure."""
    for name in ("calibrator.json", "golden.json"):
        (folder / name).write_text("[]", encoding="utf-8")
    update_hashes(folder)


MODELS: dict[str, Break] = {
    "cut": cut("model.txt", 0.5),
    "cut-and-signed": cut_and_signed,
    "flipped-byte": flipped("model.txt"),
    "flipped-manifest": flipped("manifest.json"),
    "flipped-golden": flipped("golden.json"),
    "empty": cut("model.txt", 0.0),
    "empty-manifest": cut("manifest.json", 0.0),
    "wrong-width": of_another_target,
    "wrong-width-trees": trees_of_another_target,
    "fewer-columns": fewer_columns,
    "lists-for-objects": wrong_structure,
}
POINTERS = {
    "garbage": b"\x00\xff\xfe garbage",
    "empty": b"",
    "half": b'{"version": "1", "manif',
    "list": b"[1]",
    "number": b'{"version": 1e999, "manifest_sha256": 3}',
    "elsewhere": b'{"version": "../../../../etc", "manifest_sha256": ""}',
    "deep": b"[" * 50_000,
    "nobody": b'{"version": "77", "manifest_sha256": "00"}',
}


@pytest.fixture(scope="module")
def now(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("broken") / "home") as running:
        yield running


def assert_old_model_stays(now: Served, break_model: Callable[[], None]) -> None:
    """Replace churn by something broken: only the counter changes, in each worker."""
    before, workers = now.score(), now.workers()
    kept, failed = now.reloads("churn", "kept"), now.reloads("service", "failed")
    break_model()
    eventually(lambda: now.reloads("churn", "kept") == kept + WORKERS)
    time.sleep(1.2)  # another look: it was noted once, not every second
    assert now.reloads("churn", "kept") == kept + WORKERS
    assert now.reloads("service", "failed") == failed
    for _ in range(3 * WORKERS):
        answer = now.score()
        assert answer["model_versions"] == before["model_versions"]
        assert answer["scores"] == before["scores"]
    assert now.get("/readyz").status_code == 200
    assert now.workers() == workers
    loaded = now.reloads("churn", "loaded")
    set_champion(now.models, "churn", "1")
    eventually(lambda: now.reloads("churn", "loaded") == loaded + WORKERS)


@pytest.mark.parametrize("fault", MODELS)
def test_a_broken_model_never_serves(now: Served, fault: str) -> None:
    folder = now.models / "churn/2"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(now.models / "churn/1", folder)
    digest = hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()

    def break_model() -> None:
        MODELS[fault](folder)
        if fault.endswith("manifest"):  # broken after the pointer was made
            replaced(now, json.dumps({"version": "2", "manifest_sha256": digest}).encode())
        else:
            set_champion(now.models, "churn", "2")

    assert_old_model_stays(now, break_model)


@pytest.mark.parametrize("fault", POINTERS)
def test_a_broken_pointer_is_not_followed(now: Served, fault: str) -> None:
    assert_old_model_stays(now, lambda: replaced(now, POINTERS[fault]))


def test_a_removed_pointer_leaves_the_model(now: Served) -> None:
    assert_old_model_stays(now, now.pointer("churn").unlink)


def replaced(now: Served, content: bytes) -> None:
    path = now.pointer("churn")
    path.with_suffix(".half").write_bytes(content)
    path.with_suffix(".half").replace(path)


@pytest.mark.parametrize("fault", ["wrong-width-trees", "lists-for-objects"])
def test_one_broken_model_does_not_stop_the_other_three(tmp_path: Path, fault: str) -> None:
    def broken(workspace: Workspace) -> None:
        folder = workspace.serving("sample") / "churn/1"
        MODELS[fault](folder)
        set_champion(workspace.serving("sample"), "churn", "1")

    with served(tmp_path / "home", broken) as now:
        answer = now.score()
        assert set(answer["model_versions"]) == set(SAMPLE_TARGETS) - {"churn"}
        refused = now.post("/v1/scores", {"customer_ids": now.ids[:1], "targets": ["churn"]})
        assert (refused.status_code, error_code(refused.content)) == (503, "not_ready")
        assert set(now.get("/v1/models").json()["missing"]) == {"churn"}
        assert now.metric('goodwill_part_ready{part="churn"}') == 0
        assert now.metric('goodwill_part_ready{part="value"}') == 1
        assert now.get(f"/v1/customers/{now.ids[0]}").status_code == 200


def test_without_a_champion_the_service_is_up_and_becomes_ready_later(tmp_path: Path) -> None:
    def away(workspace: Workspace) -> None:
        for target in SAMPLE_TARGETS:
            pointer = workspace.serving("sample") / target / POINTER
            pointer.rename(pointer.with_suffix(".away"))

    with served(tmp_path / "home", away, wait_for="/livez") as now:
        workers = now.workers()
        began = time.monotonic()
        unready = now.get("/readyz")
        seconds = time.monotonic() - began
        assert (unready.status_code, error_code(unready.content)) == (503, "not_ready")
        assert int(unready.headers["retry-after"]) > 0
        assert seconds < 1
        refused = now.post("/v1/scores", {"customer_ids": now.ids[:1]})
        assert refused.status_code == 503
        assert now.get("/livez").status_code == 200
        pointer = now.pointer("nps")
        pointer.with_suffix(".away").rename(pointer)
        took = eventually(lambda: all(_ready(now) for _ in range(4 * WORKERS)))
        assert set(now.score()["model_versions"]) == {"nps"}
        assert now.workers() == workers
    figure("no champion: seconds to /readyz 503", round(seconds, 3))
    figure("no champion: seconds from the pointer to all workers ready", round(took, 1))


def _ready(now: Served) -> bool:
    return now.get("/readyz").status_code == httpx.codes.OK
