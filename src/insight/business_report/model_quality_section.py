"""How far to trust the models: grade, the measure that decides beside its rule, and calibration."""

from dataclasses import dataclass
from typing import Any

from insight.business_report.numerals import Numerals
from insight.business_report.report_inputs import Material
from insight.formatting.display_names import MEASURES
from models.bundles.bundle import Bundle
from models.targets.registry import TARGETS


@dataclass(frozen=True)
class Bin:
    """Customers told alike: what was predicted and what came, with its interval; `off` if beyond it."""

    predicted: str
    came: str
    interval: str
    rows: str
    left: float
    width: float
    dot: float
    mark: float
    off: bool


@dataclass(frozen=True)
class Calibration:
    """The bins of one case of a target."""

    case: str
    bins: list[Bin]


@dataclass(frozen=True)
class Graded:
    """A target with its serving model, or why none serves."""

    title: str
    what: str
    grade: str
    version: str
    measure: str
    value: str
    interval: str
    rule: str
    within: str
    calibration: list[Calibration]
    why_not: str


#: The cases a reader asks about, of targets that have several.
CASES = {"nps": ("detractor", "promoter"), "satisfaction": ("100",)}


def graded(material: Material) -> list[Graded]:
    """Every target: its model's grade, or the reason there is none."""
    return [_graded(target, material) for target in TARGETS]


def _graded(target: str, material: Material) -> Graded:
    words, facts = material.words, material.facts
    bundle = facts.bundles.get(target)
    title, what = words.named("target", target), words.named("meaning", target)
    if bundle is None:
        decision = facts.decisions.get(target)
        why = decision.reason if decision else facts.missing.get(target, "")
        grade = (decision.grade if decision else "") or ""
        return Graded(title, what, grade, "", "", "", "", "", "", [], why)
    measure, value, interval, rule = _measured(bundle, material.numerals)
    about = bundle.about or {}
    within = material.numerals.share(about.get("coverage"))
    return Graded(
        title=title,
        what=what,
        grade=str(bundle.manifest["grade"]),
        version=bundle.version,
        measure=measure,
        value=value,
        interval=interval,
        rule=rule,
        within=within if about.get("coverage") is not None else "",
        calibration=_calibrations(target, about.get("calibration", []), material.numerals),
        why_not="",
    )


def _measured(bundle: Bundle, numerals: Numerals) -> tuple[str, str, str, str]:
    """The measure that decides: its name, the model's value and interval, the rule's value."""
    about = bundle.about
    if not about:
        return "", "", "", ""
    name = str(about["primary"])
    words = numerals.words
    called = words.named("measure", name) if words.knows("measure", name) else (
        MEASURES[name].label if name in MEASURES else name
    )  # fmt: skip
    of: dict[str, dict[str, Any]] = about["measures"]
    model, rule = of.get("model", {}).get(name, {}), of.get("rule", {}).get(name, {})
    ends = [_digits(model.get(end), numerals) for end in ("low", "high")]
    interval = numerals.between(*ends) if model.get("low") is not None else ""
    return (
        called,
        _digits(model.get("value"), numerals),
        interval,
        _digits(rule.get("value"), numerals),
    )


def _digits(value: float | None, numerals: Numerals) -> str:
    return numerals.decimal(value, 0 if value is not None and abs(value) >= 100 else 3)


def _calibrations(target: str, bins: list[dict[str, Any]], numerals: Numerals) -> list[Calibration]:
    cases = list(dict.fromkeys(str(b["case"]) for b in bins))
    wanted = [c for c in CASES.get(target, cases) if c in cases] or cases
    return [
        Calibration(
            numerals.words.named("case", case),
            [_bin(b, numerals) for b in bins if str(b["case"]) == case],
        )
        for case in wanted
    ]


def _bin(row: dict[str, Any], numerals: Numerals) -> Bin:
    low, high = row["low"], row["high"]
    return Bin(
        predicted=numerals.share(row["predicted"]),
        came=numerals.share(row["observed"]),
        interval=numerals.between(numerals.share(low), numerals.share(high)),
        rows=numerals.count(row["rows"]),
        left=round(100 * low, 1),
        width=max(round(100 * (high - low), 1), 0.8),
        dot=round(100 * row["observed"], 1),
        mark=round(100 * row["predicted"], 1),
        off=not low <= row["predicted"] <= high,
    )
