"""The generated reference pages say what the code says today."""

import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
REFERENCE = PROJECT / "docs/reference"


@pytest.fixture(scope="module")
def rendered() -> dict[str, str]:
    """Every generated page, rendered from the code of this checkout."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(PROJECT / "docs/generators")
        from reference import render

        yield render()
    for name in ("reference", "markdown"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    "page",
    [
        "commands.md",
        "company-file.md",
        "features.md",
        "http-operations.md",
        "metrics.md",
        "settings.md",
    ],
)
def test_a_page_is_not_stale(rendered: dict[str, str], page: str) -> None:
    kept = (REFERENCE / page).read_text(encoding="utf-8")
    assert rendered[page] == kept, "run `make docs` and commit the page"


def test_every_generated_page_is_checked(rendered: dict[str, str]) -> None:
    generated = [
        p.name for p in REFERENCE.glob("*.md") if "Generated from the code" in p.read_text()
    ]
    assert sorted(generated) == sorted(rendered)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_consoles_copy_of_a_catalogue_is_not_stale(
    monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    monkeypatch.syspath_prepend(PROJECT / "docs/generators")
    from console_messages import render

    name = f"messages_{language}.js"
    kept = (PROJECT / "src/serve/console" / name).read_text(encoding="utf-8")
    assert render()[name] == kept, "run `docs/generators reference` and commit the file"
