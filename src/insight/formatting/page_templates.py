"""The templates of the pages, compiled once in a process."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from features.formatting import ENGLISH, Language


@cache
def page_templates(package: str, language: Language = "en") -> Environment:
    """The templates of a package for pages in a language; what a page does not give is an error.

    Filters `count`, `share` and `day` write English numbers.
    """
    environment = Environment(
        loader=PackageLoader(package, "."), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters.update(count=ENGLISH.count, share=ENGLISH.percent, day=ENGLISH.day)
    return environment
