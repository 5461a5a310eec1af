"""Block connections to other machines, and record the attempts in a file next to this one.

Python imports this module at its start in each process that has the folder on PYTHONPATH. An audit hook
sees the sockets of all Python libraries.
"""

import os
import sys

#: BentoML's process manager resolves the name of its own machine.
HERE = ("127.0.0.1", "::1", "localhost", "0.0.0.0", "::", "", None, os.uname().nodename)  # noqa: S104 - a name to compare with
ADDRESSED = ("socket.connect", "socket.sendto", "socket.sendmsg")
NAMED = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")


def guard(event: str, args: tuple) -> None:
    """Refuse to reach another machine."""
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
            out.write(f"{event} {host}\n")
        raise OSError(f"the network is cut: {event} {host}")


sys.addaudithook(guard)
