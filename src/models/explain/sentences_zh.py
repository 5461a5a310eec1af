"""Sentences in Chinese: the cause of a reason, its effect on the score, and scores."""

from collections.abc import Callable
from functools import lru_cache

from features.definitions.feature_registry import FeatureColumn
from features.formatting import label_number, short_number, short_percent, short_signed
from models.explain.sentence_rules import COUNTS, counted, missing_rows, rises, value_form
from models.targets.registry import TARGETS

NOUNS = {
    "order": "订单", "return": "退货", "shipment": "配送记录", "payment": "付款", "visit": "销售拜访",
    "login": "登录", "contract": "合同", "renewal": "续签", "events": "往来", "tickets": "工单",
    "complaint": "投诉", "answer": "调查回答", "question": "调查", "comment": "评论",
}  # fmt: skip

#: The name of each target's score.
SCORE_NAMES = {
    "churn": "流失风险",
    "nps": "净推荐值",
    "satisfaction": "满意度",
    "value": "预期收入",
}


def cause(
    column: FeatureColumn, value: float | str | None, before: float | None, currency: str
) -> str:
    """State a customer's value, compared with the window before where that is known."""
    phrase = column.phrases.zh or column.meaning
    if value is None:
        return missing(column, phrase)
    if isinstance(value, str):
        return f"{phrase}为{value}"
    form = value_form(column)
    now = written(value, form, currency)
    then = None if before is None else written(before, form, currency)
    changed = then is not None and then != now and f"近{column.window}天" in phrase
    if "{n}" in phrase:
        if form == "span" and value < 0:
            return "最近一单还在途中"
        bare = short_number(value) if "{n}天" in phrase or form == "ratio" else now
        text = phrase.replace("{n}", bare)
        return f"{text}，此前{column.window}天为{then}" if changed else text
    if changed and before is not None:
        verb = "升到" if rises(before, value, form) else "降到"
        return f"{phrase}从{then}{verb}{now}"
    return f"{phrase}为{now}"


def missing(column: FeatureColumn, phrase: str) -> str:
    """State that a column has no value, and why."""
    rows = missing_rows(column)
    if rows is None or rows.kind not in NOUNS:
        return f"{phrase.replace('{n}', '')}未知"
    noun = NOUNS[rows.kind]
    window = "" if rows.window is None else f"近{rows.window}天"
    if rows.several:
        return f"{window}{noun}太少，无法判断"
    if not window:
        special = {"answer": "从未回答过调查", "question": "从未收到过调查"}
        return special.get(rows.kind, f"至今没有{noun}")
    return f"{window}没有{noun}"


def written(value: float, form: str, currency: str) -> str:
    """A value with its unit."""
    if form in COUNTS:
        return f"{counted(value):,}"
    plain: Callable[[float], str] = FORMS.get(form, short_number)
    return f"{plain(value)} {currency}".strip() if "money" in form else plain(value)


def effect(target: str, points: float, currency: str) -> str:
    """The effect of a reason on the score; a probability changes by percentage points."""
    return effect_text(target, short_signed(points), currency)


@lru_cache(maxsize=10_000)
def effect_text(target: str, signed: str, currency: str) -> str:
    """The effect of a reason whose number is formatted already: "+11"."""
    kind = TARGETS[target].kind
    unit = f" {currency}" if kind == "regression" else "个百分点" if kind == "binary" else "分"
    return f"{score_name(target)}{signed}{unit}".rstrip()


def score_name(target: str) -> str:
    """The name of a target's score."""
    return SCORE_NAMES.get(target, TARGETS[target].title_zh)


def _hours(value: float) -> str:
    return f"{short_number(value)}小时" if value < 48 else f"{short_number(value / 24)}天"


def _lateness(value: float) -> str:
    text = short_number(abs(value))
    return "准时" if text == "0" else f"{'迟到' if value > 0 else '提前'}{text}天"


def _gap(value: float) -> str:
    text = short_number(abs(value))
    return "符合预期" if text == "0" else f"{'高于' if value > 0 else '低于'}预期{text}分"


def _mood(value: float) -> str:
    word = "正面" if value > 0.05 else "负面" if value < -0.05 else "中性"
    return f"{word}（{short_signed(value)}）" if word != "中性" else word


FORMS: dict[str, Callable[[float], str]] = {
    "label": label_number,
    "days": lambda v: f"{short_number(v)}天",
    "hours": _hours,
    "share": lambda v: short_percent(v).replace(" ", ""),
    "negative share": lambda v: short_percent(abs(v)).replace(" ", ""),
    "points of 100": lambda v: f"{short_number(v)}分",
    "of 4": lambda v: f"{short_number(v)}级",
    "-1 to 1": _mood,
    "month": lambda v: f"{int(v)}月",
    "signed": lambda v: short_signed(v).replace("±0", "0"),
    "signed money": short_signed,
    "lateness": _lateness,
    "overdue": lambda v: _lateness(v).replace("迟到", "逾期"),
    "gap": _gap,
    "span": lambda v: f"{short_number(abs(v))}天",
}
