"""Sentences in English: the cause of a reason, its effect on the score, and scores."""

import re
from collections.abc import Callable
from functools import lru_cache

from features.definitions.feature_registry import FeatureColumn
from features.formatting import label_number, short_number, short_percent, short_signed
from models.explain.sentence_rules import COUNTS, counted, missing_rows, rises, value_form
from models.targets.registry import TARGETS

#: Kinds of rows, singular and plural.
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
#: The name of each target's score.
SCORE_NAMES = {
    "churn": "churn risk",
    "nps": "NPS",
    "satisfaction": "satisfaction",
    "value": "expected revenue",
}
IN_WINDOW = re.compile(r" in the last \d+ days")


def cause(
    column: FeatureColumn, value: float | str | None, before: float | None, currency: str
) -> str:
    """State a customer's value, compared with the window before where that is known."""
    return singular(_cause(column, value, before, currency))


def _cause(
    column: FeatureColumn, value: float | str | None, before: float | None, currency: str
) -> str:
    phrase = _phrase(column)
    if value is None:
        return missing(column, phrase)
    if isinstance(value, str):
        return f"{phrase} is {value}"
    form = value_form(column)
    now = written(value, form, currency)
    then = None if before is None else written(before, form, currency)
    changed = then is not None and then != now and IN_WINDOW.search(phrase) is not None
    if "{n}" in phrase:
        text = _insert_number(phrase, value, now, form)
        return f"{text}, {then} in the {column.window} days before" if changed else text
    if changed and before is not None:
        verb = "rose" if rises(before, value, form) else "fell"
        subject = IN_WINDOW.sub("", phrase)
        return f"{subject} {verb} {_from_to(str(then), now)} in {column.window} days"
    if form in COUNTS:
        return _counted_phrase(phrase, counted(value), form)
    return f"{phrase} is {now}"


def missing(column: FeatureColumn, phrase: str) -> str:
    """State that a column has no value, and why."""
    rows = missing_rows(column)
    if rows is None or rows.kind not in NOUNS:
        return f"{phrase.replace('{n} ', '')} is unknown"
    one, many = NOUNS[rows.kind]
    if rows.several:
        return f"too few {many}{_in_window(rows.window)} to tell"
    if rows.window is None:
        special = {"answer": "never answered a survey", "question": "never asked in a survey"}
        return special.get(rows.kind, f"no {one} so far")
    return f"no {many}{_in_window(rows.window)}"


def written(value: float, form: str, currency: str) -> str:
    """A value with its unit."""
    if form in COUNTS:
        return f"{counted(value):,}"
    plain: Callable[[float], str] = FORMS.get(form, short_number)
    return singular(f"{plain(value)} {currency}".strip() if "money" in form else plain(value))


def effect(target: str, points: float, currency: str) -> str:
    """The effect of a reason on the score: "+11 points churn risk", or money."""
    return effect_text(target, short_signed(points), currency)


@lru_cache(maxsize=10_000)
def effect_text(target: str, signed: str, currency: str) -> str:
    """The effect of a reason whose number is formatted already: "+11"."""
    unit = "point" if signed in {"+1", "-1"} else "points"
    unit = currency if TARGETS[target].kind == "regression" else unit
    return " ".join(filter(None, (signed, unit, score_name(target))))


def score_name(target: str) -> str:
    """The name of a target's score in running text."""
    return SCORE_NAMES.get(target, TARGETS[target].title.lower())


def score_text(target: str, score: float, currency: str) -> str:
    """A score with its unit: "18%", "1,200 EUR", "62"."""
    kind = TARGETS[target].kind
    unit = f" {currency}".rstrip() if kind == "regression" else "%" if kind == "binary" else ""
    return f"{short_number(score)}{unit}"


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
    "label": label_number,
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
    return _running_text(column.phrases.en or column.meaning)


@lru_cache(maxsize=10_000)
def _running_text(phrase: str) -> str:
    """A phrase for use inside a sentence: no remarks in brackets, no capital letter."""
    text = re.sub(r" \([^)]*\)", "", phrase)
    text = re.sub(r"^Days since ", "{n} days since ", text)
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def _insert_number(phrase: str, value: float, now: str, form: str) -> str:
    """Insert the number; without its unit where the phrase names days already."""
    if form == "span" and value < 0:
        return "the last order is still on its way"
    return phrase.replace(
        "{n}", short_number(value) if "{n} days" in phrase or form == "ratio" else now
    )


def _counted_phrase(phrase: str, count: int, unit: str) -> str:
    """A counted phrase: "no orders ...", "1 order ...", "6 orders ..."."""
    if count == 1:
        phrase = re.sub(rf"\b{unit}\b", _singular(unit), phrase, count=1)
    return f"{count:,} {phrase}" if count else f"no {phrase}"


def _singular(unit: str) -> str:
    return f"{unit[:-3]}y" if unit.endswith("ies") else unit.removesuffix("s")


def _from_to(then: str, now: str) -> str:
    """From one value to another; a common unit is written once."""
    unit = now.partition(" ")[2]
    return f"from {then.removesuffix(f' {unit}') if unit else then} to {now}"


def singular(text: str) -> str:
    """Replace plurals after a 1: "1 day", "1 hour"."""
    if "1 " not in text:
        return text
    return re.sub(r"(?<![\d.,])1 (day|hour|time|point|sales visit)s\b", r"1 \1", text)


def _in_window(window: int | None) -> str:
    return "" if window is None else f" in the last {window} days"
