"""A score and what a reason does to it, in words: "+11 points churn risk"."""

from functools import lru_cache

from features.formatting import short_number, short_signed
from models.targets.registry import TARGETS

#: The score of each target as people call it, in English and Chinese.
TITLES = {
    "churn": ("churn risk", "流失风险"),
    "nps": ("NPS", "净推荐值"),
    "satisfaction": ("satisfaction", "满意度"),
    "value": ("expected revenue", "预期收入"),
}


def english(target: str, points: float, currency: str) -> str:
    """The effect on the score in English; money where the target is money."""
    return in_english(target, short_signed(points), currency)


@lru_cache(maxsize=10_000)
def in_english(target: str, by: str, currency: str) -> str:
    """The same, of an effect that is written already: "+11"."""
    unit = "point" if by in {"+1", "-1"} else "points"
    unit = currency if TARGETS[target].kind == "regression" else unit
    return " ".join(filter(None, (by, unit, title(target, "en"))))


def chinese(target: str, points: float, currency: str) -> str:
    """The effect on the score in Chinese; a probability moves by percentage points."""
    return in_chinese(target, short_signed(points), currency)


@lru_cache(maxsize=10_000)
def in_chinese(target: str, by: str, currency: str) -> str:
    """The same, of an effect that is written already: "+11"."""
    kind = TARGETS[target].kind
    unit = f" {currency}" if kind == "regression" else "个百分点" if kind == "binary" else "分"
    return f"{title(target, 'zh')}{by}{unit}".rstrip()


def title(target: str, language: str) -> str:
    """The score as people call it."""
    named = TITLES.get(target, (TARGETS[target].title.lower(), TARGETS[target].title))
    return named[1] if language == "zh" else named[0]


def amount(target: str, score: float, currency: str) -> str:
    """A score in its unit: "18 %", "1,200 EUR", "62"."""
    kind = TARGETS[target].kind
    unit = f" {currency}".rstrip() if kind == "regression" else " %" if kind == "binary" else ""
    return f"{short_number(score)}{unit}"
