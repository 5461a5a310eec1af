"""A bundle comes back exactly, and a broken one is refused while the old pointer stays."""

import errno
import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.errors import DataRefused, EnvironmentFailed
from models.bundles.bundle import (
    FILES,
    FORMER_TONE_FILE,
    TONE_FILE,
    Bundle,
    read_bundle,
    write_bundle,
)
from models.bundles.champions import POINTER, load_champion, set_champion
from models.learners.calibration import Calibrator
from support.trained_company import SAMPLE_TARGETS, trained


@pytest.fixture
def serving(tmp_path: Path) -> Path:
    """The champions of the trained company, in a folder of their own."""
    return Path(shutil.copytree(trained()[0].serving("sample"), tmp_path / "serving"))


def the(serving: Path, target: str) -> Bundle:
    found = load_champion(serving, target)
    assert found is not None
    return found


@pytest.mark.parametrize("target", SAMPLE_TARGETS)
def test_a_bundle_comes_back_exactly(serving: Path, target: str) -> None:
    first = the(serving, target)
    write_bundle(first, serving / target / "2")
    again = read_bundle(serving / target / "2")
    table = pq.read_table(trained()[0].features("sample") / "snapshot.parquet").slice(0, 200)
    np.testing.assert_array_equal(again.calibrated(table), first.calibrated(table))
    assert again.manifest == first.manifest
    assert (again.population, again.spend) == (first.population, first.spend)
    assert again.columns == first.columns
    assert again.about == first.about
    for name in (*FILES, "manifest.json"):
        ours, theirs = (serving / target / v / name for v in ("1", "2"))
        assert ours.read_bytes() == theirs.read_bytes(), name


def test_nothing_of_a_customer_and_nothing_executable_is_in_it(serving: Path) -> None:
    for file in serving.rglob("*"):
        assert file.is_dir() or file.name in {
            *FILES,
            "comment_score_model.json",
            "typical.txt",
            "about.json",
            "manifest.json",
            POINTER,
        }
        if file.is_file():
            text = file.read_text(encoding="utf-8")
            assert "A0000" not in text, file
            assert "CANARY" not in text, file


def test_a_bundle_of_a_former_version_names_its_comment_score_model_otherwise(
    serving: Path,
) -> None:
    expected = the(serving, "nps")
    assert expected.tone is not None
    folder = serving / "nps/1"
    (folder / TONE_FILE).rename(folder / FORMER_TONE_FILE)
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text("utf-8"))
    manifest["files"][FORMER_TONE_FILE] = manifest["files"].pop(TONE_FILE)
    path.write_text(json.dumps(manifest), "utf-8")
    assert read_bundle(folder).tone == expected.tone


def test_a_moved_folder_works(serving: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere 项目 #1"
    expected = the(serving, "nps").manifest
    shutil.move(serving, moved)
    assert the(moved, "nps").manifest == expected
    assert load_champion(serving, "nps") is None


def test_writing_leaves_a_whole_bundle_or_none(
    serving: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = the(serving, "nps")
    write = Path.write_text

    def full_disk(path: Path, *given: object, **named: object) -> int:
        if path.name == "manifest.json":
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, *given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "write_text", full_disk)
    with pytest.raises(
        EnvironmentFailed, match=r"nps/2 could not be read or written \(No space left"
    ):
        write_bundle(good, serving / "nps/2")
    monkeypatch.undo()
    assert not list((serving / "nps").glob("*2*"))
    write_bundle(good, serving / "nps/2")  # what the failure left is no obstacle
    assert sorted(p.name for p in (serving / "nps").iterdir()) == ["1", "2", POINTER]


def test_a_version_is_never_overwritten(serving: Path) -> None:
    before = (serving / "nps/1/model.txt").read_bytes()
    with pytest.raises(
        EnvironmentFailed, match=r"nps/1 exists, and a version is never overwritten"
    ):
        write_bundle(the(serving, "churn"), serving / "nps/1")
    assert (serving / "nps/1/model.txt").read_bytes() == before


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    name=st.sampled_from([*FILES, "manifest.json", "pointer"]),
    where=st.floats(0, 1, exclude_max=True),
    mask=st.integers(1, 255),
)
def test_any_flipped_byte_is_refused(serving: Path, name: str, where: float, mask: int) -> None:
    path = serving / "nps" / (POINTER if name == "pointer" else f"1/{name}")
    before = path.read_bytes()
    content = bytearray(before)
    content[int(where * len(content))] ^= mask
    path.write_bytes(bytes(content))
    try:
        _refused_or_the_same(serving, name, bytes(content))
    finally:
        path.write_bytes(before)


