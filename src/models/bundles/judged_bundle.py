"""The judged model of a version: what was tested before the version was refitted on all labels.

It lies in the folder `judged` of the version's bundle, as a bundle of its own. Only it can be compared
with outcomes that were there at training: the refitted model has learnt them.
"""

from pathlib import Path

from models.bundles.bundle import Bundle, read_bundle, write_bundle

FOLDER = "judged"


def write_judged(bundle: Bundle, folder: Path) -> Path:
    """Write the judged model into the folder of its version's bundle; returns its folder."""
    return write_bundle(bundle, folder / FOLDER)


def read_judged(serving: Path, bundle: Bundle) -> Bundle:
    """Read the judged model of a version; an older version was judged itself.

    Raises DataRefused when it is broken.
    """
    folder = serving / bundle.target / bundle.version / FOLDER
    return read_bundle(folder) if (folder / "manifest.json").is_file() else bundle
