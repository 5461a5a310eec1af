"""The `[tables.<name>]` sections of a company's TOML file: sources, queries and column expressions."""

import codecs
from textwrap import shorten
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from features.config.toml_section import TomlSection, did_you_mean

#: In place of a column's name: every other column of the source becomes an attribute.
EVERY_COLUMN = "*"


class Correction(TomlSection):
    """A correction rule: in rows where `when` holds, `column` is set to `becomes`; both are SQL.

    They see the table's contract columns, with times in UTC, after all earlier corrections.
    """

    column: str
    when: str
    becomes: str


class CsvFormat(TomlSection):
    """The format of CSV files, where that is not UTF-8 with `"` around texts (doubled inside).

    `encoding` is any that Python knows, such as windows-1252 or gb18030.

    The delimiter is detected unless it is given. The first line after `skip_lines` names
    the columns. `decimal` and `thousands` are the marks in its numbers, which may then also carry the
    sign or code of a currency. `texts` are columns that stay as they are written, such as ids that
    look like decimal numbers.
    """

    delimiter: str | None = Field(default=None, min_length=1, max_length=4)
    quote: str = Field(default='"', max_length=1)
    escape: str = Field(default='"', max_length=1)
    encoding: str = "utf-8"
    skip_lines: int = Field(default=0, ge=0)
    decimal: Literal[".", ","] | None = None
    thousands: Literal[".", ",", " ", "'"] | None = None
    texts: tuple[str, ...] = ()

    @field_validator("encoding")
    @classmethod
    def _check_encoding(cls, value: str) -> str:
        try:
            codecs.lookup(value)
        except LookupError:
            raise ValueError(
                f"{value!r} is no encoding that Python knows, such as utf-8, windows-1252 or gb18030"
            ) from None
        return value

    @model_validator(mode="after")
    def _check_number_format(self) -> "CsvFormat":
        if self.decimal and self.decimal == self.thousands:
            raise ValueError(
                f'decimal and thousands are both "{self.decimal}"; one mark cannot be both'
            )
        return self


