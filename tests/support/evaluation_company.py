"""A company of which only the sections `[insight.*]` matter."""

from features.config.company import Company


def company(**insight: object) -> Company:
    """A company whose file holds these sections."""
    table = {"files": "events.csv", "columns": {}}
    about = {"name": "tiny", "title": "Tiny"}
    return Company.model_validate(
        {"company": about, "tables": {"events": table}, "insight": insight}
    )
