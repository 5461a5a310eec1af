"""How the value score behind tiers and stars is made, and what separates the best customers."""

import re
from dataclasses import dataclass

from insight.business_report.figure_markup import attributes
from insight.business_report.overview_section import group_name
from insight.business_report.report_inputs import Material
from insight.evaluation.evaluation_schema import ValueScoreSummary

_MORE_THAN = re.compile(r"brings more than (?P<amount>[\d,]+) ?(?P<currency>[A-Z]{3})?$")

_PART = re.compile(r"(\d+%) (.+)$")


@dataclass(frozen=True)
class TraitRow:
    """A trait with how far it separates the best customers from the worst, and both sides."""

    name: str
    effect: str
    best: str
    worst: str
    exact: dict[str, str]


@dataclass(frozen=True)
class WorthPart:
    """The weights of the score by method, what to know about it, and the traits."""

    methods: list[str]
    weights: list[tuple[str, list[str]]]
    lines: list[str]
    left_out: list[tuple[str, str]]
    traits: list[TraitRow]
    exact: dict[str, str]
    exact_weights: list[list[dict[str, str]]]


def worth_part(material: Material) -> WorthPart | None:
    """The making of the score; None where nobody has one."""
    found = material.evaluation.value if material.evaluation else None
    if found is None:
        return None
    words, numerals = material.words, material.numerals
    methods = list(dict.fromkeys(m for weight in found.weights for m in weight.by_method))
    weights = [
        (
            words.named("cause", weight.dimension),
            [numerals.share(weight.by_method.get(method), 0) for method in methods],
        )
        for weight in found.weights
    ]
    left_out = [(words.named("trait", name), why) for name, why in found.left_out.items()]
    return WorthPart(
        methods=[words.named("weighing", method) for method in methods],
        weights=weights,
        lines=_lines(found, material),
        left_out=left_out,
        traits=_traits(material),
        exact=attributes(
            score=found.version, scored=found.scored, unscored=found.unscored,
            top_changed=found.top_changed, star_chances=found.star_chances,
        ),
        exact_weights=[
            [attributes(weight=w.dimension, name=m, value=w.by_method.get(m)) for m in methods]
            for w in found.weights
        ],
    )  # fmt: skip


def _lines(found: ValueScoreSummary, material: Material) -> list[str]:
    words, numerals = material.words, material.numerals
    lines = [
        words(
            "score_made",
            method=words.named("weighing", found.method),
            day=numerals.day(found.drawn),
        ),
        words(
            "score_whom", scored=numerals.count(found.scored), rest=numerals.count(found.unscored)
        ),
    ]
    if found.top_changed is not None:
        lines.append(words("score_apart", share=numerals.share(found.top_changed, 0)))
    if found.star_means and found.star_chances:
        chances = words("comma").join(numerals.share(c, 0) for c in found.star_chances)
        lines.append(
            words("stars_mean", means=star_means(found.star_means, material), chances=chances)
        )
    return lines


def star_means(means: str, material: Material) -> str:
    """What a star's chance is of, in the report's language."""
    more = _MORE_THAN.match(means)
    if more is None:
        return material.words.named("star", means)
    amount = float(more["amount"].replace(",", ""))
    return material.words("brings_more", amount=material.numerals.money(amount))


def _traits(material: Material) -> list[TraitRow]:
    words, numerals = material.words, material.numerals
    rows = []
    for trait in material.evaluation.traits if material.evaluation else []:
        effect = trait.effect
        said = numerals.signed(effect.value, 2)
        if effect.low is not None and effect.high is not None:
            ends = numerals.between(numerals.signed(effect.low, 2), numerals.signed(effect.high, 2))
            said = words("with_interval", value=said, interval=ends)
        best, worst = (typical(trait.name, side, material) for side in (trait.best, trait.worst))
        exact = {"trait": trait.name, "value": repr(effect.value)}
        rows.append(TraitRow(words.named("trait", trait.name), said, best, worst, exact))
    return rows


def typical(name: str, side: str, material: Material) -> str:
    """A side's typical value as it is read: a number in few digits, or the share of a text."""
    numerals = material.numerals
    if part := _PART.match(side):
        return f"{part[1]} {group_name(name, part[2], material)}"
    try:
        value = float(side)
    except ValueError:
        return side
    if name.endswith(("probability", "share")):
        return numerals.share(value)
    return numerals.decimal(value, 0 if abs(value) >= 100 or value == int(value) else 1)
