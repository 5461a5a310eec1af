"""Write the executed notebooks as pages of the site."""

import re
import shutil
from pathlib import Path

import nbformat
from nbconvert import MarkdownExporter
from notebook_runs import execute_notebooks

PAGES = Path(__file__).parents[2] / "docs" / "tutorial" / "notebooks"


def write_pages() -> None:
    """Write one Markdown page a notebook, with its tables and plots, below `docs/tutorial/notebooks`."""
    executed = execute_notebooks()
    shutil.rmtree(PAGES, ignore_errors=True)
    PAGES.mkdir(parents=True)
    for path in executed:
        _write_page(path)


def _write_page(executed: Path) -> None:
    name = executed.stem
    text, resources = MarkdownExporter().from_notebook_node(
        nbformat.read(executed, as_version=4), resources={"output_files_dir": f"{name}_files"}
    )
    for output, content in resources["outputs"].items():
        picture = PAGES / output
        picture.parent.mkdir(exist_ok=True)
        picture.write_bytes(content)
    (PAGES / f"{name}.md").write_text(_as_page(text), encoding="utf-8")


def _as_page(text: str) -> str:
    """Links to documents and notebooks as the site has them; no styles that would fight its own."""
    text = re.sub(r"\]\(\.\./docs/([^)]+)\)", r"](../../\1)", text)
    text = re.sub(r"\]\((\d\d_\w+)\.ipynb\)", r"](\1.md)", text)
    text = re.sub(r"<style scoped>.*?</style>\n?", "", text, flags=re.DOTALL)
    return re.sub(r"\x1b\[[0-9;]*m", "", text)
