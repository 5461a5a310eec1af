"""Copy the documents that live at the project's root into the site, with links that work there."""

import re
from pathlib import Path

PROJECT = Path(__file__).parents[2]
COPIED = {"CONTRIBUTING.md": "how-to/extend.md", "CHANGELOG.md": "reference/changelog.md"}


def write_copied_pages() -> None:
    """Write a page for each copied document; git ignores them."""
    for source, target in COPIED.items():
        text = (PROJECT / source).read_text(encoding="utf-8")
        (PROJECT / "docs" / target).write_text(_with_links_from(text, target), encoding="utf-8")


def _with_links_from(text: str, target: str) -> str:
    """Rewrite links, which start at the project's root, to start at the page."""
    up = "../" * target.count("/")
    return re.sub(r"\]\(docs/([^)]+)\)", rf"]({up}\1)", text)
