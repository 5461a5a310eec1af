"""Quality of the models: grade, primary metric of model and baseline rule, and calibration."""

from dataclasses import dataclass
from typing import Any

from insight.business_report.report_inputs import ReportInputs
from insight.business_report.translations import Translator
from insight.formatting.display_names import MEASURES
from models.bundles.bundle import Bundle
from models.bundles.model_manifest import HoldoutSummary
from models.targets.registry import company_targets


@dataclass(frozen=True)
class ReliabilityBin:
    """Customers with similar predictions: predicted and actual share with its interval.

    `off`: the prediction lies outside the interval.
    """

    predicted: str
    actual: str
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
    """A target with its serving model, or the reason why none serves."""

    title: str
    meaning: str
    grade: str
    version: str
    metric: str
    value: str
    interval: str
    rule: str
    within_interval: str
    nothing_within: str
    calibration: list[ReliabilityTable]
    why_not: str


#: Cases shown of targets that have several.
CASES = {"nps": ("detractor", "promoter"), "satisfaction": ("100",)}


def model_quality(inputs: ReportInputs) -> list[ModelQuality]:
    """The quality of the model of each target."""
    targets = company_targets(inputs.facts.company)
    return [_quality(target.name, inputs) for target in targets]


def _quality(target: str, inputs: ReportInputs) -> ModelQuality:
    translate, facts = inputs.translate, inputs.facts
    bundle = facts.bundles.get(target)
    title = translate.name("target", target)
    has_meaning = translate.has_name("meaning", target)
    meaning = translate.name("meaning", target) if has_meaning else ""
    if bundle is None:
        decision = facts.decisions.get(target)
        why = translate.message(decision.reason if decision else facts.missing.get(target, ""))
        grade = (decision.grade if decision else "") or ""
        return ModelQuality(title, meaning, grade, "", "", "", "", "", "", "", [], why)
    metric, value, interval, rule = _primary_metric(bundle, inputs.translate)
    results = bundle.about or HoldoutSummary()
    within, nothing = (
        "" if share is None else inputs.numbers.percent(share)
        for share in (results.coverage, results.coverage_nothing)
    )
    return ModelQuality(
        title=title,
        meaning=meaning,
        grade=str(bundle.manifest.grade),
        version=bundle.version,
        metric=metric,
        value=value,
        interval=interval,
        rule=rule,
        within_interval=within,
        nothing_within=nothing,
        calibration=_reliability_tables(target, results.calibration, inputs.translate),
        why_not="",
    )


def _primary_metric(bundle: Bundle, translate: Translator) -> tuple[str, str, str, str]:
    """The primary metric: name, value and interval of the model, value of the baseline rule."""
    numbers = translate.numbers
    results = bundle.about
    if not results:
        return "", "", "", ""
    name = results.primary
    label = translate.name("measure", name)
    if not translate.has_name("measure", name) and name in MEASURES:
        label = MEASURES[name].label
    model, rule = (results.measures.get(who, {}).get(name, {}) for who in ("model", "rule"))
    ends = [_digits(model.get(end), translate) for end in ("low", "high")]
    interval = numbers.interval(*ends) if model.get("low") is not None else ""
    return (
        label,
        _digits(model.get("value"), translate),
        interval,
        _digits(rule.get("value"), translate),
    )


def _digits(value: float | None, translate: Translator) -> str:
    return translate.numbers.decimal(value, 0 if value is not None and abs(value) >= 100 else 3)


def _reliability_tables(
    target: str, bins: list[dict[str, Any]], translate: Translator
) -> list[ReliabilityTable]:
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
        actual=numbers.percent(row["observed"]),
        interval=numbers.interval(numbers.percent(low), numbers.percent(high)),
        rows=numbers.count(row["rows"]),
        left=round(100 * low, 1),
        width=max(round(100 * (high - low), 1), 0.8),
        dot=round(100 * row["observed"], 1),
        mark=round(100 * row["predicted"], 1),
        off=not low <= row["predicted"] <= high,
    )
