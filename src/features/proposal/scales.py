"""Survey answers: the columns that hold them, their scale, its direction, and answers in words."""

from dataclasses import dataclass

from features.ingest.sql import quote_literal
from features.proposal.column_profile import Column
from features.proposal.guess import Confidence, GuessBook, Question
from features.proposal.load_sources import Source
from features.proposal.vocabulary import answer_level, read_name, tokens

#: Scales in use, the narrowest first.
SCALES = ((1, 3), (1, 4), (1, 5), (0, 5), (1, 6), (1, 7), (0, 10), (1, 10), (0, 100), (1, 100))
#: Codes of "no answer" and "does not apply".
CODES = {-99, -9, -1, 0, 9, 66, 77, 88, 96, 97, 98, 99, 999, 9999}
#: The share of answers that a scale may leave out as codes.
MOST_CODES = 0.3


@dataclass(frozen=True)
class Scale:
    """A scale: SQL of the score with {0} for the column, its ends, and how sure it is.

    `reversed` says that 1 is the best answer; the SQL then turns it round.
    """

    sql: str
    low: float
    high: float
    confidence: Confidence
    why: str


def find_score_columns(source: Source) -> list[Column]:
    """The columns that hold answers on a scale: small whole numbers, or answers in words."""
    strong = "surveys" in source.means
    return [c for c in source.columns.values() if _is_score(c, strong)]


def _is_score(column: Column, survey: bool) -> bool:
    means = column.means
    ends = {"scale_low", "scale_high", "expectation", "weight", "leak", "severity", "line"}
    if column.is_time or not column.filled or ends & set(means.shares):
        return False
    if means.share("identifier", "amount", "quantity", "product") > means.share("score"):
        return False
    named = means.share("score") >= 0.4 or bool(read_name(column.name, "instruments").shares)
    if column.is_text:
        known = sum(n for v, n in column.values.items() if answer_level(v))
        return bool(column.values) and known >= 0.8 * column.filled
    if not column.is_number or column.is_flag or not named:
        return False
    numbers = [float(v) for v in column.values]
    return (
        bool(numbers)
        and all(n.is_integer() or n * 2 == int(n * 2) for n in numbers)
        and ((survey or means.share("score") >= 0.5) and max(numbers) <= 9999 and len(numbers) >= 2)
    )


def find_scale(column: Column, instrument: str, book: GuessBook, place: str) -> Scale:
    """The scale of a column of answers."""
    if column.is_text:
        return _scale_of_words(column)
    counts = {float(v): n for v, n in column.values.items()}
    low, high, codes, confidence, why = _ends(counts, instrument)
    sql = "{0}" if not codes else f"case when {{0}} not in ({_listed(codes)}) then {{0}} end"
    if codes:
        why += f"; {_listed(codes)} taken for no answer"
    if _may_be_grade(column, low, high):
        answer = book.ask(
            Question(
                place,
                f"{column.name} is from {low:g} to {high:g}: is 1 the best (a mark) or the worst?",
                {"best": "1 is the best answer", "worst": "1 is the worst answer"},
                "best" if (low, high) == (1, 6) else "worst",
            )
        )
        confidence = "unsure"
        why += (
            f"; {'1 is read as the best answer' if answer == 'best' else '1 is read as the worst'}"
        )
        if answer == "best":
            sql = f"({low + high:g} - {sql})"
    return Scale(sql, low, high, confidence, why)


def _ends(
    counts: dict[float, int], instrument: str
) -> tuple[float, float, list[float], Confidence, str]:
    """The ends of the scale, and the values outside it that are codes."""
    total = sum(counts.values())
    seen = f"values from {min(counts):g} to {max(counts):g}"
    least = min((v for v in counts if v not in CODES or v >= 1), default=min(counts))
    for low, high in sorted(SCALES, key=lambda s: (s[1], s[0] != (0 if least < 1 else 1))):
        if instrument == "nps" and (low, high) != (0, 10):
            continue
        outside = sorted(v for v in counts if not low <= v <= high)
        share = sum(counts[v] for v in outside) / total
        inside = [v for v in counts if low <= v <= high]
        if share > MOST_CODES or not inside or any(v not in CODES for v in outside):
            continue
        if max(inside) < high and (instrument != "nps" or not outside):
            if instrument == "nps":
                return low, high, outside, "likely", f"{seen}, the scale of NPS"
            continue
        sure = not outside and min(inside) == low and len(inside) >= min(4, high - low)
        return low, high, outside, "sure" if sure and (low, high) != (0, 5) else "likely", seen
    return min(counts), max(counts), [], "unsure", f"{seen}, no common scale"


def _may_be_grade(column: Column, low: float, high: float) -> bool:
    """Whether 1 may be the best: a German school mark, of 1 to 5 or 1 to 6."""
    return (low, high) in {(1, 5), (1, 6)} and (
        "note" in tokens(column.name) or (low, high) == (1, 6)
    )


def _scale_of_words(column: Column) -> Scale:
    """The scale of answers in words, which say their direction themselves."""
    levels = {value: answer_level(value) for value in column.values}
    known = {value: level for value, level in levels.items() if level}
    whens = " ".join(
        f"when {quote_literal(v)} then {n}" for v, n in sorted(known.items(), key=lambda i: i[1])
    )
    unknown = sorted(set(levels) - set(known))
    why = "answers in words, from 1 to 5"
    if unknown:
        why += f"; no answer: {', '.join(unknown[:5])}"
    confidence: Confidence = "likely" if unknown else "sure"
    return Scale(f"case {{0}} {whens} end", 1, 5, confidence, why)


def _listed(numbers: list[float]) -> str:
    return ", ".join(f"{n:g}" for n in numbers)
