"""What a customer said when asked, and whether he answered."""

from features.derived import TONE
from features.expressions import Expression, Past, View
from features.registry import feature


def _overall(past: Past) -> View:
    return past.answers.where(instrument="csat", dimension="overall")


def _nps(past: Past) -> View:
    return past.answers.where(instrument="nps")


@feature(unit="questions", windows=(180, 365))
def questions(past: Past) -> Expression:
    """Survey questions sent in the last {window} days"""
    return past.surveys.count()


@feature(unit="answers", windows=(180, 365))
def answers(past: Past) -> Expression:
    """Survey questions answered in the last {window} days"""
    return past.answers.count()


@feature(unit="share", windows=(365, None))
def response_rate(past: Past) -> Expression:
    """Share of the questions sent in the last {window} days that were answered"""
    return past.surveys.known("answered_at").count() / past.surveys.count()


@feature(unit="days")
def days_since_answer(past: Past) -> Expression:
    """Days since the last survey answer"""
    return past.answers.days_since()


@feature(unit="days")
def days_since_question(past: Past) -> Expression:
    """Days since a survey question was last sent"""
    return past.surveys.days_since()


@feature(unit="hours", windows=(365,))
def answer_hours(past: Past) -> Expression:
    """Mean hours the customer took to answer in the last {window} days"""
    return past.answers.mean("answer_hours")


@feature(unit="points of 100", windows=(180, 365, None))
def csat(past: Past) -> Expression:
    """Mean overall satisfaction answered in the last {window} days"""
    return _overall(past).mean("level")


@feature(unit="points of 100")
def csat_last(past: Past) -> Expression:
    """Overall satisfaction last answered"""
    return _overall(past).last("level")


@feature(unit="points of 100")
def csat_lowest(past: Past) -> Expression:
    """Lowest overall satisfaction ever answered"""
    return _overall(past).min("level")


@feature(unit="points per 30 days", windows=(365,))
def csat_slope(past: Past) -> Expression:
    """Change of overall satisfaction per 30 days in the last {window} days"""
    return _overall(past).slope("level")


@feature(unit="points of 100")
def nps_last(past: Past) -> Expression:
    """Readiness to recommend last answered"""
    return _nps(past).last("level")


@feature(unit="points of 100", windows=(365, None))
def nps_mean(past: Past) -> Expression:
    """Mean readiness to recommend answered in the last {window} days"""
    return _nps(past).mean("level")


@feature(unit="points per 30 days", windows=(365,))
def nps_slope(past: Past) -> Expression:
    """Change of readiness to recommend per 30 days in the last {window} days"""
    return _nps(past).slope("level")


@feature(unit="points of 100", each="dimension", windows=(365,))
def satisfaction_with(past: Past, dimension: str) -> Expression:
    """Mean satisfaction with {value} answered in the last {window} days"""
    return past.answers.where(dimension=dimension).mean("level")


@feature(unit="points of 100", windows=(180, 365))
def expectation_gap(past: Past) -> Expression:
    """Mean gap between perceived and expected service in the last {window} days"""
    return past.answers.mean("gap")


@feature(unit="points of 100", windows=(365,))
def expectation_gap_worst(past: Past) -> Expression:
    """Worst gap between perceived and expected service in the last {window} days"""
    return past.answers.min("gap")


@feature(unit="-1 to 1", windows=(365,))
def comment_sentiment(past: Past) -> Expression:
    """Mean sentiment of survey comments in the last {window} days"""
    return past.answers.mean("sentiment")


@feature(unit="-1 to 1")
def comment_sentiment_last(past: Past) -> Expression:
    """Sentiment of the last survey comment"""
    return past.answers.last("sentiment")


@feature(unit="comments", windows=(365,))
def comments(past: Past) -> Expression:
    """Survey comments written in the last {window} days"""
    return past.answers.known("comment").count()


@feature(unit="comments", each="topic", windows=(365,))
def comments_about(past: Past, topic: str) -> Expression:
    """Survey comments about {value} in the last {window} days"""
    return past.answers.where(**{f"about_{topic}": 1.0}).count()


@feature(unit="points of 100", windows=(365,))
def comment_tone(past: Past) -> Expression:
    """Mean score that survey comments of the last {window} days sound like"""
    return past.answers.mean(TONE)


@feature(unit="points of 100")
def comment_tone_last(past: Past) -> Expression:
    """Score that the last survey comment sounds like"""
    return past.answers.last(TONE)