def _refused_or_the_same(serving: Path, name: str, content: bytes) -> None:
    """Only blanks of the pointer may change without a change of its meaning."""
    try:
        load_champion(serving, "nps")
    except DataRefused:
        return
    assert name == "pointer"
    kept = json.loads((serving / "nps/1/manifest.json").read_text())
    assert json.loads(content)["version"] == kept["version"]


@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
@pytest.mark.parametrize("share", [0.0, 0.5, 0.999])
def test_a_truncated_file_is_refused(serving: Path, name: str, share: float) -> None:
    path = serving / "nps/1" / name
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(DataRefused, match=name.replace("manifest.json", "manifest")):
        load_champion(serving, "nps")
    with pytest.raises(DataRefused):
        read_bundle(serving / "nps/1")
    assert the(serving, "churn").version == "1"


@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
def test_a_missing_file_is_refused_by_name(serving: Path, name: str) -> None:
    (serving / "nps/1" / name).unlink()
    with pytest.raises(DataRefused, match=f"{name} cannot be read: FileNotFoundError"):
        load_champion(serving, "nps")


@pytest.mark.parametrize("name", ["model.txt", "golden.json"])
def test_a_file_with_a_matching_hash_must_still_make_sense(serving: Path, name: str) -> None:
    """Someone who edits a file and its hash still gets no wrong answer."""
    folder = serving / "nps/1"
    _rewrite(folder, name, (serving / "churn/1" / name).read_text(encoding="utf-8"))
    with pytest.raises(DataRefused):
        read_bundle(folder)


def test_an_encoder_in_another_order_is_refused(serving: Path) -> None:
    content = json.loads((serving / "nps/1/encoder.json").read_text())
    content["columns"] = [*content["columns"][1::-1], *content["columns"][2:]]
    _rewrite(serving / "nps/1", "encoder.json", json.dumps(content))
    with pytest.raises(DataRefused, match="name different columns"):
        read_bundle(serving / "nps/1")


def test_another_calibration_with_a_matching_hash_is_refused(serving: Path) -> None:
    wrong = Calibrator("binary", "platt", {"slope": [2.0], "shift": [0.1]})
    _rewrite(serving / "nps/1", "calibrator.json", wrong.to_json())
    with pytest.raises(DataRefused, match="golden rows"):
        read_bundle(serving / "nps/1")


@pytest.mark.parametrize(
    "garbage",
    [b"", b"{", b"[]", b"null", b'"1"', b"{}", b'{"version": "1"}', b'{"version": "9"}', b"\xff\xfe",
     b'{"version": "1", "manifest_sha256": "0000"}', b'{"version": null}',
     b'{"version": "../churn/1", "manifest_sha256": null}', b'{"version": "\\u0000"}',
     b"[" * 50_000],
)  # fmt: skip
def test_a_garbled_pointer_is_refused(serving: Path, garbage: bytes) -> None:
    (serving / "nps" / POINTER).write_bytes(garbage)
    with pytest.raises(DataRefused):
        load_champion(serving, "nps")


def test_the_pointer_of_another_target_is_refused(serving: Path) -> None:
    shutil.copy(serving / "churn" / POINTER, serving / "nps" / POINTER)
    with pytest.raises(DataRefused, match="manifest of version 1 has changed"):
        load_champion(serving, "nps")


def test_pointing_to_what_is_not_there_leaves_the_old_pointer(serving: Path) -> None:
    before = (serving / "nps" / POINTER).read_bytes()
    with pytest.raises(DataRefused, match="cannot be read"):
        set_champion(serving, "nps", "7")
    assert (serving / "nps" / POINTER).read_bytes() == before


def test_no_pointer_is_no_champion(serving: Path) -> None:
    (serving / "nps" / POINTER).unlink()
    assert load_champion(serving, "nps") is None


def test_other_answers_to_the_golden_rows_are_refused(serving: Path) -> None:
    good = the(serving, "nps")
    folder = write_bundle(good, serving / "nps" / "2")
    content = json.loads((folder / "golden.json").read_text())
    content["answers"][0][0] += 1e-6
    _rewrite(folder, "golden.json", json.dumps(content))
    with pytest.raises(DataRefused, match="golden rows are answered differently"):
        read_bundle(folder)


def _rewrite(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text, encoding="utf-8")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"][name] = hashlib.sha256(text.encode()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))
