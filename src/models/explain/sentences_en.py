"""A cause in English, as a salesperson would say it."""

import re
from collections.abc import Callable
from functools import lru_cache

from features.definitions.feature_registry import FeatureColumn
from features.formatting import short_number, short_percent, short_signed
from models.explain.missing_value_text import absence
from models.explain.sentence_rules import COUNTS, counted, rises

#: What is missing, one and several.
NOUNS = {
    "order": ("order", "orders"), "return": ("return", "returns"),
    "shipment": ("delivery", "deliveries"), "payment": ("payment", "payments"),
    "visit": ("sales visit", "sales visits"), "login": ("login", "logins"),
    "contract": ("contract", "contracts"), "renewal": ("renewal", "renewals"),
    "events": ("contact", "contacts"), "tickets": ("ticket", "tickets"),
    "complaint": ("complaint", "complaints"), "answer": ("survey answer", "survey answers"),
    "question": ("survey question", "survey questions"), "comment": ("comment", "comments"),
}  # fmt: skip
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
IN_WINDOW = re.compile(r" in the last \d+ days")


def cause(column: FeatureColumn, value: float | str | None, before: float | None, currency: str) -> str:
    """What the customer's value is, compared with the window before where that is known."""
    return singular(_cause(column, value, before, currency))


def _cause(column: FeatureColumn, value: float | str | None, before: float | None, currency: str) -> str:
    phrase = _phrase(column)
    if value is None:
        return missing(column, phrase)
    if isinstance(value, str):
        return f"{phrase} is {value}"
    now = written(value, column.phrases.form, currency)
    then = None if before is None else written(before, column.phrases.form, currency)
    changed = then is not None and then != now and IN_WINDOW.search(phrase) is not None
    if "{n}" in phrase:
        told = _around(phrase, value, now, column.phrases.form)
        return f"{told}, {then} in the {column.window} days before" if changed else told
    if changed and before is not None:
        verb = "rose" if rises(before, value, column.phrases.form) else "fell"
        subject = IN_WINDOW.sub("", phrase)
        return f"{subject} {verb} {_from(str(then), now)} in {column.window} days"
    if column.phrases.form in COUNTS:
        return _some(phrase, counted(value), column.phrases.form)
    return f"{phrase} is {now}"


def missing(column: FeatureColumn, phrase: str) -> str:
    """What it means that a column has no value."""
    lacking = absence(column)
    if lacking is None or lacking.what not in NOUNS:
        return f"{phrase.replace('{n} ', '')} is unknown"
    one, many = NOUNS[lacking.what]
    if lacking.several:
        return f"too few {many}{_in(lacking.window)} to tell"
    if lacking.window is None:
        special = {"answer": "never answered a survey", "question": "never asked in a survey"}
        return special.get(lacking.what, f"no {one} so far")
    return f"no {many}{_in(lacking.window)}"


def written(value: float, form: str, currency: str) -> str:
    """A value in its unit."""
    if form in COUNTS:
        return f"{counted(value):,}"
    plain: Callable[[float], str] = FORMS.get(form, short_number)
    return singular(f"{plain(value)} {currency}".strip() if "money" in form else plain(value))


def _hours(value: float) -> str:
    return f"{short_number(value)} hours" if value < 48 else f"{short_number(value / 24)} days"


def _lateness(value: float) -> str:
    text = short_number(abs(value))
    return "on time" if text == "0" else f"{text} days {'late' if value > 0 else 'early'}"


def _gap(value: float) -> str:
    text = short_number(abs(value))
    side = "above" if value > 0 else "below"
    return "as expected" if text == "0" else f"{text} points {side} expectation"


def _mood(value: float) -> str:
    word = "positive" if value > 0.05 else "negative" if value < -0.05 else "neutral"
    return f"{word} ({short_signed(value)})" if word != "neutral" else word


FORMS: dict[str, Callable[[float], str]] = {
    "days": lambda v: f"{short_number(v)} days",
    "hours": _hours,
    "share": short_percent,
    "negative share": lambda v: short_percent(abs(v)),
    "points of 100": lambda v: f"{short_number(v)} of 100",
    "of 4": lambda v: f"{short_number(v)} of 4",
    "-1 to 1": _mood,
    "month": lambda v: MONTHS[int(v) - 1],
    "signed": lambda v: short_signed(v).replace("±0", "flat"),
    "signed money": short_signed,
    "lateness": _lateness,
    "overdue": _lateness,
    "gap": _gap,
    "span": lambda v: f"{short_number(abs(v))} days",
}


def _phrase(column: FeatureColumn) -> str:
    return _inside(column.phrases.en or column.meaning)


@lru_cache(maxsize=10_000)
def _inside(phrase: str) -> str:
    """A phrase inside a sentence: no remarks in brackets, no capital."""
    text = re.sub(r" \([^)]*\)", "", phrase)
    text = re.sub(r"^Days since ", "{n} days since ", text)
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def _around(phrase: str, value: float, now: str, form: str) -> str:
    """A sentence with its number: the unit is in the sentence already where it names days."""
    if form == "span" and value < 0:
        return "the last order is still on its way"
    return phrase.replace("{n}", short_number(value) if "{n} days" in phrase or form == "ratio" else now)


def _some(phrase: str, count: int, unit: str) -> str:
    """A phrase that counts: "no orders ...", "1 order ...", "6 orders ..."."""
    if count == 1:
        phrase = re.sub(rf"\b{unit}\b", _singular(unit), phrase, count=1)
    return f"{count:,} {phrase}" if count else f"no {phrase}"


def _singular(unit: str) -> str:
    return f"{unit[:-3]}y" if unit.endswith("ies") else unit.removesuffix("s")


def _from(then: str, now: str) -> str:
    """From one value to another; a unit they share is named once."""
    unit = now.partition(" ")[2]
    return f"from {then.removesuffix(f' {unit}') if unit else then} to {now}"


def singular(text: str) -> str:
    """One day, one hour: no plural after a one."""
    if "1 " not in text:
        return text
    return re.sub(r"(?<![\d.,])1 (day|hour|time|point|sales visit)s\b", r"1 \1", text)


def _in(window: int | None) -> str:
    return "" if window is None else f" in the last {window} days"
