"""Comments by topic: how many, the change on last year, how critical, and examples without names."""

from dataclasses import dataclass

from insight.business_report.figure_markup import data_attributes
from insight.business_report.report_inputs import ReportInputs
from insight.business_report.tiles_section import direction_of
from insight.business_report.verdict_text import ARROWS
from insight.evaluation.business_schema import CommentTopic


@dataclass(frozen=True)
class TopicRow:
    """A topic; `bar` is its share in percent of the largest topic's."""

    name: str
    comments: str
    share: str
    bar: float
    change: str
    arrow: str
    negative: str
    examples: list[str]
    exact: dict[str, str]


@dataclass(frozen=True)
class CommentsSection:
    """A note on the comments, and the topics, the most frequent first."""

    note: str
    rows: list[TopicRow]


def comments_section(inputs: ReportInputs) -> CommentsSection | None:
    """The topics of the evaluation; None where there are none. Examples are in the report's language."""
    topics = inputs.evaluation.comments if inputs.evaluation else []
    if not topics:
        return None
    most = max(topic.share for topic in topics)
    note = inputs.translate("comments_note", months=topics[0].months)
    return CommentsSection(note, [_row(topic, most, inputs) for topic in topics])


def _row(topic: CommentTopic, most: float, inputs: ReportInputs) -> TopicRow:
    numbers, direction = inputs.numbers, None
    change = inputs.translate("no_year_ago")
    if topic.change is not None:
        direction = direction_of(topic.change)
        points = numbers.signed(round(100 * topic.change.value, 1) + 0.0)
        change = inputs.translate("share_points" if direction else "share_unclear", points=points)
    return TopicRow(
        name=inputs.translate.name("category", topic.topic),
        comments=numbers.count(topic.comments),
        share=numbers.percent(topic.share, 0),
        bar=round(100 * topic.share / most, 1) if most else 0.0,
        change=change,
        arrow=ARROWS[direction] if direction else "",
        negative="" if topic.negative is None else numbers.percent(topic.negative, 0),
        examples=topic.examples.get(inputs.translate.language, []),
        exact=data_attributes(topic=topic.topic, value=topic.share, n=topic.comments),
    )
