"""Write the generated pages: `python docs/generators reference|pages|notebooks|pictures`.

`reference` writes the pages and the console's messages that are kept in git (a test fails when they
are stale), `pages` copies CONTRIBUTING and the changelog, `notebooks` executes the notebooks,
`pictures` takes the README's screenshots with Chromium.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "src"))


def main(parts: list[str]) -> None:
    """Write the parts that are named, in that order."""
    for part in parts:
        print(f"docs: {part}", file=sys.stderr, flush=True)
        if part == "reference":
            from console_messages import write_console_messages
            from reference import write_reference

            write_reference()
            write_console_messages()
        elif part == "pages":
            from pages import write_copied_pages

            write_copied_pages()
        elif part == "notebooks":
            from notebooks import write_pages

            write_pages()
        elif part == "pictures":
            from pictures import take_pictures

            take_pictures()
        else:
            sys.exit(f"unknown part {part!r}; known: reference, pages, notebooks, pictures")


main(sys.argv[1:])
