"""How texts become numbers: the decimal mark and the thousands separator that a file declares.

Without a declaration a number has a dot before its decimals and nothing between its digits. A column in
which that dot may also be a thousands separator (980, 1.234) is refused: both readings are plausible.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from features.config.table_mapping import CsvFormat
from features.ingest.sql import quote_identifier, quote_literal

#: The characters that a separator stands for: a blank may be one that does not break a line.
_SEPARATORS = {".": "[.]", ",": ",", " ": r"[ \x{00a0}\x{202f}]", "'": "['\u2019]"}
#: A sign or code of a currency before or after a number.
_CURRENCY = r"(?:\p{Sc}|R\$|[A-Z]{3})?"
#: Numbers whose dot may stand before decimals or between thousands.
_EITHER = r"-?[1-9]\d{0,2}([.]\d{3})?"


@dataclass(frozen=True)
class NumberFormat:
    """The decimal mark and the thousands separator of a file, None where it has none."""

    decimal: str
    thousands: str | None

    @classmethod
    def of(cls, form: CsvFormat) -> "NumberFormat | None":
        """The declared format of a file; None where it declares none."""
        if form.decimal is None and form.thousands is None:
            return None
        decimal = form.decimal or ("," if form.thousands == "." else ".")
        return cls(decimal, form.thousands)

    def fits_sql(self, text: str) -> str:
        """SQL: whether a text is a number of this format, with or without a currency."""
        groups = f"\\d{{1,3}}(?:{_SEPARATORS[self.thousands]}\\d{{3}})+|" if self.thousands else ""
        number = f"-?(?:{groups}\\d{{1,15}})(?:{_SEPARATORS[self.decimal]}\\d+)?"
        pattern = f"-?{_CURRENCY}[ \\x{{00a0}}]?{number}[ \\x{{00a0}}]?{_CURRENCY}"
        return f"regexp_full_match({text}, {quote_literal(pattern)})"

    def plain_sql(self, text: str) -> str:
        """SQL of the number as the database writes it: digits, a minus, a dot before decimals."""
        kept = f"regexp_replace({text}, '[^0-9{self.decimal}-]', '', 'g')"
        return f"replace({kept}, '{self.decimal}', '.')"


@dataclass(frozen=True)
class AmbiguousNumbers:
    """A column whose dots may stand before decimals or between thousands, with two of its texts."""

    column: str
    with_dot: str
    without: str | None

    def __str__(self) -> str:
        beside = f" beside {self.without!r}" if self.without else " and others like it"
        whole = self.with_dot.replace(".", "")
        return (
            f"column {self.column}: {self.with_dot!r}{beside} may be {whole} or "
            f"{float(self.with_dot):g} and three decimals; say which under csv: "
            'thousands = "." for the first, decimal = "." for the second'
        )


def find_ambiguous_numbers(
    con: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[str]
) -> list[AmbiguousNumbers]:
    """The columns of texts, all numbers, in which each dot stands before exactly three digits."""
    if not columns:
        return []
    asked = ", ".join(
        f"bool_and(regexp_full_match({c}, '{_EITHER}')), min({c}) filter (contains({c}, '.')), "
        f"min({c}) filter (not contains({c}, '.'))"
        for c in map(quote_identifier, columns)
    )
    found = con.execute(f"select {asked} from {relation}").fetchall()[0]
    triples = zip(columns, found[::3], found[1::3], found[2::3], strict=True)
    return [AmbiguousNumbers(c, dot, plain) for c, either, dot, plain in triples if either and dot]
