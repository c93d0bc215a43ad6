"""Make a folder of recordings a dataset, by a link below ``data/audio``.

python pipelines/add_folder.py jazz ~/Music/jazz
"""

from pathlib import Path
from typing import Annotated

import typer

from mess.datasets import KNOWN, load_dataset
from mess.errors import MessError
from mess.store import Store
from pipelines.options import run_script


def add_folder(*, name: str, folder: Path, store: Store | None = None) -> int:
    """Link ``folder`` as dataset ``name``; return how many tracks it has.

    Raises
    ------
    MessError
        If the name is taken, or the folder is not there or holds no audio.
    """
    store = store or Store()
    link = store.audio_dir(name)
    if not folder.is_dir():
        raise MessError(f"{folder}: is no folder; check the path")
    if link.exists() or link.is_symlink():
        raise MessError(f"{link} is there already: choose another name or remove it")
    n = len(load_dataset(name, root=folder))
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(folder.resolve(), target_is_directory=True)
    return n


def command(
    name: Annotated[str, typer.Argument(help=f"Its name; {', '.join(KNOWN)} for these layouts.")],
    folder: Annotated[Path, typer.Argument(help="Where the recordings lie.")],
) -> None:
    """Make a folder of recordings a dataset."""
    typer.echo(f"dataset {name!r}: {add_folder(name=name, folder=folder)} tracks")


if __name__ == "__main__":
    run_script(command)
