"""Write the reference pages from the code they describe."""

from pathlib import Path

import commands
import company_file
import feature_list
import http_operations
import metric_list
import setting_list

FOLDER = Path(__file__).parents[1] / "reference"
PAGES = {
    "commands.md": commands.page,
    "company-file.md": company_file.page,
    "features.md": feature_list.page,
    "http-operations.md": http_operations.page,
    "metrics.md": metric_list.page,
    "settings.md": setting_list.page,
}
NOTICE = "<!-- Generated from the code by `make docs`; edit the code instead. -->\n\n"


def render() -> dict[str, str]:
    """Every generated page by file name."""
    return {name: NOTICE + page().rstrip() + "\n" for name, page in PAGES.items()}


def write_reference() -> None:
    """Write every generated page below `docs/reference`."""
    for name, text in render().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
