"""Cuts a process and its children off from every other machine, and keeps what they tried."""

import os
from pathlib import Path

#: Found by every Python that starts with its folder on PYTHONPATH. An audit hook sees what any
#: library does with a socket, however it got hold of it.
OFFLINE = """
import os
import sys

#: BentoML's process manager asks what its own machine is called.
HERE = ("127.0.0.1", "::1", "localhost", "0.0.0.0", "::", "", None, os.uname().nodename)
ADDRESSED = ("socket.connect", "socket.sendto", "socket.sendmsg")
NAMED = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")

def guard(event, args):
    if event in ADDRESSED:
        address = args[1]
        if not isinstance(address, tuple) or not isinstance(address[0], str):
            return  # a socket in the file system, or of the kernel
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
    """A folder for PYTHONPATH that cuts the network, and what was tried nevertheless."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        (folder / "sitecustomize.py").write_text(OFFLINE, encoding="utf-8")

    def path(self, *more: Path) -> str:
        """A PYTHONPATH that begins with the folder."""
        return os.pathsep.join(map(str, (self.folder, *more)))

    def tried(self) -> str:
        """A line for each attempt to reach another machine."""
        return tried(self.folder)


def tried(folder: Path) -> str:
    """A line for each attempt below such a folder."""
    found = folder / "sitecustomize.py.tried"
    return found.read_text(encoding="utf-8") if found.exists() else ""
