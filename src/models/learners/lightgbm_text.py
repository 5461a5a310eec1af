"""Whether a stored model text is whole, found out before anything native reads it.

LightGBM ends the process (SIGABRT, no exception) on a truncated text and reads outside its memory
on a garbled one, so every length and every index is checked here first.
"""

import re

import numpy as np

from features.errors import DataRefused

NEEDED = ("split_feature", "threshold", "decision_type", "left_child", "right_child", "leaf_value")
LENGTHS = {
    **dict.fromkeys(NEEDED[:-1], -1),
    **dict.fromkeys(("split_gain", "internal_value", "internal_weight", "internal_count"), -1),
    **dict.fromkeys(("leaf_value", "leaf_weight", "leaf_count"), 0),
}
"""Length of the arrays of a tree with splits, counted from the number of its leaves."""

NUMBERS = re.compile(r"(?:(?:[-+]?\d+(?:\.\d*)?(?:e[-+]?\d+)?|-?inf|-?nan)(?: (?=\S)|$))*")


def check_model_text(text: str, columns: int) -> dict[str, str]:
    """The header of a LightGBM model text that is whole and fits that many columns.

    Raises DataRefused saying what is broken.
    """
    if not text.startswith("tree\n"):
        raise DataRefused(f"a model text should start with 'tree', not with {text[:20]!r}")
    data = text.encode()
    body, end, _ = data.partition(b"\nend of trees\n")
    if not end:
        raise DataRefused(
            f"the model text of {len(data)} bytes has no line 'end of trees': it is cut off"
        )
    head, _, _ = body.partition(b"\nTree=")
    header = _fields(head.decode(errors="replace"))
    trees = _trees(body[len(head) :] + b"\n", header)
    features = _whole(header, "max_feature_idx") + 1
    if features != columns:
        raise DataRefused(
            f"the model text reads {features} columns and encoder.json has {columns}; "
            "they should come from the same version"
        )
    per_round = _whole(header, "num_tree_per_iteration")
    if per_round != _whole(header, "num_class") or len(trees) % max(per_round, 1):
        raise DataRefused(
            f"the model text has {len(trees)} trees, {per_round} a round, for "
            f"{header['num_class']} outputs; whole rounds are needed"
        )
    for number, tree in enumerate(trees):
        _check_tree(number, _fields(tree.decode(errors="replace")), columns)
    return header


def _fields(text: str) -> dict[str, str]:
    fields = {}
    for line in text.rstrip("\n").split("\n")[1:]:
        name, equals, value = line.partition("=")
        if not equals:
            raise DataRefused(f"the model text has a line {line[:40]!r}, which is not name=value")
        fields[name] = value
    return fields


def _whole(fields: dict[str, str], name: str) -> int:
    value = fields.get(name, "")
    if not re.fullmatch(r"\d{1,9}", value):
        raise DataRefused(f"the model text's {name} is {value!r}; a whole number is needed")
    return int(value)


def _trees(body: bytes, header: dict[str, str]) -> list[bytes]:
    """The trees, cut at the sizes the header gives; each must start where the last one ends."""
    written = header.get("tree_sizes", "")
    if not re.fullmatch(r"\d{1,12}(?: \d{1,12})*", written):
        raise DataRefused(f"the model text's tree_sizes are {written[:40]!r}; sizes are needed")
    sizes = [int(size) for size in written.split(" ")]
    body = body.removeprefix(b"\n")
    if sum(sizes) != len(body):
        raise DataRefused(
            f"the model text holds {len(body)} bytes of trees and its header says {sum(sizes)}: "
            "it is cut off or was changed"
        )
    trees, start = [], 0
    for number, size in enumerate(sizes):
        trees.append(body[start : start + size])
        start += size
        if not trees[-1].startswith(b"Tree=%d\n" % number):
            raise DataRefused(f"the model text has no tree {number} where its header says")
    return trees


def _check_tree(number: int, tree: dict[str, str], columns: int) -> None:
    leaves = _whole(tree, "num_leaves")
    for name, value in tree.items():
        if not NUMBERS.fullmatch(value):
            raise DataRefused(f"tree {number} of the model text: {name} holds other than numbers")
    if leaves <= 1:
        _expect(number, "leaf_value", len(tree.get("leaf_value", "").split()), 1)
        return
    for name, fewer in LENGTHS.items():
        if name in NEEDED or name in tree:
            _expect(number, name, len(tree.get(name, "").split()), leaves + fewer)
    used = _array(number, tree, "split_feature")
    children = np.append(_array(number, tree, "left_child"), _array(number, tree, "right_child"))
    inside = used.min() >= 0 and used.max() < columns
    # Every inner node but the root, and every leaf (stored as -1 - leaf), hangs below one parent.
    once = np.array_equal(np.sort(children), np.delete(np.arange(-leaves, leaves - 1), leaves))
    if not inside or not once:
        raise DataRefused(f"tree {number} of the model text points outside itself: it is garbled")
    _check_categories(number, tree)


def _check_categories(number: int, tree: dict[str, str]) -> None:
    splits = _whole(tree, "num_cat")
    categorical = (_array(number, tree, "decision_type") & 1).astype(bool)
    _expect(number, "categorical splits", int(categorical.sum()), splits)
    if splits:
        bounds = _array(number, tree, "cat_boundaries")
        _expect(number, "cat_boundaries", len(bounds), splits + 1)
        _expect(number, "cat_threshold", len(tree.get("cat_threshold", "").split()), bounds[-1])
        places = np.array(tree["threshold"].split())[categorical].astype(float)
        if (np.diff(bounds, prepend=0) < 0).any() or not np.isin(places, np.arange(splits)).all():
            raise DataRefused(f"tree {number} of the model text has garbled categories")


def _array(number: int, tree: dict[str, str], name: str) -> np.ndarray:
    try:
        return np.array(tree.get(name, "").split(), dtype=np.int64)
    except (ValueError, OverflowError) as error:
        raise DataRefused(
            f"tree {number} of the model text has a {name} that is not whole numbers: {error}"
        ) from error


def _expect(number: int, name: str, found: int, needed: int) -> None:
    if found != needed:
        raise DataRefused(
            f"tree {number} of the model text has {found} {name}, {needed} are needed: "
            "it is garbled"
        )
