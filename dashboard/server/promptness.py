"""Answers leave the server at once.

Streamlit's server binds its socket in a way after which asyncio leaves Nagle's algorithm on: the
second part of any answer waits up to 40 ms for the browser's word that it got the first one. What
is set on a listening socket, Linux gives to every connection that it accepts.
"""

import os
import socket
import stat

_INTERNET = (socket.AF_INET, socket.AF_INET6)
_DESCRIPTORS = range(3, 256)  # the server listens before it opens much else


def send_at_once() -> int:
    """Turn Nagle's algorithm off on all TCP sockets on which this process listens.

    Returns
    -------
    int
        How many there are.
    """
    found = 0
    for descriptor in _DESCRIPTORS:
        try:
            if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                continue
            with socket.socket(fileno=os.dup(descriptor)) as one:
                if one.type != socket.SOCK_STREAM or one.family not in _INTERNET:
                    continue
                if one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    found += 1
        except OSError:
            continue  # not open, or not ours to ask
    return found
