"""Run notebooks one after another in a single kernel, so that imports are paid once.

A script: its argument is the working directory of the kernel. Each line of standard input is a JSON list
of source and target; each line of standard output is the error as JSON, empty for a notebook that ran.
"""

import json
import sys
import traceback

import nbformat
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.util import run_sync

#: Removes the variables and the features that a notebook has declared.
RESET = """
from features.definitions.feature_registry import REGISTRY
for declared in [n for n, f in REGISTRY.items() if f.build.__module__ == "__main__"]:
    del REGISTRY[declared]
%reset -f
"""
TIMEOUT = 200


def main(folder: str) -> None:
    """Start a kernel and run notebooks until the input ends."""
    manager = AsyncKernelManager(kernel_name="python3")
    place = {"metadata": {"path": folder}}
    empty = nbformat.v4.new_notebook()
    client = NotebookClient(empty, km=manager, timeout=TIMEOUT, resources=place)
    try:
        for line in sys.stdin:
            source, target = json.loads(line)
            sys.stdout.write(json.dumps(_run(client, source, target)) + "\n")
            sys.stdout.flush()
    finally:
        if manager.has_kernel:
            run_sync(manager.shutdown_kernel)(now=True)


def _run(client: NotebookClient, source: str, target: str) -> str:
    """Run a notebook in an empty namespace; returns the cell and its traceback after an error."""
    try:
        client.nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(RESET)])
        client.execute()
        client.nb = nbformat.read(source, as_version=4)
        client.execute()
        nbformat.write(client.nb, target)
    except Exception:
        return traceback.format_exc()
    return ""


if __name__ == "__main__":
    main(sys.argv[1])
