"""A guess of the proposal: what it says, how sure it is, why, and what else it could be."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

Confidence = Literal["sure", "likely", "unsure"]
#: Answers a question with one of its options.
Chooser = Callable[["Question"], str]


@dataclass(frozen=True)
class Question:
    """Two or more readings that are equally likely; `safer` is taken where nobody is asked."""

    place: str
    text: str
    options: dict[str, str]
    safer: str


@dataclass(frozen=True)
class Guess:
    """One guess: `place` in the company file, its confidence and its reason in words."""

    place: str
    confidence: Confidence
    why: str

    @property
    def comment(self) -> str:
        return f"{self.confidence}: {self.why}"


@dataclass
class GuessBook:
    """All guesses of a proposal by place, the questions that were decided, and what is left out."""

    choose: Chooser
    guesses: dict[str, Guess] = field(default_factory=dict)
    decided: list[tuple[Question, str]] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=dict)

    def add(self, place: str, confidence: Confidence, why: str) -> None:
        """Note a guess; of several about one place the least sure counts, with all reasons."""
        order: tuple[Confidence, ...] = ("sure", "likely", "unsure")
        known = self.guesses.get(place)
        if known and known.why != why:
            why = f"{known.why}; {why}"
            confidence = max(known.confidence, confidence, key=order.index)
        self.guesses[place] = Guess(place, confidence, why)

    def leave_out(self, table: str, what: str) -> None:
        """Note a column or source that is not used, with the reason."""
        if what not in self.left_out.setdefault(table, []):
            self.left_out[table].append(what)

    def ask(self, question: Question) -> str:
        """Decide between readings that are equally likely."""
        for known, answer in self.decided:
            if known == question:
                return answer
        answer = self.choose(question)
        self.decided.append((question, answer))
        return answer

    def confidence(self, place: str) -> Confidence:
        """The confidence of a place; `unsure` where nothing was noted."""
        found = self.guesses.get(place)
        return found.confidence if found else "unsure"


def take_safer(question: Question) -> str:
    """Answer a question without asking anybody."""
    return question.safer
