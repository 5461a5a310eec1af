"""Numbers that are written as texts: decimal comma, thousands separators, signs of a currency."""

import re
from dataclasses import dataclass

from features.ingest.sql import quote_literal

#: Words that stand for no value.
NO_VALUE = {
    "",
    "-",
    "--",
    "n/a",
    "na",
    "null",
    "none",
    "nan",
    "\\n",
    "?",
    "k.a.",
    "n.a.",
    "无",
    "未知",
    "nd",
}
_SIGNS = {"€": "EUR", "£": "GBP", "R$": "BRL", "US$": "USD", "¥": "CNY", "￥": "CNY", "元": "CNY",
          "EUR": "EUR", "USD": "USD", "GBP": "GBP", "BRL": "BRL", "CNY": "CNY", "RMB": "CNY",
          "CHF": "CHF", "$": "USD", "kr": "SEK", "zł": "PLN"}  # fmt: skip
_SPACES = re.compile(r"[\s\u00a0\u202f'’]")
_COMMA = re.compile(r"[-+(]?\d{1,3}(\.\d{3})+(,\d+)?\)?-?|[-+(]?\d+(,\d+)?\)?-?")
_POINT = re.compile(r"[-+(]?\d{1,3}(,\d{3})+(\.\d+)?\)?-?|[-+(]?\d+(\.\d+)?\)?-?")
#: A single separator before three last digits: of thousands or of decimals.
_UNCLEAR = re.compile(r"[-+]?[1-9]\d{0,2}[.,]\d{3}")


@dataclass(frozen=True)
class NumberForm:
    """How texts are read as numbers: SQL with {0} for the column, and what it says in words.

    `currency` is that of the sign in the texts. `unclear` says that the separator may be one of
    thousands or of decimals; `other` is the SQL of the other reading.
    """

    name: str
    sql: str
    currency: str | None = None
    no_values: tuple[str, ...] = ()
    unclear: bool = False
    other: str = ""


def number_form(values: list[str]) -> NumberForm | None:
    """The form of texts that are all numbers; None if they are not."""
    missing = tuple(sorted({v for v in values if v.strip().lower() in NO_VALUE}))
    plain, currency = _without_sign([v for v in values if v not in missing])
    if not plain or not any(any(c.isdigit() for c in v) for v in plain):
        return None
    if any(v.lstrip("-+").startswith("0") and v.isdigit() and len(v) > 1 for v in plain):
        return None  # leading zeros: an identifier
    comma = all(_COMMA.fullmatch(v) for v in plain)
    point = all(_POINT.fullmatch(v) for v in plain)
    if not comma and not point:
        return None
    separated = [v for v in plain if "," in v or "." in v]
    unclear = bool(separated) and all(_UNCLEAR.fullmatch(v) for v in separated) and comma and point
    signed = any(not v[0].isdigit() or not v[-1].isdigit() for v in plain)
    readings = {
        "decimal comma": _sql(",", missing, signed),
        "decimal point": _sql(".", missing, signed),
    }
    names = list(readings) if comma and not (point and not unclear) else list(readings)[::-1]
    return NumberForm(names[0], readings[names[0]], currency, missing, unclear, readings[names[1]])


def _without_sign(values: list[str]) -> tuple[list[str], str | None]:
    """The texts without blanks and without the sign of a currency, and that currency."""
    found: set[str] = set()
    plain = []
    for value in values:
        text = value.strip().removesuffix("%")
        for sign, code in _SIGNS.items():
            if text.startswith((sign, f"-{sign}")) or text.endswith(sign):
                found.add(code)
                text = text.replace(sign, "")
                break
        plain.append(_SPACES.sub("", text))
    return plain, found.pop() if len(found) == 1 else None


def _sql(decimal: str, missing: tuple[str, ...], signed: bool) -> str:
    """SQL that reads texts with this decimal separator; brackets and a minus behind are a minus."""
    text = "trim({0}::varchar)"
    if missing:
        listed = ", ".join(quote_literal(v.strip()) for v in missing)
        text = f"case when trim({{0}}::varchar) not in ({listed}) then {text} end"
    kept = f"regexp_replace({text}, '[^0-9{decimal}]', '', 'g')"
    number = f"replace({kept}, ',', '.')" if decimal == "," else kept
    if not signed:
        return f"{number}::double"
    sign = "case when regexp_matches({0}::varchar, '^[^0-9]*[-(]|- *$') then -1 else 1 end"
    return f"{sign} * {number}::double"
