"""The section `[import_limits]`: how many rows may be missing before an import is refused."""

import re
from datetime import date
from typing import Literal

from pydantic import Field, field_validator

from features.config.toml_section import TomlSection

#: A day or a period: 05-01, 2026-02-16, 12-20..01-06, 2026-02-16..2026-02-22.
_QUIET = re.compile(r"(\d{4}-\d\d-\d\d)(\.\.\d{4}-\d\d-\d\d)?|(\d\d-\d\d)(\.\.\d\d-\d\d)?")


class ImportLimits(TomlSection):
    """When an import is refused because rows are missing, compared with the stored history.

    Refused are a table or kind that has lost more than `lost_share` of its stored rows, a stored day
    that has lost more than `lost_day_share` of them, and a new day with less than `new_day_share` of
    the usual rows. Fewer than `least_rows` rows never count. The usual rows are those of the same
    weekday in the last eight weeks, and of the same time of former years where those were low; chance
    alone refuses about `false_refusals_a_year` imports. `quiet_days` ("05-01", "2026-02-16..2026-02-22")
    may have any number of rows. New days of `irregular` tables, which are not delivered with the
    others, are checked up to their own last day. `keeps_days`: the sources keep only so many days,
    so older ones may vanish.
    """

    enabled: bool = True
    lost_share: float = Field(default=0.02, ge=0.0, lt=1.0)
    lost_day_share: float = Field(default=0.5, ge=0.0, lt=1.0)
    new_day_share: float = Field(default=0.5, gt=0.0, lt=1.0)
    least_rows: int = Field(default=12, ge=1)
    false_refusals_a_year: float = Field(default=0.1, gt=0.0, le=10.0)
    quiet_days: tuple[str, ...] = ()
    irregular: tuple[Literal["events", "surveys", "tickets"], ...] = ()
    keeps_days: int | None = Field(default=None, ge=30)

    @field_validator("quiet_days")
    @classmethod
    def _known_form(cls, periods: tuple[str, ...]) -> tuple[str, ...]:
        for text in periods:
            if not _QUIET.fullmatch(text):
                raise ValueError(
                    f"{text!r} is no day or period; examples are '05-01', '12-24..01-01' and "
                    "'2026-02-16..2026-02-22'"
                )
        return periods

    def is_quiet(self, day: date) -> bool:
        """Whether a day may have any number of rows."""
        for text in self.quiet_days:
            first, _, last = text.partition("..")
            last, shown = last or first, day.isoformat()[-len(first) :]
            inside = first <= shown <= last if first <= last else shown >= first or shown <= last
            if inside:
                return True
        return False
