"""The value score: weights, coverage, and traits that separate high from low scores."""

import re
from dataclasses import dataclass

from features.formatting import is_label, label_number
from insight.business_report.alerts_section import group_name
from insight.business_report.figure_markup import data_attributes
from insight.business_report.report_inputs import ReportInputs
from insight.evaluation.evaluation_schema import ItemRaterAgreement, ValueScoreSummary
from insight.evaluation.indicator_schema import IntervalEstimate

_MORE_THAN = re.compile(r"brings more than (?P<amount>[\d,]+) ?(?P<currency>[A-Z]{3})?$")

_CATEGORY_SHARE = re.compile(r"(\d+%) (.+)$")


@dataclass(frozen=True)
class TraitRow:
    """A trait with its separation and its typical value in the highest and the lowest tenth."""

    name: str
    effect: str
    highest: str
    lowest: str
    exact: dict[str, str]


@dataclass(frozen=True)
class ValueScoreSection:
    """Weights by method, sentences on the score, and traits."""

    methods: list[str]
    weights: list[tuple[str, list[str]]]
    lines: list[str]
    left_out: list[tuple[str, str]]
    traits: list[TraitRow]
    exact: dict[str, str]
    exact_weights: list[list[dict[str, str]]]


def value_score_section(inputs: ReportInputs) -> ValueScoreSection | None:
    """The value score; None where no customer has one."""
    found = inputs.evaluation.value if inputs.evaluation else None
    if found is None:
        return None
    translate, numbers = inputs.translate, inputs.numbers
    methods = list(dict.fromkeys(m for weight in found.weights for m in weight.by_method))
    weights = [
        (
            translate.name("cause", weight.dimension),
            [numbers.percent(weight.by_method.get(method), 0) for method in methods],
        )
        for weight in found.weights
    ]
    left_out = [
        (translate.name("trait", name), translate.message(why))
        for name, why in found.left_out.items()
    ]
    return ValueScoreSection(
        methods=[translate.name("weighing", method) for method in methods],
        weights=weights,
        lines=_lines(found, inputs),
        left_out=left_out,
        traits=_traits(inputs),
        exact=data_attributes(
            score=found.version, scored=found.scored, unscored=found.unscored,
            top_changed=found.top_changed, star_chances=found.star_chances,
        ),
        exact_weights=[
            [data_attributes(weight=w.dimension, name=m, value=w.by_method.get(m)) for m in methods]
            for w in found.weights
        ],
    )  # fmt: skip


def _lines(found: ValueScoreSummary, inputs: ReportInputs) -> list[str]:
    translate, numbers = inputs.translate, inputs.numbers
    lines = [
        translate(
            "score_weights",
            method=translate.name("weighing", found.method),
            day=numbers.day(found.drawn),
        ),
        translate(
            "score_coverage", scored=numbers.count(found.scored), rest=numbers.count(found.unscored)
        ),
    ]
    if found.top_changed is not None:
        lines.append(translate("score_sensitivity", share=numbers.percent(found.top_changed, 0)))
    if found.star_means and found.star_chances:
        chances = translate("comma").join(numbers.percent(c, 0) for c in found.star_chances)
        lines.append(
            translate("stars_mean", means=star_meaning(found.star_means, inputs), chances=chances)
        )
    if found.rater_agreement:
        items = [_agreement(item, inputs) for item in found.rater_agreement]
        lines.append(translate("rater_agreement", items=translate("semicolon").join(items)))
    return lines


def _agreement(found: ItemRaterAgreement, inputs: ReportInputs) -> str:
    """The agreement of the raters of one item, as part of a sentence."""
    translate, numbers = inputs.translate, inputs.numbers
    measures = [
        translate(key, value=_with_interval(measure, inputs))
        for key, measure in (("rater_icc", found.icc), ("rater_alpha", found.alpha))
        if measure is not None
    ]
    return translate(
        "rater_item",
        item=translate.name("trait", found.item),
        measures=translate("comma").join(measures),
        raters=numbers.count(found.raters),
        customers=numbers.count(found.customers),
    )


def _with_interval(measure: IntervalEstimate, inputs: ReportInputs) -> str:
    translate, numbers = inputs.translate, inputs.numbers
    value = numbers.decimal(measure.value, 2)
    if measure.low is None or measure.high is None:
        return value
    ends = numbers.interval(numbers.decimal(measure.low, 2), numbers.decimal(measure.high, 2))
    return translate("with_interval", value=value, interval=ends)


def star_meaning(means: str, inputs: ReportInputs) -> str:
    """The outcome whose probability the stars show, in the report's language."""
    more = _MORE_THAN.match(means)
    if more is None:
        return inputs.translate.name("star", means)
    currency = inputs.facts.company.info.currency
    amount = float(more["amount"].replace(",", ""))
    return inputs.translate("brings_more", amount=inputs.numbers.money(amount, currency))


def _traits(inputs: ReportInputs) -> list[TraitRow]:
    translate, numbers = inputs.translate, inputs.numbers
    rows = []
    for trait in inputs.evaluation.traits if inputs.evaluation else []:
        effect = trait.effect
        separation = numbers.signed(effect.value, 2)
        if effect.low is not None and effect.high is not None:
            ends = numbers.interval(numbers.signed(effect.low, 2), numbers.signed(effect.high, 2))
            separation = translate("with_interval", value=separation, interval=ends)
        highest, lowest = (
            format_typical(trait.name, side, inputs) for side in (trait.best, trait.worst)
        )
        exact = {"trait": trait.name, "value": repr(effect.value)}
        rows.append(
            TraitRow(translate.name("trait", trait.name), separation, highest, lowest, exact)
        )
    return rows


def format_typical(name: str, side: str, inputs: ReportInputs) -> str:
    """Format a typical value: a number in few digits, or the share of a category."""
    numbers = inputs.numbers
    if share := _CATEGORY_SHARE.match(side):
        return f"{share[1]} {group_name(name, share[2], inputs)}"
    try:
        value = float(side)
    except ValueError:
        return side
    if is_label(name):
        return label_number(value)
    if name.endswith(("probability", "share")):
        return numbers.percent(value)
    return numbers.decimal(value, 0 if abs(value) >= 100 or value == int(value) else 1)
