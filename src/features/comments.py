"""What a comment feels like: sentiment in Chinese, English and Portuguese, without a download.

English is read by VADER, Portuguese by LeIA (VADER's Portuguese lexicon), Chinese by a small
lexicon of our own for the trade. A score depends on its own text only, so it can leak nothing.
"""

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

_HAN = re.compile(r"[\u4e00-\u9fff]")
_PORTUGUESE = re.compile(
    r"[ãõçáéíóúâêô]|\b(?:não|nao|produto|entrega|muito|bom|boa|ótimo|otimo|prazo|recebi|chegou"
    r"|antes|veio|compra|loja|com|que|para|uma|meu|minha|recomendo|excelente|tudo)\b",
    re.IGNORECASE,
)
_GOOD = [
    "满意",
    "滿意",
    "很好",
    "不错",
    "及时",
    "及時",
    "准时",
    "準時",
    "快",
    "专业",
    "專業",
    "热情",
    "熱情",
    "优秀",
    "優秀",
    "推荐",
    "推薦",
    "感谢",
    "感謝",
    "耐心",
    "可靠",
    "稳定",
    "穩定",
    "放心",
    "实惠",
    "實惠",
    "合理",
    "完美",
    "周到",
    "顺利",
    "順利",
    "喜欢",
    "喜歡",
    "值得",
    "好用",
    "高效",
    "负责",
    "負責",
]
_BAD = [
    "差",
    "慢",
    "晚",
    "迟",
    "遲",
    "延误",
    "延誤",
    "拖延",
    "失望",
    "投诉",
    "投訴",
    "退货",
    "退貨",
    "破损",
    "破損",
    "坏",
    "壞",
    "贵",
    "貴",
    "错误",
    "錯誤",
    "敷衍",
    "推诿",
    "推諉",
    "不满",
    "不滿",
    "糟糕",
    "漏发",
    "漏發",
    "缺货",
    "缺貨",
    "没人",
    "沒人",
    "冷淡",
    "态度恶劣",
    "故障",
    "质量问题",
    "質量問題",
    "问题",
    "問題",
    "麻烦",
    "麻煩",
    "耽误",
    "耽誤",
    "不耐烦",
    "不耐煩",
    "再也不",
]
_CHINESE = re.compile("|".join(sorted(map(re.escape, (*_GOOD, *_BAD)), key=len, reverse=True)))
_NEGATION = re.compile(r"(?:不|没|沒|未|别|別|无|無)(?:太|够|夠|是|有|很|怎么|怎麼|算)?$")


def sentiment(texts: Sequence[str | None]) -> NDArray[np.float64]:
    """Sentiment of each text, from -1 (bitter) to 1 (delighted); NaN for None or blank."""
    return np.array([_one(text) for text in texts], dtype=np.float64)


@lru_cache(maxsize=100_000)
def _one(text: str | None) -> float:
    if text is None or not text.strip():
        return float("nan")
    if _HAN.search(text):
        return _chinese(text)
    portuguese = len(_PORTUGUESE.findall(text)) > len(text.split()) / 6
    reader = _portuguese() if portuguese else _english()
    return float(reader.polarity_scores(text)["compound"])


def _chinese(text: str) -> float:
    """Good words minus bad words over all found, a negation before a word turning it round."""
    total, found = 0, 0
    for match in _CHINESE.finditer(text):
        sign = 1 if match.group() in _GOOD else -1
        negated = _NEGATION.search(text[max(0, match.start() - 3) : match.start()])
        total += -sign if negated else sign
        found += 1
    return total / found if found else 0.0


@cache
def _english() -> Any:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    return SentimentIntensityAnalyzer()


@cache
def _portuguese() -> Any:
    from LeIA import SentimentIntensityAnalyzer

    return SentimentIntensityAnalyzer()
