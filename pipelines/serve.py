"""Answer programs over HTTP, without the dashboard: /api/v1.

python pipelines/serve.py --port 8502
"""

import socket
from typing import Annotated

import typer

from mess.errors import MessError
from pipelines.options import run_script


def listen(address: str, port: int) -> socket.socket:
    """Return a socket that listens, and whose answers leave at once.

    Parameters
    ----------
    address : str
        An address of IP, or "localhost".
    port : int
        0 for a free one.

    Raises
    ------
    MessError
        If the port is taken, or the address is none of this machine.
    """
    if not address.strip():  # to a socket, no address is every one of this machine
        raise MessError("no address is given: leave --address out to listen on this machine alone")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    # With the protocol named, asyncio turns Nagle's algorithm off.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((address, port))
        bound.listen(1024)  # who knows the address may ask, and waits until the server is there
    except OSError as error:
        bound.close()
        raise MessError(
            f"{address}:{port} cannot be used ({error.strerror or error}); name another by "
            "--address and --port"
        ) from None
    return bound


def command(
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0: any that is free.")] = 8502,
    address: Annotated[
        str,
        typer.Option(
            help="Where it listens. Names other than this machine's own belong into MESS_HOSTS."
        ),
    ] = "127.0.0.1",
) -> None:
    """Answer programs over HTTP (read-only; no dashboard) until Ctrl-C."""
    import uvicorn

    from mess.serving.api import server
    from mess.serving.endpoints import PREFIX
    from mess.serving.guard import SETTING, trusted_hosts
    from mess.storage.store import Store

    Store()  # a data root that is none is said now
    bound = listen(address, port)
    host = f"[{address}]" if ":" in address else address
    if address.lower() not in trusted_hosts():
        typer.echo(
            f"note: by the name {address} nobody is answered; {SETTING}=NAME,… adds the names by "
            "which others call this machine",
            err=True,
        )
    typer.echo(f"http://{host}:{bound.getsockname()[1]}{PREFIX}")
    settings = uvicorn.Config(server(), log_level="warning", access_log=False, lifespan="off")
    uvicorn.Server(settings).run(sockets=[bound])


if __name__ == "__main__":
    run_script(command)
