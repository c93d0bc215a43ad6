"""Make a folder of recordings, or an address of one, a dataset, by a link below ``data/audio``.

python pipelines/add_folder.py jazz ~/Music/jazz
"""

import os
from pathlib import Path
from typing import Annotated

import typer

from mess.audio.addresses import Address, as_path
from mess.datasets import BUILT_IN, Dataset, load_dataset
from mess.errors import MessError
from mess.storage.store import Store
from pipelines.options import run_script


def add_folder(*, name: str, folder: Path, store: Store | None = None) -> Dataset:
    """Link ``folder`` as dataset ``name``, and return it.

    Raises
    ------
    MessError
        If the name is taken, or the folder is not there or holds no audio.
    """
    store = store or Store()
    link = store.audio_dir(name)
    found = load_dataset(name, root=_folder(folder))
    if os.path.lexists(link):
        raise MessError(f"{link} is there already: choose another name or remove it")
    store.link_audio(name, folder)
    return found


def _folder(path: Path) -> Path:
    try:
        if isinstance(path, Address) or path.is_dir():
            return path
    except OSError:  # a name that is too long, say
        pass
    raise MessError(f"{path}: is no folder; check the path")


def command(
    name: Annotated[
        str, typer.Argument(help=f"Its name; {', '.join(BUILT_IN)} for these layouts.")
    ],
    folder: Annotated[
        str, typer.Argument(help="Where the recordings lie: a folder, or s3://BUCKET/FOLDER.")
    ],
) -> None:
    """Make a folder of recordings, or an address of one, a dataset."""
    found = add_folder(name=name, folder=as_path(folder))
    typer.echo(f"dataset {name!r}: {len(found)} tracks")
    for note in found.notes:
        typer.echo(f"  {note}")


if __name__ == "__main__":
    run_script(command)
