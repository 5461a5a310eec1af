"""The options of the console command, each declared once for all verbs that take it."""

from pathlib import Path

import click

COMPANY = click.option(
    "--company",
    "toml",
    type=click.Path(path_type=Path),
    default=None,
    envvar="GOODWILL_COMPANY",
    help="The company's TOML file (default: data/sample.toml).",
)
CUSTOMERS = click.option("--customers", default=5000, envvar="CUSTOMERS", show_default=True)
SEED = click.option("--seed", default=7, envvar="SEED", show_default=True)
ENGINE = click.option(
    "--engine",
    type=click.Choice(["local", "spark"]),
    default="local",
    show_default=True,
    help="Where it runs: in this process, or on GOODWILL_SPARK_MASTER (docs/how-to/run-on-spark.md).",
)
DESCRIBE = click.option(
    "--describe", is_flag=True, help="Only print every column: meaning, unit, source, missing rate."
)
REFIT = click.option(
    "--refit-comments",
    is_flag=True,
    help="Learn anew how comments sound, even if a champion reads them already (docs/background/comments.md).",
)
REDRAW = click.option(
    "--redraw", is_flag=True, help="Draw the yardsticks of value, tiers and stars on today anew."
)
PORT = click.option("--port", type=int, default=None, help="Port (default: GOODWILL_PORT or 3000).")
STAY = click.option("--stay/--no-stay", default=True, help="Keep serving after the answers.")
WITH_REASONS = click.option(
    "--reasons", is_flag=True, help="Write the reasons of every score, too, in the same pass."
)
TOP = click.option(
    "--top",
    type=click.IntRange(1, 10),
    default=3,
    show_default=True,
    help="Reasons a customer and target.",
)
MINUTES = click.option(
    "--minutes",
    type=click.FloatRange(0.05, 600),
    default=10.0,
    envvar="MINUTES",
    show_default=True,
    help="Time for the search, shared between the targets.",
)
HOST = click.option(
    "--host", default=None, help="Address (default: GOODWILL_HOST or 127.0.0.1; others need keys)."
)
SCOPE_LIST = click.option(
    "--scopes", required=True, help="What the key is for: score,read,feedback,operate."
)
DAYS = click.option("--days", type=click.FloatRange(0, min_open=True), help="When the key ends.")
RATE = click.option(
    "--rate",
    type=click.FloatRange(0, min_open=True),
    help="Calls a second (default: GOODWILL_RATE).",
)
OVERLAP = click.option(
    "--overlap-days",
    type=click.FloatRange(0),
    default=7.0,
    show_default=True,
    help="How long the former key works on.",
)
VERSION = click.option("--version", default=None, help="The version (default: the one before).")
REQUEST = click.option("--request", default=None, help="Only the call with this request id.")
RECORDS = click.option(
    "--records",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    default=None,
    help="The body that was sent to /v1/scores/records, as a file.",
)
