"""The console's copies of the catalogues that translate stored messages."""

import json
from pathlib import Path

from insight.business_report.translations import load_catalogue

FOLDER = Path(__file__).parents[2] / "src/serve/console"
LANGUAGES = ("en", "zh")


def render() -> dict[str, str]:
    """Every copy by file name: pairs of a message's pattern and its translation."""
    return {f"messages_{language}.js": _module(f"messages_{language}") for language in LANGUAGES}


def write_console_messages() -> None:
    """Write the copies below `src/serve/console`."""
    for name, text in render().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


def _module(catalogue: str) -> str:
    pairs = load_catalogue(catalogue)["message"].items()
    rows = "".join(f"  {json.dumps(pair, ensure_ascii=False)},\n" for pair in pairs)
    source = f"insight/business_report/locale/{catalogue}.toml"
    return (
        f"// Generated from {source}: stored messages and their translation.\n\n"
        f"export const MESSAGES = [\n{rows}];\n"
    )
