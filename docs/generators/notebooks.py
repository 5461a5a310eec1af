"""Write the executed notebooks as pages of the site."""

import re
import shutil
from pathlib import Path

import nbformat
from nbconvert import MarkdownExporter
from notebook_runs import execute_notebooks

PAGES = Path(__file__).parents[2] / "docs" / "tutorial" / "notebooks"
#: Pictures with their alternative texts, which nbconvert leaves out of Markdown.
TEMPLATE = """{% extends 'markdown/index.md.j2' %}
{% block data_png %}
{% set file = output.metadata.filenames['image/png'] | path2url %}
![{{ output | get_metadata('alt', 'image/png') | in_brackets }}]({{ file }})
{% endblock data_png %}"""


def write_pages() -> None:
    """Write one Markdown page a notebook, with its tables and plots, below `docs/tutorial/notebooks`."""
    executed = execute_notebooks()
    shutil.rmtree(PAGES, ignore_errors=True)
    PAGES.mkdir(parents=True)
    for path in executed:
        _write_page(path)


def _write_page(executed: Path) -> None:
    name = executed.stem
    exporter = MarkdownExporter(raw_template=TEMPLATE, filters={"in_brackets": _in_brackets})
    text, resources = exporter.from_notebook_node(
        _with_files(nbformat.read(executed, as_version=4)),
        resources={"output_files_dir": f"{name}_files"},
    )
    for output, content in resources["outputs"].items():
        picture = PAGES / output
        picture.parent.mkdir(exist_ok=True)
        picture.write_bytes(content)
    (PAGES / f"{name}.md").write_text(_as_page(text), encoding="utf-8")


def _with_files(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The notebook with each picture once: as a file, not as HTML that holds it."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                output.data.pop("text/html", None)
    return notebook


def _in_brackets(text: str) -> str:
    """A text as the alternative text of a Markdown picture."""
    return re.sub(r"([\\`*_\[\]<>])", r"\\\1", " ".join(text.split()))


def _as_page(text: str) -> str:
    """Links to documents and notebooks as the site has them; no styles that would fight its own.

    Folded answers are HTML with Markdown inside.
    """
    text = text.replace("<details>", '<details markdown="1">')
    text = re.sub(r"\]\(\.\./docs/([^)]+)\)", r"](../../\1)", text)
    text = re.sub(r"\]\((\d\d_\w+)\.ipynb\)", r"](\1.md)", text)
    text = re.sub(r"<style scoped>.*?</style>\n?", "", text, flags=re.DOTALL)
    return re.sub(r"\x1b\[[0-9;]*m", "", text)
