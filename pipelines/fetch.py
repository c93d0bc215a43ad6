"""Download a dataset from its authors' server, or the weights of an encoder from the hub.

python pipelines/fetch.py maestro --split test --subset 20
"""

import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import typer

from mess.datasets import load_dataset
from mess.datasets.listing import list_files
from mess.datasets.published import (
    MAESTRO_LIST,
    PUBLISHED,
    Archive,
    Published,
    choose_recordings,
    maestro_files,
    read_recordings,
    smd_files,
)
from mess.encoders import PRESETS
from mess.errors import ArtifactError, MessError, UnknownName
from mess.remote.archive import DAMAGE, LocalArchive, RemoteArchive, check_members
from mess.remote.http import NoParts, Patience, download, in_mb, place_of
from mess.storage.downloads import Part, blocks_of, place
from mess.storage.store import Store
from pipelines.options import run_script
from pipelines.progress import Progress, progress

_SPARE_BYTES = 200_000_000  # that stay free
_MB = 1_000_000
_USUAL = Patience()


def fetch_dataset(
    published: Published,
    *,
    split: str | None = None,
    subset: int | None = None,
    midi_only: bool = False,
    store: Store | None = None,
    patience: Patience = _USUAL,
) -> Path:
    """Download a dataset into its folder, and return the folder.

    What is there already stays. After an interruption the same call goes on.

    Parameters
    ----------
    published : Published
        From `mess.datasets.published`.
    split, subset : str, int, optional
        Of MAESTRO: see `mess.datasets.published.choose_recordings`.
    midi_only : bool
        Leave the recordings out.
    store : Store, optional
    patience : Patience

    Raises
    ------
    MessError
        If another process fetches the same, the disk is too small, or the server does not give the
        files that it should.
    """
    store = store or Store()
    with locked(published.name, store):
        fetch = _Fetch(published, store=store, patience=patience)
        if published.name == "maestro":
            _fetch_maestro(fetch, split=split, subset=subset, midi_only=midi_only)
        elif split is not None or subset is not None:
            raise MessError(f"{published.name} has no --split and no --subset; leave them out")
        else:
            archive = fetch.archive(published.audio)
            fetch.copy(archive, smd_files(archive.members, midi_only=midi_only), published.audio)
        return fetch.folder


@contextmanager
def locked(name: str, store: Store) -> Iterator[None]:
    """Hold the lock of a name.

    Raises
    ------
    MessError
        If another process holds it.
    """
    lock = store.downloads.lock(name)
    if lock is None:
        raise MessError(
            f"{name}: another `mess fetch {name}` is running; wait for it, then run this again"
        )
    with lock:
        yield


def _fetch_maestro(
    fetch: "_Fetch", *, split: str | None, subset: int | None, midi_only: bool
) -> None:
    """Take the list and the MIDI from the small archive, and recordings from the large one."""
    published = fetch.published
    small = fetch.archive(published.midi, parts=False)
    (list_name,) = maestro_files(small.members, [MAESTRO_LIST])
    check_members([small.members[list_name]], most=published.midi.most)
    with small.open(list_name) as handle:
        rows = choose_recordings(read_recordings(handle.read()), split=split, subset=subset)
    wanted = [MAESTRO_LIST, *(row["midi_filename"] for row in rows)]
    fetch.copy(small, maestro_files(small.members, wanted), published.midi)
    if not midi_only:
        large = fetch.archive(published.audio)
        files = maestro_files(large.members, [row["audio_filename"] for row in rows])
        fetch.copy(large, files, published.audio)


