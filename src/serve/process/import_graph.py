"""Finds what a program imports: modules of ours, their data files, installed packages."""

import ast
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from features.errors import ConfigRefused

_CODE = {".py", ".pyc"}


@dataclass
class ReachableCode:
    """Modules with their files, data files of their packages, and names of other packages."""

    modules: dict[str, Path] = field(default_factory=dict)
    data: list[Path] = field(default_factory=list)
    packages: set[str] = field(default_factory=set)


def trace_imports(sources: Path, start: Iterable[str]) -> ReachableCode:
    """Follow all imports from the modules in `start`, including those inside functions."""
    found = ReachableCode()
    waiting = list(start)
    while waiting:
        name = waiting.pop()
        path = _file(sources, name)
        if path is None or name in found.modules:
            continue
        found.modules[name] = path
        waiting += [name.rpartition(".")[0]]
        for imported in _imports(path):
            if (sources / imported.split(".")[0]).is_dir():
                waiting.append(imported)
            else:
                found.packages.add(imported.split(".")[0])
    found.packages -= set(sys.stdlib_module_names)
    found.data = _data(sources, found.modules)
    return found


def pin_requirements(packages: Iterable[str], lock: str) -> list[str]:
    """Return the lines of `lock` for these packages (import names) and their dependencies.

    Raises ConfigRefused for a package that is not installed or not in the lock.
    """
    lines: dict[str, str] = {
        canonicalize_name(line.split("==")[0]): line for line in lock.split("\n") if line
    }
    installed = packages_distributions()
    unknown = sorted(set(packages) - set(installed))
    if unknown:
        raise ConfigRefused(f"not installed: {', '.join(unknown)}; run `make setup`")
    wanted = _closure({name for package in packages for name in installed[package]})
    unpinned = sorted(wanted - set(lines))
    if unpinned:
        raise ConfigRefused(f"not in requirements.lock: {', '.join(unpinned)}; pin them there")
    return [lines[name] for name in sorted(wanted)]


def _closure(names: Iterable[str]) -> set[str]:
    """Return the distributions with all their dependencies on this machine; extras if requested."""
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [Requirement(name) for name in names]
    while waiting:
        wanted = waiting.pop()
        key = canonicalize_name(wanted.name), frozenset(wanted.extras)
        if key in seen:
            continue
        seen.add(key)
        for line in distribution(wanted.name).requires or ():
            needed = Requirement(line)
            extras = ("", *wanted.extras)
            if not needed.marker or any(needed.marker.evaluate({"extra": e}) for e in extras):
                waiting.append(needed)
    return {name for name, _ in seen}


def _file(sources: Path, name: str) -> Path | None:
    if not name:
        return None
    path = sources.joinpath(*name.split("."))
    files = (path.with_suffix(".py"), path / "__init__.py")
    return next((file for file in files if file.is_file()), None)


def _imports(path: Path) -> Iterator[str]:
    """Yield the imported names; for `from x import y` both x and x.y, as y may be a module."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _data(sources: Path, modules: Iterable[str]) -> list[Path]:
    """Return the files of the packages that are not code, such as word lists and pages."""
    packages = sorted({name.split(".")[0] for name in modules})
    files = [path for package in packages for path in sorted((sources / package).rglob("*"))]
    return [f for f in files if f.is_file() and f.suffix not in _CODE]
