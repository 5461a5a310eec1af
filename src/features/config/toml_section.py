"""The base of every section of a company's TOML file, and the hint for a misspelt key."""

import difflib

from pydantic import BaseModel, ConfigDict


class TomlSection(BaseModel):
    """A section of a TOML file; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def did_you_mean(word: str, known: list[str]) -> str:
    """Return `; did you mean ...? known: ...`, the end of a message about a misspelt word."""
    close = difflib.get_close_matches(word, known, n=2)
    hint = f"; did you mean {' or '.join(close)}?" if close else ";"
    return f"{hint} known: {', '.join(known)}"
