"""Execute the notebooks on the sample company and write them as pages of the site."""

import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).parents[2]
NOTEBOOKS = PROJECT / "notebooks"
PAGES = PROJECT / "docs" / "tutorial" / "notebooks"
CUSTOMERS = 1500


def write_pages() -> None:
    """Write one Markdown page a notebook, with its tables and plots, below `docs/tutorial/notebooks`."""
    shutil.rmtree(PAGES, ignore_errors=True)
    PAGES.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as folder:
        _prepare(Path(folder))
        for source in sorted(NOTEBOOKS.glob("[0-9]*.py")):
            print(f"  {source.stem}", file=sys.stderr, flush=True)
            _write_page(source)


def _prepare(home: Path) -> None:
    """A workspace of its own: a company in the user's folder never appears in the documents."""
    (home / "data").mkdir()
    for name in ("sample.toml", "complete_journey.toml"):
        shutil.copy(PROJECT / "data" / name, home / "data")
    os.environ.update(
        GOODWILL_HOME=str(home),
        GOODWILL_COMPANY="data/sample.toml",
        CUSTOMERS=str(CUSTOMERS),
        MPLCONFIGDIR=str(home / "matplotlib"),
        IPYTHONDIR=str(home / "ipython"),
        PYTHONPATH=str(PROJECT / "src"),
    )


def _write_page(source: Path) -> None:
    import jupytext
    from nbclient import NotebookClient
    from nbconvert import MarkdownExporter

    notebook = jupytext.read(source)
    place = {"metadata": {"path": str(NOTEBOOKS)}}
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources=place).execute()
    text, resources = MarkdownExporter().from_notebook_node(
        notebook, resources={"output_files_dir": f"{source.stem}_files"}
    )
    for name, content in resources["outputs"].items():
        picture = PAGES / name
        picture.parent.mkdir(exist_ok=True)
        picture.write_bytes(content)
    (PAGES / f"{source.stem}.md").write_text(_as_page(text), encoding="utf-8")


def _as_page(text: str) -> str:
    """Links to documents and notebooks as the site has them; no styles that would fight its own."""
    text = re.sub(r"\]\(\.\./docs/([^)]+)\)", r"](../../\1)", text)
    text = re.sub(r"\]\((\d\d_\w+)\.ipynb\)", r"](\1.md)", text)
    text = re.sub(r"<style scoped>.*?</style>\n?", "", text, flags=re.DOTALL)
    return re.sub(r"\x1b\[[0-9;]*m", "", text)
