"""A company for tests that only use the sections `[insight.*]`."""

from features.config.company import Company


def company(**insight: object) -> Company:
    """Return a company with these sections in its file."""
    table = {"files": "events.csv", "columns": {}}
    about = {"name": "tiny", "title": "Tiny"}
    return Company.model_validate(
        {"company": about, "tables": {"events": table}, "insight": insight}
    )
