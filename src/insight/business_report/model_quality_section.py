"""How far to trust the models: grade, the measure that decides beside its rule, and calibration."""

from dataclasses import dataclass
from typing import Any

from insight.business_report.translations import Translator
from insight.business_report.report_inputs import ReportInputs
from insight.formatting.display_names import MEASURES
from models.bundles.bundle import Bundle
from models.targets.registry import TARGETS


@dataclass(frozen=True)
class ReliabilityBin:
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
class ReliabilityTable:
    """The bins of one case of a target."""

    case: str
    bins: list[ReliabilityBin]


@dataclass(frozen=True)
class ModelQuality:
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
    calibration: list[ReliabilityTable]
    why_not: str


#: The cases a reader asks about, of targets that have several.
CASES = {"nps": ("detractor", "promoter"), "satisfaction": ("100",)}


def model_quality(inputs: ReportInputs) -> list[ModelQuality]:
    """Every target: its model's grade, or the reason there is none."""
    return [_graded(target, inputs) for target in TARGETS]


def _graded(target: str, inputs: ReportInputs) -> ModelQuality:
    translate, facts = inputs.translate, inputs.facts
    bundle = facts.bundles.get(target)
    title, what = translate.name("target", target), translate.name("meaning", target)
    if bundle is None:
        decision = facts.decisions.get(target)
        why = decision.reason if decision else facts.missing.get(target, "")
        grade = (decision.grade if decision else "") or ""
        return ModelQuality(title, what, grade, "", "", "", "", "", "", [], why)
    measure, value, interval, rule = _measured(bundle, inputs.translate)
    about = bundle.about or {}
    within = inputs.numbers.percent(about.get("coverage"))
    return ModelQuality(
        title=title,
        what=what,
        grade=str(bundle.manifest.grade),
        version=bundle.version,
        measure=measure,
        value=value,
        interval=interval,
        rule=rule,
        within=within if about.get("coverage") is not None else "",
        calibration=_calibrations(target, about.get("calibration", []), inputs.translate),
        why_not="",
    )


def _measured(bundle: Bundle, translate: Translator) -> tuple[str, str, str, str]:
    """The measure that decides: its name, the model's value and interval, the rule's value."""
    numbers = translate.numbers
    about = bundle.about
    if not about:
        return "", "", "", ""
    name = str(about["primary"])
    called = translate.name("measure", name) if translate.has_name("measure", name) else (
        MEASURES[name].label if name in MEASURES else name
    )  # fmt: skip
    of: dict[str, dict[str, Any]] = about["measures"]
    model, rule = of.get("model", {}).get(name, {}), of.get("rule", {}).get(name, {})
    ends = [_digits(model.get(end), translate) for end in ("low", "high")]
    interval = numbers.interval(*ends) if model.get("low") is not None else ""
    return (
        called,
        _digits(model.get("value"), translate),
        interval,
        _digits(rule.get("value"), translate),
    )


def _digits(value: float | None, translate: Translator) -> str:
    numbers = translate.numbers
    return numbers.decimal(value, 0 if value is not None and abs(value) >= 100 else 3)


def _calibrations(target: str, bins: list[dict[str, Any]], translate: Translator) -> list[ReliabilityTable]:
    cases = list(dict.fromkeys(str(b["case"]) for b in bins))
    wanted = [c for c in CASES.get(target, cases) if c in cases] or cases
    return [
        ReliabilityTable(
            translate.name("case", case),
            [_bin(b, translate) for b in bins if str(b["case"]) == case],
        )
        for case in wanted
    ]


def _bin(row: dict[str, Any], translate: Translator) -> ReliabilityBin:
    numbers = translate.numbers
    low, high = row["low"], row["high"]
    return ReliabilityBin(
        predicted=numbers.percent(row["predicted"]),
        came=numbers.percent(row["observed"]),
        interval=numbers.interval(numbers.percent(low), numbers.percent(high)),
        rows=numbers.count(row["rows"]),
        left=round(100 * low, 1),
        width=max(round(100 * (high - low), 1), 0.8),
        dot=round(100 * row["observed"], 1),
        mark=round(100 * row["predicted"], 1),
        off=not low <= row["predicted"] <= high,
    )
