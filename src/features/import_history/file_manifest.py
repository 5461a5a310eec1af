"""The manifest of a history's source files: which files are new, changed or gone since the last import.

A file is unchanged when its size and modification time are; where only the time differs (a copy, a
restore), its hash decides. The manifest is stored in the history's folder and replaced with it.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from features.config.company import Company
from features.errors import DataRefused
from features.ingest.files import find_files
from features.settings import Workspace

#: The name of the manifest in the folder of a history.
MANIFEST_FILE = "files.json"
CHUNK = 1 << 20


@dataclass(frozen=True)
class FileStamp:
    """The state of a file when it was read: bytes, modification time in nanoseconds, SHA-256."""

    size: int
    changed_ns: int
    sha256: str


#: (table, source, path relative to the company's root or absolute).
FileKey = tuple[str, str, str]
FileStamps = Mapping[FileKey, FileStamp]


@dataclass(frozen=True)
class FileChanges:
    """The files of a company compared with those of its last import; each list is sorted.

    Only when no file is changed or gone may an import read the `new` files alone.
    """

    new: tuple[FileKey, ...]
    changed: tuple[FileKey, ...]
    gone: tuple[FileKey, ...]
    same: tuple[FileKey, ...]

    @classmethod
    def compare(cls, recorded: FileStamps, found: FileStamps) -> "FileChanges":
        """Compare the files that are found now with the recorded ones."""
        both = recorded.keys() & found.keys()
        changed = {k for k in both if recorded[k].sha256 != found[k].sha256}
        return cls(
            new=tuple(sorted(found.keys() - recorded.keys())),
            changed=tuple(sorted(changed)),
            gone=tuple(sorted(recorded.keys() - found.keys())),
            same=tuple(sorted(both - changed)),
        )

    @property
    def only_new(self) -> bool:
        """Whether every file of the last import is still there and unchanged."""
        return not self.changed and not self.gone

    def full_import_reason(self) -> str:
        """Why reading the new files alone is not enough; empty when it is."""
        reasons = [
            f"{len(keys)} {what}, first {keys[0][2]}"
            for what, keys in (("changed", self.changed), ("gone", self.gone))
            if keys
        ]
        return "; ".join(reasons)

    def new_files(self, table: str, source: str) -> list[str]:
        """The new files of one source of a table, in the order of their paths."""
        return [path for t, s, path in self.new if (t, s) == (table, source)]


def stamp_files(
    company: Company, workspace: Workspace, recorded: FileStamps | None = None
) -> FileStamps:
    """Stamp every file that the company's tables read now; raises DataRefused where one is missing.

    A file whose size and time are those `recorded` is not read again.
    """
    root, known = company.root(workspace), recorded or {}
    stamps: dict[FileKey, FileStamp] = {}
    for table, mapping in company.tables.items():
        for source, patterns in mapping.file_sources.items():
            given = [patterns] if isinstance(patterns, str) else patterns
            for path in find_files(company, table, root, given):
                key = (table, source, _path_key(path, root))
                stamps[key] = _stamp(path, known.get(key))
    return stamps


def _path_key(path: Path, root: Path) -> str:
    """The path relative to the root, so that moving the company's folder changes nothing."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()


def _stamp(path: Path, known: FileStamp | None) -> FileStamp:
    now = path.stat()
    if known and (known.size, known.changed_ns) == (now.st_size, now.st_mtime_ns):
        return known
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return FileStamp(now.st_size, now.st_mtime_ns, digest.hexdigest())


def write_file_manifest(stamps: FileStamps, folder: Path) -> None:
    """Write the stamps into the folder of the history that was read from these files."""
    lines = [{"key": list(key), **asdict(stamp)} for key, stamp in sorted(stamps.items())]
    (folder / MANIFEST_FILE).write_text(json.dumps(lines, indent=1), encoding="utf-8")


def read_file_manifest(folder: Path) -> FileStamps | None:
    """Read the stamps of the history in a folder; None where there is no manifest.

    Raises DataRefused for a manifest that cannot be read.
    """
    path = folder / MANIFEST_FILE
    if not path.is_file():
        return None
    try:
        lines: Iterable[dict[str, object]] = json.loads(path.read_text(encoding="utf-8"))
        return {_key(line.pop("key")): FileStamp(**line) for line in lines}  # type: ignore[arg-type]
    except (ValueError, TypeError, KeyError, AttributeError) as err:
        raise DataRefused(
            f"the file manifest {path} cannot be read ({err}); remove it, and the next import reads "
            "every file"
        ) from None


def _key(value: object) -> FileKey:
    table, source, path = map(str, value)  # type: ignore[call-overload]
    return table, source, path
