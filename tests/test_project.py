"""The project's own rules: what the documents say is so, and the house stays in order."""

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
SOURCES = sorted((PROJECT / "src").rglob("*.py"))
TARGETS = [
    "help",
    "setup",
    "demo",
    "data",
    "quality",
    "features",
    "leakage",
    "train",
    "retrain",
    "score",
    "report",
    "serve",
    "notebooks",
    "bento",
    "test",
    "check",
    "bench",
    "clean",
]


def text(path: str) -> str:
    return (PROJECT / path).read_text(encoding="utf-8")


def test_the_changelog_begins_with_the_packages_version() -> None:
    version = tomllib.loads(text("pyproject.toml"))["project"]["version"]
    newest = re.findall(
        r"^## \[([^\]]+)\] - \d{4}-\d{2}-\d{2}$", text("CHANGELOG.md"), re.MULTILINE
    )
    assert newest[0] == version


def test_make_help_names_every_target() -> None:
    shown = subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert [t for t in TARGETS if f"make {t} " not in shown.stdout] == []


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", "docs/decisions/README.md"])
def test_links_between_documents_lead_somewhere(document: str) -> None:
    folder = (PROJECT / document).parent
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text(document))
    assert links
    assert [link for link in links if not (folder / link).exists()] == []


def test_the_lock_pins_exactly_and_names_no_address() -> None:
    lines = [line for line in text("requirements.lock").splitlines() if line.strip()]
    assert [x for x in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[^\s;@/]+( ; .+)?", x)] == []


def test_every_dependency_is_in_the_lock() -> None:
    project = tomllib.loads(text("pyproject.toml"))["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    locks = text("requirements.lock") + text("requirements-spark.lock")  # pyspark: source only
    locked = {line.split("==")[0].lower() for line in locks.splitlines()}
    wanted = {re.split(r"[<>=]", spec)[0].lower() for group in groups for spec in group}
    assert {w.replace("_", "-") for w in wanted} - locked == set()


def test_ci_runs_the_tests_of_the_readme() -> None:
    assert "\nmake test" in text(".ci/run")
    assert "```\nmake test\n```" in text("README.md")


def test_no_file_collects_everything() -> None:
    drawers = {"utils.py", "common.py", "base.py", "helpers.py", "core.py", "misc.py"}
    assert [p.name for p in SOURCES if p.name in drawers] == []
    assert [(p.name, n) for p in SOURCES if (n := len(p.read_text().splitlines())) > 400] == []


def test_no_body_is_longer_than_a_screen() -> None:
    long = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                lines = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
                if lines > 40:
                    long.append((path.name, node.name, lines))
    assert long == []


def test_public_functions_say_what_they_do() -> None:
    silent = []
    for path in SOURCES:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            public = isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name[0] != "_"
            if public and not ast.get_docstring(node):
                silent.append((path.name, node.name))
    assert silent == []


@pytest.mark.parametrize(
    ("framework", "allowed"),
    [
        (
            "mlflow",
            {
                f"models/bundles/mlflow_{what}.py"
                for what in ("artifacts", "model", "registry", "runs")
            },
        ),
        ("bentoml", {"serve/service.py"}),
        ("lightgbm", {"models/learners/lightgbm.py"}),
        ("adbc_driver_postgresql", {"features/ingest/postgres.py"}),
        ("pyspark", {"features/execution/spark.py"}),
        ("starlette", None),
    ],
)
def test_a_framework_is_known_by_one_file_or_a_few_of_one_name(
    framework: str, allowed: set[str] | None
) -> None:
    pattern = re.compile(rf"^\s*(?:import|from) {framework}\b", re.MULTILINE)
    knowing = {
        str(p.relative_to(PROJECT / "src"))
        for p in SOURCES
        if pattern.search(p.read_text(encoding="utf-8"))
    }
    if allowed is None:
        assert {k.split("/")[0] for k in knowing} == {"serve"}
    else:
        assert knowing == allowed


def test_nothing_generated_is_in_git() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "data", "mlruns"], cwd=PROJECT, capture_output=True, text=True
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    kept = listed.stdout.split()
    assert [k for k in kept if not k.endswith((".toml", "README.md"))] == []
