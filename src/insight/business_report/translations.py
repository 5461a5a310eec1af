"""Texts of the report in English and Chinese, from `locale/en.toml` and `locale/zh.toml`."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Any, get_args

from features.errors import ConfigRefused
from features.formatting import Language, NumberFormat, close_up_percent
from features.settings import Settings
from models.targets.registry import TARGETS

#: Four English words in a row.
ENGLISH_SENTENCE = re.compile(r"[A-Za-z'’]+(?:,? [A-Za-z'’]+){3,}")
#: A gap of a message, as `re.escape` writes it.
_GAP = re.compile(r"\\\{(\w+)\\\}")
LANGUAGES: tuple[Language, ...] = get_args(Language)
#: What readers call their language, and its tag in HTML.
LANGUAGE_NAMES: Mapping[Language, str] = {"en": "English", "zh": "中文"}
LANGUAGE_TAGS: Mapping[Language, str] = {"en": "en", "zh": "zh-Hans"}


def report_language() -> Language:
    """The language set by `LANG_REPORT`; English by default.

    Raises ConfigRefused for a language without a catalogue.
    """
    wanted = Settings().report_language.strip() or "en"
    for language in LANGUAGES:
        if wanted == language:
            return language
    raise ConfigRefused(
        f"no report in LANG_REPORT={wanted!r}; languages are {', '.join(LANGUAGES)}"
    )


@dataclass(frozen=True)
class Translator:
    """Texts and formats of one language: `translate("key", n=3)`, `translate.name("tier", "A")`."""

    language: Language

    def __call__(self, key: str, **parts: Any) -> str:
        return load_texts(self.language)[key].format(**parts)

    @cached_property
    def numbers(self) -> NumberFormat:
        """The number formats of the language."""
        return NumberFormat(self.language)

    def name(self, kind: str, name: str) -> str:
        """The display name of something in the data; the name itself where it has no translation."""
        found = load_names(self.language).get(kind, {}).get(name)
        return found if found is not None else name.removeprefix("crm_").replace("_", " ")

    def has_name(self, kind: str, name: str) -> bool:
        """Whether something in the data has a display name."""
        return name in load_names(self.language).get(kind, {})

    def message(self, text: str) -> str:
        """A message of another part of Goodwill, in the language of the report.

        In Chinese, a message without a translation becomes a note that it exists in English only.
        """
        found = translate_message(text, self.language) or text
        if self.language == "zh" and ENGLISH_SENTENCE.search(found):
            return self("english_only")
        return close_up_percent(found)


def load_texts(language: Language) -> Mapping[str, str]:
    """The sentences of the report, by key."""
    texts: Mapping[str, str] = load_catalogue(language)["text"]
    return texts


@cache
def load_names(language: Language) -> Mapping[str, Mapping[str, str]]:
    """The display names of things in the data, by kind and name; targets declare their own."""
    names: Mapping[str, Mapping[str, str]] = load_catalogue(language)["name"]
    titles = {t.name: t.title_zh if language == "zh" else t.title for t in TARGETS.values()}
    return {**names, "target": titles}


@cache
def load_catalogue(language: str) -> dict[str, Any]:
    """Read a catalogue of the folder `locale`."""
    path = files("insight.business_report").joinpath("locale", f"{language}.toml")
    return tomllib.loads(path.read_text(encoding="utf-8"))


def translate_message(text: str, language: Language) -> str | None:
    """Translate a message by the patterns of `messages_<language>.toml`; None where none matches.

    Gaps of a pattern that are messages themselves are translated, too.
    """
    for pattern, translation in _message_patterns(language):
        if found := pattern.fullmatch(text):
            gaps = {
                name: translate_message(part, language) or part
                for name, part in found.groupdict().items()
            }
            return translation.format(**gaps)
    return None


@cache
def _message_patterns(language: Language) -> list[tuple[re.Pattern[str], str]]:
    """Patterns of messages with their translation; `{name}` stands for any text."""
    messages: dict[str, str] = load_catalogue(f"messages_{language}")["message"]
    return [
        (re.compile(_GAP.sub(r"(?P<\1>.+?)", re.escape(message)), re.DOTALL), translation)
        for message, translation in messages.items()
    ]
