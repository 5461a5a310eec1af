"""The language of the report: its catalogue of words, and names of what the data call by a word."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from features.errors import ConfigRefused
from features.settings import Settings
from insight.business_report.locale.en import WORDS as ENGLISH
from insight.business_report.locale.en_names import NAMES as ENGLISH_NAMES
from insight.business_report.locale.zh import WORDS as CHINESE
from insight.business_report.locale.zh_names import NAMES as CHINESE_NAMES

Language = Literal["en", "zh"]

CATALOGUES: dict[Language, Mapping[str, str]] = {
    "en": ENGLISH | ENGLISH_NAMES,
    "zh": CHINESE | CHINESE_NAMES,
}


def report_language() -> Language:
    """The language `LANG_REPORT` asks for; English unless it is set.

    Raises ConfigRefused for a language there is no catalogue of.
    """
    asked = Settings().report_language.strip() or "en"
    for language in CATALOGUES:
        if asked == language:
            return language
    raise ConfigRefused(
        f"no report in LANG_REPORT={asked!r}; languages are {', '.join(CATALOGUES)}"
    )


@dataclass(frozen=True)
class Words:
    """A language's words: `words("key", n=3)` is a sentence, `words.named("tier", "A")` a name."""

    language: Language

    def __call__(self, key: str, **parts: Any) -> str:
        return CATALOGUES[self.language][key].format(**parts)

    def named(self, kind: str, name: str) -> str:
        """What a thing of the data is called; a name nobody translated is shown as it is."""
        found = CATALOGUES[self.language].get(f"{kind}.{name}")
        return found if found is not None else name.removeprefix("crm_").replace("_", " ")

    def knows(self, kind: str, name: str) -> bool:
        """Whether there is a word for a thing of the data."""
        return f"{kind}.{name}" in CATALOGUES[self.language]
