"""`python -m serve.cli` runs the `goodwill` command."""

from serve.cli.main import main

main()
