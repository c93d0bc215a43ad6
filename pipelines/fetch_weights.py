"""Download the weights of an encoder into the cache of the hub's client, where they are looked for.

Only data is downloaded: the configuration and the weights. The hub's own client keeps nothing of a
download that was interrupted. This one goes on.
"""

import hashlib
from pathlib import Path

from mess.encoders import Preset
from mess.encoders.hub import HubFile, describe, in_cache
from mess.errors import MessError
from mess.remote.http import Patience, place_of
from mess.storage.downloads import Part, blocks_of, mark_absent, place
from mess.storage.store import Store
from pipelines.fetch import download_shown, locked, require_space

_USUAL = Patience()


def licence_lines(preset: Preset) -> list[str]:
    """Return what a person must know before the weights are downloaded."""
    return [
        f"{preset.note}",
        f"licence of the weights: {preset.licence}, https://huggingface.co/{preset.hub_id}",
    ]


def fetch_weights(
    preset: Preset, *, store: Store | None = None, patience: Patience = _USUAL
) -> Path:
    """Download the weights of a preset, unless they are there, and return their folder.

    Raises
    ------
    MessError
        If the hub is out of reach, the disk is too small, another process fetches the same, or the
        files have other checksums than stated.
    """
    store = store or Store()
    with locked(preset.name, store):
        model = describe(preset.hub_id, revision=preset.revision)
        if in_cache(preset.hub_id, revision=preset.revision):
            return model.files[0].path.parent
        todo = [file for file in model.files if not file.path.exists()]
        parts = {
            file.name: store.downloads.part(preset.name, f"{file.url} {file.checksum}")
            for file in todo
        }
        require_space(
            sum(2 * file.size - parts[file.name].size for file in todo),
            model.files[0].path.parent,
            store=store,
        )
        for file in todo:
            expected = preset.weights_sha256 if file == model.files[-1] else ""
            _fetch(file, parts[file.name], expected=expected, store=store, patience=patience)
        for path in model.absent:
            mark_absent(path)
        if not preset.revision:
            place(model.reference, [model.commit.encode()])
        return model.files[0].path.parent


def _fetch(file: HubFile, part: Part, *, expected: str, store: Store, patience: Patience) -> None:
    """Download one file, compare its checksums, and put it into its place."""
    if expected and file.checksum != expected:
        raise MessError(
            f"{place_of(file.url)}: the hub states another sha256 than that of the weights that "
            "mess knows; nothing was downloaded"
        )
    for _ in range(2):
        download_shown(
            file.url, part, name=file.name, size=file.size, store=store, patience=patience
        )
        if _checksum(part, file) == file.checksum:
            with part.path.open("rb") as handle:
                place(file.path, blocks_of(handle))
            part.discard()
            return
        part.discard()
    raise MessError(
        f"{place_of(file.url)}: its checksum is not the one that the hub states, twice; nothing of "
        "it was kept; run the same command again later"
    )


def _checksum(part: Part, file: HubFile) -> str:
    """Return the checksum of what has arrived, of the kind that the hub states."""
    if len(file.checksum) == 64:
        return part.digest("sha256")
    # Git's hash of a blob; it guards against damage, not against an enemy.
    content = part.path.read_bytes()
    return hashlib.sha1(b"blob %d\0%b" % (len(content), content), usedforsecurity=False).hexdigest()
