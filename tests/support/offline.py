"""Blocks connections of a process and its children to other machines, and records attempts."""

import os
from pathlib import Path

#: Imported by each Python that has its folder on PYTHONPATH. An audit hook sees the sockets of all
#: libraries.
OFFLINE = """
import os
import sys

#: BentoML's process manager resolves the name of its own machine.
HERE = ("127.0.0.1", "::1", "localhost", "0.0.0.0", "::", "", None, os.uname().nodename)
ADDRESSED = ("socket.connect", "socket.sendto", "socket.sendmsg")
NAMED = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")

def guard(event, args):
    if event in ADDRESSED:
        address = args[1]
        if not isinstance(address, tuple) or not isinstance(address[0], str):
            return  # a Unix or kernel socket
        host = address[0]
    elif event in NAMED:
        host = args[0].decode() if isinstance(args[0], bytes) else args[0]
    else:
        return
    if host not in HERE:
        with open(__file__ + ".tried", "a") as out:
            out.write(f"{event} {host}\\n")
        raise OSError(f"the network is cut: {event} {host}")

sys.addaudithook(guard)
"""


class Offline:
    """A folder for PYTHONPATH that blocks the network, and the attempts that were made."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        (folder / "sitecustomize.py").write_text(OFFLINE, encoding="utf-8")

    def path(self, *more: Path) -> str:
        """A PYTHONPATH that starts with the folder."""
        return os.pathsep.join(map(str, (self.folder, *more)))

    def tried(self) -> str:
        """The attempts to reach another machine, one per line."""
        return tried(self.folder)


def tried(folder: Path) -> str:
    """The attempts recorded in such a folder, one per line."""
    found = folder / "sitecustomize.py.tried"
    return found.read_text(encoding="utf-8") if found.exists() else ""
