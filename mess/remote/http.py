"""One file, or one part of a file, over HTTP.

A connection that breaks is opened again, from the byte that is missing (RFC 9110, section 14). A
server that does not send parts starts from the beginning. A file that changed on the server
meanwhile, which its ``ETag`` or date tells, starts from the beginning, too.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests
import urllib3

from mess.errors import MessError
from mess.storage.downloads import Part

HEADERS = {"User-Agent": "mess", "Accept-Encoding": "identity"}
_BLOCK_BYTES = 1 << 18
_MOST = 500_000_000_000
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
_LONGEST_PAUSE = 30.0  # seconds


class NoParts(MessError):
    """A server that sends whole files only."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long to try.

    Attributes
    ----------
    attempts : int
        Connections in a row that bring nothing.
    pause : float
        Seconds before the second one; the pause doubles each time.
    timeout : float
        Seconds without a byte after which a connection counts as broken.
    """

    attempts: int = 5
    pause: float = 1.0
    timeout: float = 30.0

    def wait(self, failures: int, *, asked: float = 0.0) -> None:
        """Wait after a failure; ``asked`` are the seconds that the server wants."""
        if self.pause:
            time.sleep(min(_LONGEST_PAUSE, max(asked, self.pause * 2**failures)))


USUAL = Patience()


class _Busy(Exception):
    """What may be better in a moment."""

    def __init__(self, reason: str, *, asked: float = 0.0) -> None:
        super().__init__(reason)
        self.asked = asked


def download(
    url: str,
    into: Part,
    *,
    span: tuple[int, int] | None = None,
    size: int | None = None,
    patience: Patience = USUAL,
    on_total: Callable[[int], None] = lambda _: None,
    on_bytes: Callable[[int], None] = lambda _: None,
) -> None:
    """Download a file, or the bytes ``span[0]`` to ``span[1] - 1`` of it.

    Parameters
    ----------
    url : str
    into : Part
        What an earlier call left there is not downloaded again.
    span : pair of int, optional
    size : int, optional
        Bytes of the whole file, where known.
    patience : Patience
    on_total : callable
        Called with the bytes of the whole, where the server states them, before any is written. It
        may raise: nothing is lost.
    on_bytes : callable
        Called with the number of bytes that arrived, what was there before included; with a
        negative number where the download starts anew.

    Raises
    ------
    NoParts
        If ``span`` is wanted and the server sends whole files only.
    MessError
        If the file is not there, or is of another size, or the server stays out of reach. What has
        arrived is kept.
    """
    wanted = span[1] - span[0] if span else size
    if wanted is not None and into.size > wanted:
        into.discard()
    on_bytes(into.size)
    failures = 0
    while wanted is None or into.size < wanted:
        before, reason, asked = into.size, "the connection broke", 0.0
        try:
            wanted = _request(
                url,
                into,
                span=span,
                size=size,
                timeout=patience.timeout,
                on_total=on_total,
                on_bytes=on_bytes,
            )
            continue
        except _Busy as busy:
            reason, asked = str(busy), busy.asked
        except (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError):
            reason = f"nothing came for {patience.timeout:g} s"
        except requests.exceptions.ConnectionError:
            reason = "it is out of reach"
        except urllib3.exceptions.HTTPError:
            pass
        except requests.RequestException as error:
            reason = f"{type(error).__name__}"
        failures = 0 if into.size > before else failures + 1
        if failures >= patience.attempts:
            raise MessError(
                f"{place_of(url)}: {reason}; {in_mb(into.size)} are kept, "
                "the same command goes on from there"
            )
        patience.wait(failures, asked=asked)


def _request(
    url: str,
    into: Part,
    *,
    span: tuple[int, int] | None,
    size: int | None,
    timeout: float,
    on_total: Callable[[int], None],
    on_bytes: Callable[[int], None],
) -> int:
    """Ask once for what is missing, and return how many bytes the part must have in the end."""
    have, first = into.size, span[0] if span else 0
    headers = dict(HEADERS)
    if have or span:
        headers["Range"] = f"bytes={first + have}-{span[1] - 1 if span else ''}"
        if have and into.version:
            headers["If-Range"] = into.version
    with requests.get(url, headers=headers, stream=True, timeout=timeout) as response:
        _check_status(url, response, span=span, into=into)
        version = _version_of(response)
        if response.status_code == 206:
            start, total = _content_range(response)
            if start != first + have:
                raise _Busy("it sent another part than was asked for")
        else:
            if span:
                raise NoParts(f"{place_of(url)}: the server sends no parts of a file")
            start, total = 0, _content_length(response)
        if size is not None and total is not None and total != size:
            raise MessError(
                f"{place_of(url)}: has {total:,} bytes and not {size:,}; its authors have changed "
                "it, and this version of mess does not know the new one"
            )
        wanted = span[1] - span[0] if span else total
        if wanted is not None:
            on_total(wanted)
        if have and (response.status_code == 200 or version != into.version):
            on_bytes(-have)
            into.discard()
            if response.status_code == 206:
                raise _Busy("the file changed on the server")
            have = 0
        if not have:
            into.begin(version)
        limit = (wanted if wanted is not None else _MOST) - have
        into.append(_counted(_arriving(response), limit, on_bytes))
    if wanted is not None and into.size < wanted:
        raise _Busy("it ended too early")
    return into.size


def _check_status(
    url: str, response: requests.Response, *, span: tuple[int, int] | None, into: Part
) -> None:
    status = response.status_code
    if status in (200, 206):
        return
    if status == 416 and into.size and not span:
        into.discard()
        raise _Busy("the file changed on the server")
    if status in _BUSY:
        raise _Busy(f"it answers {status} {response.reason}", asked=_retry_after(response))
    if status in (404, 410):
        raise MessError(f"{place_of(url)}: there is no such file ({status}); the authors moved it")
    raise MessError(f"{place_of(url)}: it answers {status} {response.reason}")


def _arriving(response: requests.Response) -> Iterator[bytes]:
    """Yield bytes as they come: what waits for a full block is lost with the connection."""
    while block := response.raw.read1(_BLOCK_BYTES, decode_content=False):
        yield block


def _counted(
    blocks: Iterable[bytes], limit: int, on_bytes: Callable[[int], None]
) -> Iterator[bytes]:
    """Yield blocks of ``limit`` bytes together at most."""
    for block in blocks:
        block = block[:limit]
        limit -= len(block)
        on_bytes(len(block))
        yield block
        if not limit:
            return


def _version_of(response: requests.Response) -> str:
    """Return what tells one version of a file from another; a weak ETag does not."""
    tag = response.headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified", "")


def _content_range(response: requests.Response) -> tuple[int, int | None]:
    """Return the first byte of a part, and the bytes of the whole file."""
    unit, _, rest = response.headers.get("Content-Range", "").partition(" ")
    part, _, total = rest.partition("/")
    try:
        return int(part.partition("-")[0]), None if total == "*" else int(total)
    except ValueError:
        raise _Busy(f"it sent a part of unknown place ({unit} {rest})") from None


def _content_length(response: requests.Response) -> int | None:
    text = response.headers.get("Content-Length", "")
    return int(text) if text.isdecimal() else None


def _retry_after(response: requests.Response) -> float:
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isdecimal() else 0.0


def place_of(url: str) -> str:
    """Return the file's name and its server, for people.

    >>> place_of("https://zenodo.org/records/1/files/a.zip?download=1")
    'a.zip at zenodo.org'
    """
    parts = urlsplit(url)
    return f"{parts.path.rpartition('/')[2] or parts.path} at {parts.hostname}"


def in_mb(size: int) -> str:
    """Return a number of bytes for people.

    >>> in_mb(101_400_000_000), in_mb(2_345_678)
    ('101.4 GB', '2.3 MB')
    """
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:,.1f} MB"