class TableMapping(TomlSection):
    """Where one contract table comes from, and an SQL expression for each of its columns.

    SQL sees `source` (all `files`, or the query or table `postgres` names), or each of `sources` and
    `postgres` by its name; `query` may join and reshape them first. `constant` lists customer
    columns that never change, the only ones that may be used without a `valid_from`. `columns = "*"`
    (customers), or the line `"*" = "*"` among other columns, makes an attribute of every column that no
    expression names and `except` does not list (`features.ingest.every_column`). `drop` holds
    named rules: rows for which the SQL condition holds are removed and counted under the rule's name.
    `correct` holds named rules that change values, and `duplicates = "remove"` keeps one of several
    rows that are equal in every contract column; both run after the mapping and before validation,
    and are counted in the row audit. `daily` (true, or names of sources) promises that files are
    written once, such as one a day, and that the query computes a file's rows from that file alone:
    imports then read only the new files. A source without any row stops an import unless
    `may_be_empty` names it. `formats` holds the CSV format of single sources, where it is not `csv`.
    A sheet of a workbook is written behind its file: "book.xlsx#Orders".
    """

    files: str | list[str] | None = None
    sources: dict[str, str | list[str]] = Field(default_factory=dict)
    postgres: str | dict[str, str] = Field(default_factory=dict)
    csv: CsvFormat = CsvFormat()
    formats: dict[str, CsvFormat] = Field(default_factory=dict)
    query: str | None = None
    columns: dict[str, str]
    left_out: list[str] = Field(default_factory=list, alias="except")
    constant: list[str] = Field(default_factory=list)
    drop: dict[str, str] = Field(default_factory=dict)
    correct: dict[str, Correction] = Field(default_factory=dict)
    duplicates: Literal["keep", "remove"] = "keep"
    daily: bool | list[str] = False
    may_be_empty: list[str] = Field(default_factory=list)

    @field_validator("columns", mode="before")
    @classmethod
    def _spell_star(cls, columns: Any) -> Any:
        return {EVERY_COLUMN: EVERY_COLUMN} if columns == EVERY_COLUMN else columns

    @model_validator(mode="after")
    def _check_every_column(self) -> "TableMapping":
        given = self.columns.get(EVERY_COLUMN, EVERY_COLUMN)
        if given != EVERY_COLUMN:
            raise ValueError(f'columns: "*" = {given!r} is not a mapping; write "*" = "*"')
        if self.left_out and not self.has_every_column:
            raise ValueError('except lists columns that columns = "*" leaves out; there is no "*"')
        return self

    @property
    def has_every_column(self) -> bool:
        """Whether every column of the source is mapped, also those without a line."""
        return EVERY_COLUMN in self.columns

    @model_validator(mode="after")
    def _check_sources(self) -> "TableMapping":
        named = [*self.sources, *(self.postgres if isinstance(self.postgres, dict) else ())]
        given = [*self.file_sources.values(), *self.queries.values()]
        if bool(self.files) + isinstance(self.postgres, str) + bool(named) != 1 or not all(given):
            raise ValueError(
                "give either files or sources, and at least one file; or postgres, alone or together "
                "with sources"
            )
        if named and not self.query:
            raise ValueError("named sources need a query that combines them")
        if len(named) != len(set(named)):
            raise ValueError("a name occurs under both sources and postgres; rename one of them")
        return self

    @property
    def file_sources(self) -> dict[str, str | list[str]]:
        """The file patterns of each source that is read from files, by the name SQL sees."""
        return self.sources if self.files is None else {"source": self.files}

    @property
    def daily_sources(self) -> tuple[str, ...]:
        """The sources whose files are written once, by the name SQL sees."""
        if isinstance(self.daily, list):
            return tuple(self.daily)
        return tuple(self.file_sources) if self.daily else ()

    def format_of(self, source: str) -> CsvFormat:
        """The CSV format of one source."""
        return self.formats.get(source, self.csv)

    def with_files(self, files: dict[str, list[str]]) -> "TableMapping":
        """The same mapping with these files in place of those of its daily sources."""
        if self.files is not None:
            return self.model_copy(update={"files": files["source"]})
        return self.model_copy(update={"sources": {**self.sources, **files}})

    @property
    def queries(self) -> dict[str, str]:
        """The query or table of each source that is read from PostgreSQL, by the name SQL sees."""
        return {"source": self.postgres} if isinstance(self.postgres, str) else self.postgres

    @property
    def origins(self) -> dict[str, str]:
        """A description of where each source comes from, by the name SQL sees."""
        files = {n: [f] if isinstance(f, str) else f for n, f in self.file_sources.items()}
        queries = {n: " ".join(query.split()) for n, query in self.queries.items()}
        return {
            **{name: ", ".join(patterns) for name, patterns in files.items()},
            **{name: f"PostgreSQL: {shorten(query, 60)}" for name, query in queries.items()},
        }

    @property
    def read_rules(self) -> dict[str, str]:
        """How the row audit names the reading of each source, by the name SQL sees."""
        if self.query is None:
            return self.origins
        return {name: f"{name}: {origin}" for name, origin in self.origins.items()}

    @model_validator(mode="after")
    def _check_daily(self) -> "TableMapping":
        for name in self.daily_sources:
            if name not in self.file_sources:
                hint = did_you_mean(name, list(self.file_sources))
                raise ValueError(f"daily: {name} is not a source of files{hint}")
        if self.daily and (self.duplicates == "remove" or self.postgres):
            raise ValueError(
                'daily cannot be combined with duplicates = "remove", which has to read all files, '
                "nor with postgres, which has no files"
            )
        return self

    @model_validator(mode="after")
    def _check_source_names(self) -> "TableMapping":
        for key, names in (("may_be_empty", self.may_be_empty), ("formats", self.formats)):
            for name in names:
                if name not in self.origins:
                    hint = did_you_mean(name, list(self.origins))
                    raise ValueError(f"{key}: {name} is not a source{hint}")
        return self

    @model_validator(mode="after")
    def _check_corrections(self) -> "TableMapping":
        for name, rule in self.correct.items():
            if rule.column not in self.columns and not self.has_every_column:
                hint = did_you_mean(rule.column, list(self.columns))
                raise ValueError(f"correct.{name}: {rule.column} is not a mapped column{hint}")
        return self
