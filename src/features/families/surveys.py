"""Survey features: answers, scores and comments, and whether the customer answers."""

from features.definitions.expressions import Expression, Past, View
from features.definitions.feature_registry import feature
from features.history.derived_columns import TONE


def _overall(past: Past) -> View:
    return past.answers.where(instrument="csat", dimension="overall")


def _nps(past: Past) -> View:
    return past.answers.where(instrument="nps")


@feature(unit="questions", windows=(180, 365), zh="近{window}天的调查问题数")
def questions(past: Past) -> Expression:
    """Survey questions sent in the last {window} days"""
    return past.surveys.count()


@feature(
    unit="answers",
    windows=(180, 365),
    en="answers to surveys in the last {window} days",
    zh="近{window}天的调查回答数",
)
def answers(past: Past) -> Expression:
    """Survey questions answered in the last {window} days"""
    return past.answers.count()


@feature(
    unit="share",
    windows=(365, None),
    en="share of survey questions answered in the last {window} days",
    zh="近{window}天的调查回答率",
)
def response_rate(past: Past) -> Expression:
    """Share of the questions sent in the last {window} days that were answered"""
    return past.surveys.known("answered_at").count() / past.surveys.count()


@feature(unit="days", zh="距上次回答调查已{n}天")
def days_since_answer(past: Past) -> Expression:
    """Days since the last survey answer"""
    return past.answers.days_since()


@feature(unit="days", zh="距上次收到调查已{n}天")
def days_since_question(past: Past) -> Expression:
    """Days since a survey question was last sent"""
    return past.surveys.days_since()


@feature(
    unit="hours",
    windows=(365,),
    en="time the customer took to answer a survey in the last {window} days",
    zh="近{window}天的平均答卷用时",
)
def answer_hours(past: Past) -> Expression:
    """Mean hours the customer took to answer in the last {window} days"""
    return past.answers.mean("answer_hours")


@feature(
    unit="points of 100",
    windows=(180, 365, None),
    en="mean satisfaction answered in the last {window} days",
    zh="近{window}天的平均满意度评分",
)
def csat(past: Past) -> Expression:
    """Mean overall satisfaction answered in the last {window} days"""
    return _overall(past).mean("level")


@feature(unit="points of 100", en="satisfaction last answered", zh="最近一次满意度评分")
def csat_last(past: Past) -> Expression:
    """Overall satisfaction last answered"""
    return _overall(past).last("level")


@feature(unit="points of 100", en="lowest satisfaction ever answered", zh="历史最低满意度评分")
def csat_lowest(past: Past) -> Expression:
    """Lowest overall satisfaction ever answered"""
    return _overall(past).min("level")


@feature(
    unit="points per 30 days",
    windows=(365,),
    en="drift of satisfaction a month in the last {window} days",
    zh="近{window}天的满意度月度变化",
    form="signed",
)
def csat_slope(past: Past) -> Expression:
    """Change of overall satisfaction per 30 days in the last {window} days"""
    return _overall(past).slope("level")


@feature(unit="points of 100", zh="最近一次推荐意愿评分")
def nps_last(past: Past) -> Expression:
    """Readiness to recommend last answered"""
    return _nps(past).last("level")


@feature(unit="points of 100", windows=(365, None), zh="近{window}天的平均推荐意愿评分")
def nps_mean(past: Past) -> Expression:
    """Mean readiness to recommend answered in the last {window} days"""
    return _nps(past).mean("level")


@feature(
    unit="points per 30 days",
    windows=(365,),
    en="drift of the readiness to recommend a month in the last {window} days",
    zh="近{window}天的推荐意愿月度变化",
    form="signed",
)
def nps_slope(past: Past) -> Expression:
    """Change of readiness to recommend per 30 days in the last {window} days"""
    return _nps(past).slope("level")


@feature(
    unit="points of 100",
    each="dimension",
    windows=(365,),
    zh="近{window}天对{value}的平均满意度评分",
)
def satisfaction_with(past: Past, dimension: str) -> Expression:
    """Mean satisfaction with {value} answered in the last {window} days"""
    return past.answers.where(dimension=dimension).mean("level")


@feature(
    unit="points of 100",
    windows=(180, 365),
    en="service in the last {window} days was {n}",
    zh="近{window}天的服务{n}",
    form="gap",
)
def expectation_gap(past: Past) -> Expression:
    """Mean gap between perceived and expected service in the last {window} days"""
    return past.answers.mean("gap")


@feature(
    unit="points of 100",
    windows=(365,),
    en="service at its worst in the last {window} days was {n}",
    zh="近{window}天最差的一次服务{n}",
    form="gap",
)
def expectation_gap_worst(past: Past) -> Expression:
    """Worst gap between perceived and expected service in the last {window} days"""
    return past.answers.min("gap")


@feature(unit="-1 to 1", windows=(365,), zh="近{window}天的调查评论情绪")
def comment_sentiment(past: Past) -> Expression:
    """Mean sentiment of survey comments in the last {window} days"""
    return past.answers.mean("sentiment")


@feature(unit="-1 to 1", zh="最近一条调查评论的情绪")
def comment_sentiment_last(past: Past) -> Expression:
    """Sentiment of the last survey comment"""
    return past.answers.last("sentiment")


@feature(
    unit="comments",
    windows=(365,),
    en="comments in surveys in the last {window} days",
    zh="近{window}天的调查评论数",
)
def comments(past: Past) -> Expression:
    """Survey comments written in the last {window} days"""
    return past.answers.known("comment").count()


@feature(
    unit="comments",
    each="topic",
    windows=(365,),
    en="comments about {value} in the last {window} days",
    zh="近{window}天关于{value}的调查评论数",
)
def comments_about(past: Past, topic: str) -> Expression:
    """Survey comments about {value} in the last {window} days"""
    return past.answers.where(**{f"about_{topic}": 1.0}).count()


@feature(
    unit="points of 100",
    windows=(365,),
    en="score that survey comments sound like in the last {window} days",
    zh="近{window}天调查评论语气对应的评分",
)
def comment_tone(past: Past) -> Expression:
    """Mean score that survey comments of the last {window} days sound like"""
    return past.answers.mean(TONE)


@feature(unit="points of 100", zh="最近一条调查评论语气对应的评分")
def comment_tone_last(past: Past) -> Expression:
    """Score that the last survey comment sounds like"""
    return past.answers.last(TONE)
