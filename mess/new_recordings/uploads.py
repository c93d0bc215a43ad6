"""The features of files that were handed over in the browser, as recordings in an encoder's space.

`mess.storage.uploads` keeps the files.
"""

from mess.errors import MessError
from mess.new_recordings.encoding import EncodedRecording, RecordingInTime
from mess.storage.uploads import UploadFiles


def read_encoded(uploads: UploadFiles, token: str, encoder: str) -> EncodedRecording:
    """Read the features of a file that was handed over.

    Raises
    ------
    MessError
        If there are none, or they are damaged. Damaged ones are removed.
    """
    content = uploads.read_features(token, encoder)
    try:
        return EncodedRecording.deserialise(content)
    except ValueError:
        uploads.drop_features(token, encoder)
        raise MessError("what was encoded of this file is damaged: choose it again") from None


def keep_encoded(
    uploads: UploadFiles, token: str, encoder: str, result: EncodedRecording | str
) -> None:
    """Keep the features of a file, or in one line why there are none."""
    if isinstance(result, str):
        uploads.keep_problem(token, encoder, result)
    else:
        if result.in_time is not None:  # before the features, which say that all is there
            uploads.keep_in_time(token, encoder, result.in_time.serialise())
        uploads.keep_features(token, encoder, result.serialise())


def read_in_time(uploads: UploadFiles, token: str, encoder: str) -> RecordingInTime:
    """Read the measured curves of a file that was handed over.

    Raises
    ------
    MessError
        If there are none, or they are damaged.
    """
    content = uploads.read_in_time(token, encoder)
    try:
        return RecordingInTime.deserialise(content)
    except ValueError:
        raise MessError("the curves of this file are damaged: choose it again") from None
