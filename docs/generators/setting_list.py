"""The page of the environment variables."""

from markdown import doc, table

from features.settings import LIBRARY_SWITCHES, Settings


def page() -> str:
    """The page as Markdown."""
    rows = []
    for name, field in Settings.model_fields.items():
        alias = field.validation_alias
        variable = alias.choices[0] if alias is not None else f"GOODWILL_{name.upper()}"
        default = "" if field.default is None else f"`{field.default}`"
        rows.append((f"`{variable}`", default, field.description or ""))
    switches = [(f"`{name}`", f"`{value}`") for name, value in LIBRARY_SWITCHES.items()]
    return "\n".join(
        [
            "# Settings\n",
            f"{doc(Settings)}\n",
            table(("variable", "default", "what"), rows),
            "## Set by Goodwill itself\n",
            "For its own process and its children: no library calls home, and waiting threads sleep.\n",
            table(("variable", "value"), switches),
        ]
    )
