"""How a model does group by group, and how fast it ages, as the report tells them."""

from dataclasses import dataclass

from features.config.company import Company
from features.errors import DataRefused
from features.settings import Workspace
from insight.formatting.display_names import MEASURES, Form, range_text, value_text
from insight.formatting.numbers import count, decimal, share
from insight.formatting.png import Picture, drawable, drawing, picture
from models.plots.slices_and_staleness import age_curve, slice_gains
from models.targets.registry import TARGETS
from models.validation.slice_metrics import Slice, Slices
from models.validation.staleness import Staleness
from models.validation.validation_checks import read_staleness

#: So many groups stand in the table, the worst first; the picture has the others.
MOST = 6


@dataclass(frozen=True)
class GroupLine:
    """One group: the model beside the rule with the interval of the gain, predicted beside actual."""

    name: str
    rows: str
    model: str
    rule: str
    gain: str
    interval: str
    verdict: str
    predicted: str
    actual: str


@dataclass(frozen=True)
class Groups:
    """The groups a model does worst in, and what to know about the others."""

    measure: str
    told: str
    lines: list[GroupLine]
    drawn: list[Picture]


@dataclass(frozen=True)
class Ageing:
    """How fast a model ages, what that says about the schedule, and the curve."""

    told: str
    advice: str
    drawn: list[Picture]


def groups_told(target: str, slices: Slices) -> Groups:
    """The groups of a target's model, the worst first."""
    words = MEASURES[slices.measure]
    ranked = sorted(slices.judged, key=lambda s: -s.loss)
    if not ranked:
        return Groups(words.label, "No group is large enough to be judged apart.", [], [])
    told = f"Worst for {slices.told()}. "
    lost = ", ".join(s.name for s in slices.lost)
    told += (
        f"Worse than the rule beyond chance: {lost}."
        if lost
        else f"In none of {len(ranked)} groups does it lose to the rule beyond chance."
    )
    if odd := sum(one.gain.high < 0 and one.nearer for one in ranked):
        told += f" In {odd} it errs more than the rule and is nearer to the actual mean."
    if slices.too_small:
        told += f" {count(len(slices.too_small))} more groups have too few rows to be judged apart."
    if slices.left_out:
        told += f" Not looked at: {', '.join(slices.left_out)}."
    with drawing():
        drawn = [picture(slice_gains(slices, drawable))]
    lines = [_line(target, one, words.form, one in slices.lost) for one in ranked[:MOST]]
    return Groups(words.label, told, lines, drawn)


def _line(target: str, one: Slice, form: Form, lost: bool) -> GroupLine:
    verdict = "worse" if lost else "better" if one.gain.low > 0 else "within the noise"
    if one.gain.high < 0 and one.nearer:
        verdict = "larger errors, nearer on average"
    said, came = (_mean(target, value) for value in (one.predicted, one.actual))
    return GroupLine(
        one.name, count(one.rows), value_text(one.model.value, form),
        value_text(one.rival.value, form), value_text(one.gain.value, form),
        range_text(one.gain, form), verdict, said, came,
    )  # fmt: skip


def _mean(target: str, value: float) -> str:
    """A mean of what is predicted, as people write it: a share, a score, an NPS or money."""
    kind = TARGETS[target].kind
    if kind == "binary":
        return share(value)
    if kind == "regression":
        return count(value)
    return decimal(value if kind == "ordinal" else 100 * value, 1)


def ageing_told(target: str, company: Company, workspace: Workspace) -> Ageing | None:
    """How fast the models of a target age, measured at its last training; None before that."""
    path = workspace.cards(company.name) / f"{target}.json"
    if not path.is_file():
        return None
    try:
        found = read_staleness(path)
    except DataRefused as err:
        return Ageing(f"{err}.", "", [])
    told = found.told()
    if found.lasts is None:
        return Ageing(f"{told[0].upper()}{told[1:]}.", "", [])
    with drawing():
        return Ageing(f"By its age a model is {told}.", _advice(found), [picture(age_curve(found))])


def _advice(found: Staleness) -> str:
    """How often to retrain: as long as the loss is within the noise, at the least every month."""
    oldest = found.ages[-1]
    kept = f"keeps {share(oldest.kept)} of the lead over the rule"
    if not oldest.kept > 0:
        kept = "is not better than the rule"
    lasts = found.lasts or 1
    every = "every month" if lasts == 1 else f"at least every {lasts} months"
    return f"Retrain {every}. A model of {oldest.months} months {kept}."