class _Fetch:
    """One dataset on its way into its folder."""

    def __init__(self, published: Published, *, store: Store, patience: Patience) -> None:
        self.published, self._store, self._patience = published, store, patience
        root = store.audio_dir(published.name)
        # The authors' archive, unpacked by hand, has a folder of its own.
        self.folder = next((path.parent for path in root.glob(f"*/{MAESTRO_LIST}")), root)

    def archive(self, published: Archive, *, parts: bool = True) -> LocalArchive | RemoteArchive:
        """Open an archive: its directory alone, or all of it where the server sends no parts."""
        if parts:
            try:
                return RemoteArchive(
                    published.url,
                    name=self.published.name,
                    downloads=self._store.downloads,
                    patience=self._patience,
                )
            except NoParts:
                if not published.whole:
                    raise MessError(
                        f"{place_of(published.url)}: the server sends no parts of a file now, and "
                        "the whole is too large; try again later"
                    ) from None
        return self._whole(published)

    def _whole(self, published: Archive) -> LocalArchive:
        """Download an archive whole, unless that was done before; compare its checksum."""
        name = published.url.rpartition("/")[2]
        path = self._store.downloads.folder(self.published.name) / name
        if path.exists():
            return LocalArchive(path)
        for _ in range(2):
            part = self._store.downloads.part(self.published.name, published.url)
            download_shown(
                published.url, part, name=name, store=self._store, patience=self._patience
            )
            if not published.sha256 or part.digest("sha256") == published.sha256:
                part.move(path)
                return LocalArchive(path)
            part.discard()
        raise MessError(
            f"{place_of(published.url)}: its sha256 is not that of its authors, twice; nothing of "
            f"it was kept; look at {self.published.homepage}"
        )

    def copy(
        self,
        archive: LocalArchive | RemoteArchive,
        files: Mapping[str, str],
        published: Archive,
    ) -> None:
        """Copy files of an archive to their paths below the folder of the dataset."""
        todo = self._missing(archive, files)
        check_members([archive.members[name] for name in files], most=published.most)
        size = sum(archive.members[name].file_size for name in todo)
        largest = max((archive.cost(name) for name in todo), default=0)
        require_space(size + largest, self.folder, store=self._store)
        cost = sum(archive.cost(name) for name in todo)
        if cost:
            typer.echo(
                f"{self.published.name}: {len(todo):,} of {len(files):,} files are not here: "
                f"{in_mb(cost)} to download, {in_mb(size)} on the disk"
            )
        total = max(1, cost // _MB) if cost else len(todo)
        unit = "MB" if cost else "files"
        with progress(f"fetch {self.published.name}", total, unit=unit) as shown:
            for name, path in todo.items():
                self._copy(archive, name, self.folder / path, shown)
                if not cost:
                    shown.advance(path)

    def _copy(
        self,
        archive: LocalArchive | RemoteArchive,
        name: str,
        target: Path,
        shown: Progress,
    ) -> None:
        """Copy one file; bytes that are wrong are asked for once more."""
        for _ in range(2):
            try:
                with archive.open(name, on_bytes=_Megabytes(target.name, shown)) as handle:
                    place(target, blocks_of(handle))
                return
            except DAMAGE:
                pass
        raise archive.damaged()

    def _missing(
        self, archive: LocalArchive | RemoteArchive, files: Mapping[str, str]
    ) -> dict[str, str]:
        """Return the files that are not here; a recording may be here in another format.

        Raises
        ------
        MessError
            If a file of the same name has another size.
        """
        recordings = {path.stem for path in list_files(self.folder).audio}
        todo = {}
        for name, path in files.items():
            target, size = self.folder / path, archive.members[name].file_size
            if target.exists():
                if target.stat().st_size != size:
                    raise MessError(
                        f"{target}: has {target.stat().st_size:,} bytes, and its authors' file "
                        f"{size:,}; move it away, then run the same command again"
                    )
            elif target.suffix.lower() != ".wav" or target.stem not in recordings:
                todo[name] = path
        return todo


def require_space(size: int, folder: Path, *, store: Store) -> None:
    """Raise a `MessError` if a folder's disk has no room for ``size`` bytes."""
    free = store.downloads.free_bytes(folder)
    if size and size + _SPARE_BYTES > free:
        raise MessError(
            f"{folder}: needs {in_mb(size + _SPARE_BYTES)} and {in_mb(free)} are free; make room, "
            "or name another disk by MESS_DATA"
        )


class _Megabytes:
    """Counts bytes, and advances a progress by each megabyte."""

    def __init__(self, name: str, shown: Progress | None = None) -> None:
        self.shown, self._name = shown, name
        self._bytes = self._told = 0

    def __call__(self, count: int) -> None:
        self._bytes += count
        while self.shown and self._bytes - self._told >= _MB:
            self._told += _MB
            self.shown.advance(self._name)


def download_shown(
    url: str, part: Part, *, name: str, store: Store, patience: Patience, size: int | None = None
) -> None:
    """Download a file whole, with its progress; see `mess.remote.http.download`.

    Raises
    ------
    MessError
        Also if the disk is too small for it; nothing is downloaded then.
    """
    counted = _Megabytes(name)
    with ExitStack() as stack:

        def begin(total: int) -> None:
            require_space(total - part.size, part.path.parent, store=store)
            if counted.shown is None:
                megabytes = max(1, total // _MB)
                counted.shown = stack.enter_context(progress(f"fetch {name}", megabytes, unit="MB"))

        download(url, part, size=size, patience=patience, on_total=begin, on_bytes=counted)


def agree(lines: list[str], *, name: str, agreed: bool) -> None:
    """Show a licence, and go on only if the user agrees.

    Raises
    ------
    MessError
        If they do not, or cannot be asked.
    """
    for line in lines:
        typer.echo(line)
    if agreed:
        return
    if not sys.stdin.isatty():
        raise MessError(
            f"{name}: nobody can be asked here; add --agree if you agree to the licence"
        )
    if not typer.confirm("Do you agree to this licence?"):
        raise MessError(f"{name}: was not fetched, because you did not agree to its licence")


def command(
    name: Annotated[str, typer.Argument(help="smd, maestro, or an encoder of the hub.")],
    subset: Annotated[
        int | None,
        typer.Option(min=1, help="Of MAESTRO, this many recordings. [default: all]"),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(help="Of MAESTRO, train, validation or test alone. [default: all]"),
    ] = None,
    midi_only: Annotated[
        bool, typer.Option("--midi-only", help="Leave the recordings out.")
    ] = False,
    agreed: Annotated[
        bool, typer.Option("--agree", help="Agree to the licence; without it you are asked.")
    ] = False,
) -> None:
    """Download a dataset, or the weights of an encoder, from its authors."""
    of_hub = {preset.name: preset for preset in PRESETS.values() if preset.hub_id}
    if name in of_hub:
        if subset is not None or split is not None or midi_only:
            raise MessError(f"{name} is an encoder; it takes --agree alone")
        from pipelines.fetch_weights import fetch_weights, licence_lines

        agree(licence_lines(of_hub[name]), name=name, agreed=agreed)
        typer.echo(f"encoder {name!r}: its weights are in {fetch_weights(of_hub[name])}")
        return
    if name not in PUBLISHED:
        raise UnknownName("dataset or encoder to fetch", name, [*PUBLISHED, *of_hub])
    published = PUBLISHED[name]
    agree(
        [
            f"{published.title}, by {published.authors}: {published.homepage}",
            f"licence: {published.licence}, {published.licence_url}",
        ],
        name=name,
        agreed=agreed,
    )
    folder = fetch_dataset(published, split=split, subset=subset, midi_only=midi_only)
    typer.echo(f"{name} is in {folder}")
    try:
        typer.echo(f"dataset {name!r}: {len(load_dataset(name))} recordings")
    except ArtifactError:
        typer.echo("MIDI files alone are no dataset: fetch or render recordings, too")


if __name__ == "__main__":
    run_script(command)
