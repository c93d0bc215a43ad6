"""Encode the files that were handed over in the browser, then wait a while for more.

The dashboard starts this process when a file waits. The server itself loads no encoder. The process
keeps the encoder for the next file.

python pipelines/encode_uploads.py
"""

import time
from typing import Annotated

import typer

from mess.encoders import Encoder, load_encoder
from mess.errors import MessError
from mess.new_recordings.encoding import MAX_SECONDS, EncodedRecording, encode_recording
from mess.new_recordings.uploads import keep_encoded
from mess.storage.store import Store
from mess.storage.uploads import Upload
from pipelines.options import run_script

LINGER_SECONDS = 120.0
_LOOK_SECONDS = 0.2


def encode_waiting(
    store: Store, *, linger: float = LINGER_SECONDS, max_seconds: float = MAX_SECONDS
) -> int:
    """Encode all waiting files, and wait a while for more; return the number of files.

    Parameters
    ----------
    store : Store
    linger : float
        Seconds without a file after which it ends.
    max_seconds : float
        Of a recording.
    """
    uploads, models, done = store.uploads, dict[str, Encoder](), 0
    lock = uploads.take_lock()
    if lock is None:
        return 0  # another process encodes
    with lock:
        last = time.monotonic()
        while time.monotonic() - last < linger or any(uploads.waiting()):
            # The order is decided after each file: the file that a page waits for comes first.
            while request := next(uploads.waiting(), None):
                upload, dataset, encoder = request
                result = _encode(store, upload, dataset, encoder, models, max_seconds)
                keep_encoded(uploads, upload.token, encoder, result)
                done, last = done + 1, time.monotonic()
            time.sleep(_LOOK_SECONDS)
    return done


def _encode(
    store: Store,
    upload: Upload,
    dataset: str,
    encoder: str,
    models: dict[str, Encoder],
    max_seconds: float,
) -> EncodedRecording | str:
    """Return the features of a file, or the reason in one line."""
    try:
        if not store.uploads.begin(upload.token, encoder):
            return "the encoder broke off over this file; convert it or choose another"
        header = store.features.header(dataset, encoder)
        if encoder not in models:
            models.clear()  # one after the other: a large file needs much memory
            models[encoder] = load_encoder(encoder, dtype=header.dtype)
        return encode_recording(upload.path, models[encoder], like=header, max_seconds=max_seconds)
    except MessError as error:
        return str(error).removeprefix(f"{upload.path}: ")
    except Exception as error:  # no file may stop the others
        return f"cannot be encoded ({type(error).__name__}: {error})"


def command(
    linger: Annotated[
        float, typer.Option(min=0, help="The time to wait for more files, in seconds.")
    ] = LINGER_SECONDS,
) -> None:
    """Encode the files that were handed over in the dashboard, which starts this itself."""
    done = encode_waiting(Store(), linger=linger)
    typer.echo(f"encoded: {done} files")


if __name__ == "__main__":
    run_script(command)
