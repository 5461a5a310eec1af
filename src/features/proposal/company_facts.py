"""What holds for the whole company: currency and time zone, from signs, codes, places and language."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from features.proposal.column_profile import Column
from features.proposal.guess import Confidence, GuessBook
from features.proposal.load_sources import Source
from features.proposal.vocabulary import language_of

#: Countries by their names and codes, with currency and zone; those with several zones have none.
_COUNTRIES = {
    "united kingdom|uk|gb|great britain|england": ("GBP", "Europe/London"),
    "germany|deutschland|de": ("EUR", "Europe/Berlin"),
    "austria|osterreich|österreich|at": ("EUR", "Europe/Vienna"),
    "switzerland|schweiz|ch": ("CHF", "Europe/Zurich"),
    "france|frankreich|fr": ("EUR", "Europe/Paris"),
    "spain|españa|es": ("EUR", "Europe/Madrid"),
    "italy|italia|it": ("EUR", "Europe/Rome"),
    "netherlands|nederland|nl": ("EUR", "Europe/Amsterdam"),
    "portugal|pt": ("EUR", "Europe/Lisbon"),
    "brazil|brasil|br": ("BRL", "America/Sao_Paulo"),
    "china|中国|cn": ("CNY", "Asia/Shanghai"),
    "japan|日本|jp": ("JPY", "Asia/Tokyo"),
    "india|in": ("INR", "Asia/Kolkata"),
    "united states|usa|us": ("USD", None),
    "canada|ca": ("CAD", None),
    "australia|au": ("AUD", None),
}
#: The share of the rows from which a country is that of the company.
MOST = 0.7
_BY_NAME = {n: facts for names, facts in _COUNTRIES.items() for n in names.split("|")}
_BY_LANGUAGE = {"de": "germany", "pt": "brazil", "zh": "china"}
#: Packages in pounds and ounces are those of the United States; other countries must print grams.
_US_PACKAGE = re.compile(r"\d\s*(LBS?|OZ|FL OZ|GAL|QT)\b", re.IGNORECASE)
_US_SHARE, _MOST_AMERICANS = 0.3, "America/New_York"
_BY_CURRENCY = {"GBP": "Europe/London", "BRL": "America/Sao_Paulo", "CNY": "Asia/Shanghai"}
#: Currencies whose sign others use, too.
_SHARED_SIGNS = {"USD", "CNY", "SEK"}
#: States of Brazil: a column that holds nothing else says the country.
_BRAZIL = {
    "AC", "AL", "AP", "AM", "BA", "CE", "DF", "ES", "GO", "MA", "MT", "MS", "MG", "PA", "PB", "PR", "PE",
    "PI", "RJ", "RN", "RS", "RO", "RR", "SC", "SP", "SE", "TO",
}  # fmt: skip


@dataclass(frozen=True)
class CompanyFacts:
    """The currency and the time zone of a company; `currencies` are all that were found."""

    currency: str
    time_zone: str
    currencies: tuple[str, ...] = ()


def find_facts(sources: Sequence[Source], book: GuessBook) -> CompanyFacts:
    """Guess currency and zone; where nothing says them, EUR and UTC, marked as unsure."""
    columns = [c for s in sources for c in s.columns.values()]
    country = _country(columns)
    language = language_of([c.name for c in columns] + [v for c in columns for v in _words(c)])
    codes = _currencies(columns)
    american = country is None and not codes and any(map(_is_american, columns))
    currency = _currency(codes, country, language, american, book)
    times = [c for c in columns if c.is_time]
    confidence: Confidence
    if times and all(c.has_zone for c in times):
        zone, confidence, why = "UTC", "sure", "every time carries its zone"
    elif country and country[1]:
        zone, confidence = country[1], "likely"
        why = f"most customers are in one country: {country[2]}"
    else:
        confidence = "unsure"
        zone, why = _unsure_zone(codes, american, language)
    book.add("company.time_zone", confidence, why)
    return CompanyFacts(currency, zone, tuple(codes))


def _unsure_zone(codes: list[str], american: bool, language: str | None) -> tuple[str, str]:
    """A zone that the currency, the units or the language suggest, and why; UTC without any."""
    if codes and codes[0] in _BY_CURRENCY:
        return _BY_CURRENCY[codes[0]], f"by the currency {codes[0]}"
    if american:
        return _MOST_AMERICANS, "packages are in pounds and ounces: one of the US zones"
    zone = _BY_NAME[_BY_LANGUAGE[language]][1] if language in _BY_LANGUAGE else None
    if zone:
        return zone, f"by the language of names and values ({language})"
    return "UTC", "times carry no zone and nothing says where they are from"


def _currency(
    codes: list[str],
    country: tuple[str, str | None, str] | None,
    language: str | None,
    american: bool,
    book: GuessBook,
) -> str:
    if codes:
        why = f"signs or codes of the amounts: {', '.join(codes)}"
        book.add(
            "company.currency",
            "sure" if len(codes) == 1 and codes[0] not in _SHARED_SIGNS else "likely",
            why,
        )
        return codes[0]
    if country:
        book.add("company.currency", "likely", f"most customers are in one country: {country[2]}")
        return country[0]
    if american:
        book.add("company.currency", "unsure", "packages are in pounds and ounces, as in the US")
        return "USD"
    if language in _BY_LANGUAGE:
        book.add("company.currency", "unsure", f"by the language of names and values ({language})")
        return _BY_NAME[_BY_LANGUAGE[language]][0]
    book.add("company.currency", "unsure", "no amount has a sign or code of a currency")
    return "EUR"


def _currencies(columns: Sequence[Column]) -> list[str]:
    """Currency codes of the amounts, the most frequent first."""
    found: Counter[str] = Counter()
    for column in columns:
        if column.number and column.number.currency:
            found[column.number.currency] += column.filled
        if column.means.share("currency") >= 0.5:
            for value, count in column.values.items():
                code = {"RMB": "CNY"}.get(value.strip().upper(), value.strip().upper())
                if len(code) == 3 and code.isascii() and code.isalpha():
                    found[code] += count
    return [code for code, _ in found.most_common()]


def _country(columns: Sequence[Column]) -> tuple[str, str | None, str] | None:
    """Currency, zone and name of the country that most rows of a column of places name."""
    for column in columns:
        if "stable" not in column.means or not column.is_text or not column.values:
            continue
        if len(column.values) >= 10 and set(column.values) <= _BRAZIL:
            return (*_BY_NAME["brazil"], "Brazil, by its states")
        top, count = next(iter(column.values.items()))
        facts = _BY_NAME.get(top.strip().lower())
        named = (
            len(top.strip()) > 2 or sum(v.strip().lower() in _BY_NAME for v in column.values) > 1
        )
        if facts and named and count > MOST * column.filled:
            return (*facts, top)
    return None


def _is_american(column: Column) -> bool:
    """Whether the sizes of packages are in pounds and ounces."""
    texts = column.examples
    found = sum(1 for text in texts if _US_PACKAGE.search(text))
    return len(texts) >= 10 and found >= _US_SHARE * len(texts)


def _words(column: Column) -> list[str]:
    """The values of a column of few values, as words for the language."""
    return list(column.values)[:12] if column.is_text and len(column.values) <= 30 else []
