"""What the control chart says of an indicator, in the words that tile, alert and trend share."""

from insight.business_report.figure_markup import format_value
from insight.business_report.translations import Translator
from insight.evaluation.indicator_schema import ChangeVerdict, Indicator, IndicatorAlert


def describe_verdict(
    of: ChangeVerdict | IndicatorAlert, indicator: Indicator, length: str, translate: Translator
) -> str:
    """Describe the verdict on the last period; `length` is that of a period."""
    if of.kind == "unwatched" or of.since is None:
        return translate("verdict_unwatched")
    since = translate.numbers.period(of.since, length)
    expected = format_value(indicator, of.expected, translate)
    if of.kind == "shift":
        level = format_value(indicator, of.level, translate)
        return translate("verdict_shift", since=since, level=level, former=expected)
    if of.kind == "jump":
        key = "verdict_jump" if of.since == indicator.period else "verdict_jump_since"
        return translate(key, since=since, expected=expected)
    levels = of.levels if isinstance(of, ChangeVerdict) else []
    if len(levels) < 2:
        return translate("verdict_usual", expected=expected)
    former = format_value(indicator, levels[-2].value, translate)
    return translate("verdict_usual_since", since=since, expected=expected, former=former)
