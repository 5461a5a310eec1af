"""Where one contract table of a company comes from and how it maps: a section of its TOML file."""

import difflib

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Strict(BaseModel):
    """A TOML section: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TableMapping(Strict):
    """Where one contract table comes from, and an SQL expression for each of its columns.

    SQL sees `source` (all `files`), or each of `sources` by its name; `query` may join and reshape
    them first. `constant` lists customer columns that never change, the only ones that may be
    used without a `valid_from`. `drop` names rules: rows for which the SQL condition holds are left
    out, and counted under the rule's name.
    """

    files: str | list[str] | None = None
    sources: dict[str, str | list[str]] = Field(default_factory=dict)
    query: str | None = None
    columns: dict[str, str]
    constant: list[str] = Field(default_factory=list)
    drop: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _says_where(self) -> "TableMapping":
        if (not self.files) == (not self.sources) or not all(self.sources.values()):
            raise ValueError("give either files or sources, and at least one file")
        if self.sources and not self.query:
            raise ValueError("several sources need a query that joins them")
        return self


def near(word: str, known: list[str]) -> str:
    """`; did you mean ...? known: ...`, for messages about a misspelt word."""
    close = difflib.get_close_matches(word, known, n=2)
    hint = f"; did you mean {' or '.join(close)}?" if close else ";"
    return f"{hint} known: {', '.join(known)}"
