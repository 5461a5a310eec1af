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
    help="Where it runs: in this process, or on GOODWILL_SPARK_MASTER (docs/cluster.md).",
)
DESCRIBE = click.option(
    "--describe", is_flag=True, help="Only print every column: meaning, unit, source, missing rate."
)
REFIT = click.option(
    "--refit-comments",
    is_flag=True,
    help="Learn anew how comments sound, even if a champion reads them already (docs/comments.md).",
)
PORT = click.option("--port", type=int, default=None, help="Port (default: GOODWILL_PORT or 3000).")
STAY = click.option("--stay/--no-stay", default=True, help="Keep serving after the answers.")
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
