"""A model's quality by customer group and by its age, as shown in `models.html`."""

from dataclasses import dataclass

from features.config.company import Company
from features.errors import DataRefused
from features.formatting import ENGLISH
from features.settings import Workspace
from insight.formatting.display_names import MEASURES, MetricForm, format_interval, format_metric
from insight.formatting.plot_images import PlotImage, drawable_text, plot_fonts, plot_image
from models.plots.slices_and_staleness import age_curve, slice_gains
from models.targets.registry import TARGETS
from models.validation.slice_metrics import Slice, Slices
from models.validation.staleness import Staleness
from models.validation.validation_checks import read_staleness

#: Groups listed in the table, the worst first; the plot shows all.
LISTED_GROUPS = 6


@dataclass(frozen=True)
class SliceRow:
    """A group of customers: metric of model and rule, gain, predicted and actual mean."""

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
class SliceSection:
    """The groups in which a model is worst, a summary of all groups, and a plot."""

    metric: str
    summary: str
    rows: list[SliceRow]
    plots: list[PlotImage]


@dataclass(frozen=True)
class AgeingSection:
    """How fast a model ages, how often to retrain it, and the curve."""

    summary: str
    advice: str
    plots: list[PlotImage]


def slice_section(target: str, slices: Slices) -> SliceSection:
    """The groups of a target's model, the worst first."""
    metric = MEASURES[slices.measure]
    ranked = sorted(slices.judged, key=lambda s: -s.loss)
    if not ranked:
        return SliceSection(metric.label, "No group has enough rows to be evaluated.", [], [])
    summary = f"Worst for {slices.describe()}. "
    worse = ", ".join(s.name for s in slices.lost)
    summary += (
        f"Significantly worse than the baseline rule: {worse}."
        if worse
        else f"Not significantly worse than the baseline rule in any of {len(ranked)} groups."
    )
    if odd := sum(one.gain.high < 0 and one.nearer for one in ranked):
        summary += f" In {odd} its errors are larger, but its mean is closer to the actual mean."
    if slices.too_small:
        summary += f" Groups with too few rows: {ENGLISH.count(len(slices.too_small))}."
    if slices.left_out:
        summary += f" Not evaluated: {', '.join(slices.left_out)}."
    with plot_fonts():
        plots = [plot_image(slice_gains(slices, drawable_text))]
    rows = [_row(target, one, metric.form, one in slices.lost) for one in ranked[:LISTED_GROUPS]]
    return SliceSection(metric.label, summary, rows, plots)


def _row(target: str, one: Slice, form: MetricForm, worse: bool) -> SliceRow:
    verdict = "worse" if worse else "better" if one.gain.low > 0 else "no clear difference"
    if one.gain.high < 0 and one.nearer:
        verdict = "larger errors, closer mean"
    predicted, actual = (_mean(target, value) for value in (one.predicted, one.actual))
    return SliceRow(
        one.name, ENGLISH.count(one.rows), format_metric(one.model.value, form),
        format_metric(one.rival.value, form), format_metric(one.gain.value, form),
        format_interval(one.gain, form), verdict, predicted, actual,
    )  # fmt: skip


def _mean(target: str, value: float) -> str:
    """Format a mean prediction: a share, a score, an NPS or an amount."""
    kind = TARGETS[target].kind
    if kind == "binary":
        return ENGLISH.percent(value)
    if kind == "regression":
        return ENGLISH.count(value)
    return ENGLISH.decimal(value if kind == "ordinal" else 100 * value, 1)


def ageing_section(target: str, company: Company, workspace: Workspace) -> AgeingSection | None:
    """How fast the models of a target age, measured at its last training; None before that."""
    path = workspace.cards(company.name) / f"{target}.json"
    if not path.is_file():
        return None
    try:
        found = read_staleness(path)
    except DataRefused as err:
        return AgeingSection(f"{err}.", "", [])
    summary = found.describe()
    if found.lasts is None:
        return AgeingSection(f"{summary[0].upper()}{summary[1:]}.", "", [])
    with plot_fonts():
        plots = [plot_image(age_curve(found))]
    return AgeingSection(f"By age, a model is {summary}.", _advice(found), plots)


def _advice(found: Staleness) -> str:
    """How often to retrain: while no loss is significant, but at least every month."""
    oldest = found.ages[-1]
    kept = f"keeps {ENGLISH.percent(oldest.kept)} of the lead over the baseline rule"
    if not oldest.kept > 0:
        kept = "is not better than the baseline rule"
    lasts = found.lasts or 1
    every = "every month" if lasts == 1 else f"at least every {lasts} months"
    return f"Retrain {every}. A model that is {oldest.months} months old {kept}."
