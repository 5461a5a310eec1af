"""Parse LightGBM's text format: check that a text is intact, and read its trees as arrays.

LightGBM aborts the process (SIGABRT, no exception) on a truncated text and reads outside its memory on
a corrupted one, so every length and every index is checked here before LightGBM sees the text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.errors import DataRefused

Fields = dict[str, str]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Bits of LightGBM's decision_type: a split by categories; missing goes left; NaN is missing.
CATEGORICAL, DEFAULT_LEFT, NAN_IS_MISSING = 1, 2, 8

REQUIRED = (
    "split_feature",
    "threshold",
    "decision_type",
    "left_child",
    "right_child",
    "leaf_value",
)
LENGTHS = {
    **dict.fromkeys(REQUIRED[:-1], -1),
    **dict.fromkeys(("split_gain", "internal_value", "internal_weight", "internal_count"), -1),
    **dict.fromkeys(("leaf_value", "leaf_weight", "leaf_count"), 0),
}
"""Length of a tree's arrays when it has splits, relative to its number of leaves."""

NUMBERS = re.compile(r"(?:(?:[-+]?\d+(?:\.\d*)?(?:e[-+]?\d+)?|-?inf|-?nan)(?: (?=\S)|$))*")


@dataclass(frozen=True)
class Tree:
    """One tree: arrays over its splits, and over its leaves.

    `left` and `right` hold the index of a split, or `-1 - leaf`. `kind` is LightGBM's decision_type;
    `codes` maps a categorical split to the category codes that go left. Counts are numbers of training
    rows. A tree with a single leaf has no splits.
    """

    column: Ints
    threshold: Floats
    kind: Ints
    left: Ints
    right: Ints
    split_count: Floats
    leaf_value: Floats
    leaf_count: Floats
    codes: dict[int, Ints]

    @property
    def average(self) -> float:
        """The mean leaf value over the training rows."""
        if not len(self.column):
            return float(self.leaf_value[0])
        return float(self.leaf_value @ self.leaf_count / self.split_count[0])


@dataclass(frozen=True)
class Forest:
    """The trees of each class; a binary model and a regression have one class."""

    classes: tuple[tuple[Tree, ...], ...]

    @classmethod
    def from_text(cls, text: str) -> "Forest":
        """Read the trees of a model text that `check_model_text` has accepted."""
        header, blocks = parse_model_text(text)
        width = _whole(header, "num_tree_per_iteration")
        trees = [_read_tree(block) for block in blocks]
        return cls(tuple(tuple(trees[k::width]) for k in range(width)))

    def thresholds(self, column: int) -> Floats:
        """The values at which any tree splits a numeric column, ascending."""
        return np.unique(np.concatenate([t.threshold[t.column == column] for t in self]))

    def __iter__(self) -> Iterator[Tree]:
        return (tree for trees in self.classes for tree in trees)


