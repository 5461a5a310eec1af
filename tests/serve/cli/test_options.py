"""Commands that an error names can be copied as they are."""

from pathlib import Path

import pytest

from serve.cli.options import add_company


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("no history; make it with `goodwill data`",
         "no history; make it with `goodwill data --company 'my shop.toml'`"),
        ("accept that once: goodwill retrain --accept-loss events",
         "accept that once: goodwill retrain --company 'my shop.toml' --accept-loss events"),
        ("`goodwill feedback list` shows the ids",
         "`goodwill feedback list --company 'my shop.toml'` shows the ids"),
        ("`goodwill rollback churn --version 3`",
         "`goodwill rollback --company 'my shop.toml' churn --version 3`"),
        ("this version of goodwill reads up to 2", "this version of goodwill reads up to 2"),
        ("`goodwill data --company a.toml`", "`goodwill data --company a.toml`"),
    ],
)  # fmt: skip
def test_commands_in_a_message_name_the_company(message: str, expected: str) -> None:
    assert add_company(message, Path("my shop.toml")) == expected
    assert add_company(message, None) == message
