"""Which parts were taken up, kept or failed, told from what changed on disk."""

from serve.scoring.loaded_state import reload_results
from serve.scoring.loaded_state import PARTS

TARGET, OTHER = PARTS[0], PARTS[1]
NOTHING: tuple[object, ...] = (None,) * len(PARTS)


def stamp(**parts: int) -> tuple[object, ...]:
    return tuple(parts.get(part) for part in PARTS)


def test_nothing_changed_is_nothing_to_tell() -> None:
    same = stamp(**{TARGET: 1, "snapshot": 1})
    assert reload_results(same, same, {TARGET}, {TARGET}) == {}


def test_a_new_version_is_loaded_and_a_broken_one_keeps_the_old() -> None:
    before, after = stamp(**{TARGET: 1, OTHER: 1}), stamp(**{TARGET: 2, OTHER: 2})
    assert reload_results(before, after, {TARGET, OTHER}, {TARGET}) == {TARGET: "loaded", OTHER: "kept"}


def test_a_first_version_that_is_broken_has_failed() -> None:
    assert reload_results(NOTHING, stamp(**{TARGET: 1}), set(), set()) == {TARGET: "failed"}


def test_a_snapshot_that_appears_is_loaded_and_one_that_goes_is_kept() -> None:
    there = stamp(snapshot=1)
    assert reload_results(NOTHING, there, set(), {"snapshot"}) == {"snapshot": "loaded"}
    assert reload_results(there, NOTHING, {"snapshot"}, set()) == {"snapshot": "kept"}


def test_what_never_served_may_go_away() -> None:
    assert reload_results(stamp(**{TARGET: 1}), NOTHING, set(), set()) == {}