def parse_model_text(text: str) -> tuple[Fields, list[Fields]]:
    """Split a model text into the name=value fields of its header and of each of its trees.

    Raises DataRefused when the text is cut off or its parts are not where the header says.
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
    blocks = _tree_blocks(body[len(head) :] + b"\n", header)
    return header, [_fields(block.decode(errors="replace")) for block in blocks]


def check_model_text(text: str, columns: int) -> Fields:
    """Check that a model text is intact and reads this many columns; return its header.

    Raises DataRefused with what is broken.
    """
    header, trees = parse_model_text(text)
    features = _whole(header, "max_feature_idx") + 1
    if features != columns:
        raise DataRefused(
            f"the model text reads {features} columns and encoder.json has {columns}; "
            "they should come from the same version"
        )
    per_round = _whole(header, "num_tree_per_iteration")
    if per_round != _whole(header, "num_class") or len(trees) % max(per_round, 1):
        raise DataRefused(
            f"the model text has {len(trees)} trees, {per_round} per round, for "
            f"{header['num_class']} outputs; it should hold whole rounds"
        )
    for number, tree in enumerate(trees):
        _check_tree(number, tree, columns)
    return header


def objective_of(text: str) -> str:
    """The objective a model was trained for, with its parameters ("binary sigmoid:1")."""
    return text.partition("\nobjective=")[2].partition("\n")[0]


def _fields(text: str) -> Fields:
    fields = {}
    for line in text.rstrip("\n").split("\n")[1:]:
        name, equals, value = line.partition("=")
        if not equals:
            raise DataRefused(f"the model text has a line {line[:40]!r}, which is not name=value")
        fields[name] = value
    return fields


def _whole(fields: Fields, name: str) -> int:
    value = fields.get(name, "")
    if not re.fullmatch(r"\d{1,9}", value):
        raise DataRefused(f"the model text's {name} is {value!r}; it should be a whole number")
    return int(value)


def _tree_blocks(body: bytes, header: Fields) -> list[bytes]:
    """Cut the trees apart at the sizes in the header; each must start where the last one ends."""
    written = header.get("tree_sizes", "")
    if not re.fullmatch(r"\d{1,12}(?: \d{1,12})*", written):
        raise DataRefused(
            f"the model text's tree_sizes are {written[:40]!r}; they should be numbers"
        )
    sizes = [int(size) for size in written.split(" ")]
    body = body.removeprefix(b"\n")
    if sum(sizes) != len(body):
        raise DataRefused(
            f"the model text holds {len(body)} bytes of trees and its header says {sum(sizes)}: "
            "it is cut off or was changed"
        )
    blocks, start = [], 0
    for number, size in enumerate(sizes):
        blocks.append(body[start : start + size])
        start += size
        if not blocks[-1].startswith(b"Tree=%d\n" % number):
            raise DataRefused(f"the model text has no tree {number} where its header says")
    return blocks


def _read_tree(fields: Fields) -> Tree:
    kind, threshold = _integers(fields, "decision_type"), _floats(fields, "threshold")
    bounds, words = _integers(fields, "cat_boundaries"), _integers(fields, "cat_threshold")
    codes = {
        int(split): _bit_members(words[bounds[number] : bounds[number + 1]])
        for split in np.flatnonzero(kind & CATEGORICAL)
        for number in [int(threshold[split])]
    }
    return Tree(
        _integers(fields, "split_feature"),
        threshold,
        kind,
        _integers(fields, "left_child"),
        _integers(fields, "right_child"),
        _floats(fields, "internal_count"),
        _floats(fields, "leaf_value"),
        _floats(fields, "leaf_count"),
        codes,
    )


def _bit_members(words: Ints) -> Ints:
    """The members of a set stored as 32 bits per word."""
    return np.flatnonzero(((words[:, None] >> np.arange(32)) & 1).ravel())


def _integers(fields: Fields, name: str) -> Ints:
    return np.array(fields.get(name, "").split(), dtype=np.int64)


def _floats(fields: Fields, name: str) -> Floats:
    return np.array(fields.get(name, "").split(), dtype=np.float64)


def _check_tree(number: int, tree: Fields, columns: int) -> None:
    leaves = _whole(tree, "num_leaves")
    for name, value in tree.items():
        if not NUMBERS.fullmatch(value):
            raise DataRefused(
                f"tree {number} of the model text: {name} holds something other than numbers"
            )
    if leaves <= 1:
        _check_length(number, "leaf_value", len(tree.get("leaf_value", "").split()), 1)
        return
    for name, fewer in LENGTHS.items():
        if name in REQUIRED or name in tree:
            _check_length(number, name, len(tree.get(name, "").split()), leaves + fewer)
    used = _checked_integers(number, tree, "split_feature")
    children = np.append(
        _checked_integers(number, tree, "left_child"),
        _checked_integers(number, tree, "right_child"),
    )
    inside = used.min() >= 0 and used.max() < columns
    # Every split but the root, and every leaf (stored as -1 - leaf), has exactly one parent.
    once = np.array_equal(np.sort(children), np.delete(np.arange(-leaves, leaves - 1), leaves))
    if not inside or not once:
        raise DataRefused(f"tree {number} of the model text points outside itself: it is corrupted")
    _check_categories(number, tree)


def _check_categories(number: int, tree: Fields) -> None:
    splits = _whole(tree, "num_cat")
    categorical = (_checked_integers(number, tree, "decision_type") & CATEGORICAL).astype(bool)
    _check_length(number, "categorical splits", int(categorical.sum()), splits)
    if splits:
        bounds = _checked_integers(number, tree, "cat_boundaries")
        _check_length(number, "cat_boundaries", len(bounds), splits + 1)
        _check_length(
            number, "cat_threshold", len(tree.get("cat_threshold", "").split()), bounds[-1]
        )
        places = np.array(tree["threshold"].split())[categorical].astype(float)
        if (np.diff(bounds, prepend=0) < 0).any() or not np.isin(places, np.arange(splits)).all():
            raise DataRefused(f"tree {number} of the model text has corrupted categories")


def _checked_integers(number: int, tree: Fields, name: str) -> Ints:
    try:
        return _integers(tree, name)
    except (ValueError, OverflowError) as error:
        raise DataRefused(
            f"tree {number} of the model text has a {name} that is not whole numbers: {error}"
        ) from error


def _check_length(number: int, name: str, found: int, needed: int) -> None:
    if found != needed:
        raise DataRefused(
            f"tree {number} of the model text has {found} {name}; it should have {needed}: "
            "it is corrupted"
        )
