"""What a program can reach by its imports: modules of ours, their data, and installed packages."""

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
    """Modules by name with their files, data files beside them, and import names of packages."""

    modules: dict[str, Path] = field(default_factory=dict)
    data: list[Path] = field(default_factory=list)
    packages: set[str] = field(default_factory=set)


def trace_imports(sources: Path, start: Iterable[str]) -> ReachableCode:
    """Follow every import statement from the modules in `start`, those inside functions too."""
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
    """The lines of `lock` for these packages (by import name) and everything they need.

    Raises ConfigRefused for one that is not installed or not in the lock.
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
    """The distributions and what they require here, without their extras unless asked for."""
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
    place = sources.joinpath(*name.split("."))
    files = (place.with_suffix(".py"), place / "__init__.py")
    return next((file for file in files if file.is_file()), None)


def _imports(path: Path) -> Iterator[str]:
    """Names imported; of `from x import y` both x and x.y, as y may be a module."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _data(sources: Path, modules: Iterable[str]) -> list[Path]:
    """Everything that is no code in the packages reached: word lists, pages."""
    packages = sorted({name.split(".")[0] for name in modules})
    files = [path for package in packages for path in sorted((sources / package).rglob("*"))]
    return [f for f in files if f.is_file() and f.suffix not in _CODE]
