"""Indices of tracks on disk: what the search for similar tracks asks.

::

    processed/indices/<dataset>/<encoder>/
        manifest.json               the record: tracks, works, coordinates' names, checksums
        layer-<nn>.<crc32>.faiss    one FAISS index per layer
        steering.<crc32>.faiss      the FAISS index of the coordinates of the tracks
        projection.<crc32>.npz      what gives a recording outside of the index its coordinates
        head-<name>.<crc32>.faiss   what a learned head makes of the tracks

An index is replaced whole or not at all (`mess.storage.generations`). `mess.storage.passages` keeps
the index of segments in the same folder.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from mess.encoders import encoder_slug
from mess.errors import ArtifactError, ArtifactMissing
from mess.records.index import IndexRecord
from mess.storage.files import matching, missing_files, modified, read_bytes
from mess.storage.generations import drop_others, sealed, write_sealed
from mess.storage.paths import command_for, processed
from mess.storage.records import read_record, write_record
from mess.storage.writers import writing

_COORDINATES, _MAP = "steering.faiss", "projection.npz"  # names of an earlier version, kept
_PATTERNS = ("layer-*.faiss", "steering*.faiss", "projection*.npz", "head-*.faiss")


@dataclass(frozen=True)
class IndexFiles:
    """The indices of all datasets and encoders, below one root folder."""

    root: Path

    def folder(self, dataset: str, encoder: str) -> Path:
        """Return the folder of an index, which holds the index of segments, too."""
        return processed(self.root, "indices", dataset, encoder_slug(encoder))

    def write(
        self,
        dataset: str,
        encoder: str,
        *,
        layers: list[bytes],
        record: IndexRecord,
        coordinates: bytes | None = None,
        coordinate_map: bytes | None = None,
        heads: Mapping[str, bytes] = MappingProxyType({}),
    ) -> None:
        """Write the files of an index, then the record that names them.

        Parameters
        ----------
        dataset, encoder : str
        layers : list of bytes
            One serialised FAISS index per layer.
        record : IndexRecord
        coordinates : bytes, optional
            The serialised FAISS index of the coordinates of the tracks.
        coordinate_map : bytes, optional
            What gives a recording outside of the index its coordinates, serialised.
        heads : mapping of str to bytes
            Of each head that the record names, one serialised FAISS index.
        """
        path = self.folder(dataset, encoder) / "manifest.json"
        contents = {_layer_name(number): content for number, content in enumerate(layers)}
        if coordinates is not None:
            contents[_COORDINATES] = coordinates
        if coordinate_map is not None:
            contents[_MAP] = coordinate_map
        contents |= {_head_name(name): content for name, content in heads.items()}
        with writing(path):
            checksums = write_sealed(path.parent, contents)
            record = replace(
                record,
                crc32=[checksums[_layer_name(number)] for number in range(len(layers))],
                heads=[
                    replace(head, crc32=checksums[_head_name(head.name)]) for head in record.heads
                ],
                steering_crc32=checksums.get(_COORDINATES),
                projection_crc32=checksums.get(_MAP),
            )
            write_record(path, record)
            drop_others(path.parent, _PATTERNS, kept=dict(_files(record)))

    def tidy(self, dataset: str, encoder: str) -> None:
        """Remove what a killed process left of an older index."""
        path = self.folder(dataset, encoder) / "manifest.json"
        with writing(path), suppress(ArtifactError):
            record = self.read_record(dataset, encoder)
            drop_others(path.parent, _PATTERNS, kept=dict(_files(record)))

    def read_record(self, dataset: str, encoder: str) -> IndexRecord:
        """Read the record of an index: ids, works, columns, what it was made from."""
        path = self.folder(dataset, encoder) / "manifest.json"
        return read_record(path, IndexRecord, command=command_for("index", dataset, encoder))

    def read_layer(self, dataset: str, encoder: str, layer: int, *, checksum: int) -> bytes:
        """Read one layer's FAISS index, serialised."""
        return self._read(dataset, encoder, _layer_name(layer), checksum)

    def layer_reader(self, record: IndexRecord) -> Callable[[int | str], bytes]:
        """Return what reads the file of a layer, by its number, or of a head, by its name."""
        of_heads = {head.name: head.crc32 for head in record.heads}
        where = record.dataset, record.encoder

        def read(layer: int | str) -> bytes:
            if isinstance(layer, str):
                return self._read(*where, _head_name(layer), of_heads[layer])
            return self.read_layer(*where, layer, checksum=record.crc32[layer])

        return read

    def read_coordinates(self, dataset: str, encoder: str, *, checksum: int) -> bytes:
        """Read the FAISS index of the coordinates of the tracks, serialised."""
        return self._read(dataset, encoder, _COORDINATES, checksum)

    def read_coordinate_map(self, dataset: str, encoder: str, *, checksum: int) -> bytes:
        """Read what gives a recording outside of the index its coordinates, serialised."""
        return self._read(dataset, encoder, _MAP, checksum)

    def _read(self, dataset: str, encoder: str, name: str, checksum: int) -> bytes:
        path = self.folder(dataset, encoder) / sealed(name, checksum)
        return read_bytes(path, command=command_for("index", dataset, encoder), checksum=checksum)

    def missing(self, dataset: str, encoder: str, record: IndexRecord, *, whole: bool) -> list[str]:
        """Return the files of an index that are missing or, with ``whole``, damaged."""
        return missing_files(self.folder(dataset, encoder), dict(_files(record)), whole=whole)

    def available(self) -> list[tuple[str, str]]:
        """Return (dataset, encoder) of every index, the newest first."""
        found = matching(processed(self.root, "indices"), "*/*/manifest.json")
        newest = sorted(found, key=modified, reverse=True)
        folders = [(path.parts[-3], path.parts[-2]) for path in newest]
        return [(dataset, self._encoder_name(dataset, slug)) for dataset, slug in folders]

    def newest(self, dataset: str | None = None, encoder: str | None = None) -> tuple[str, str]:
        """Return the named dataset and encoder, else those of the index that was built last.

        Raises
        ------
        ArtifactMissing
            If there is no such index.
        """
        if dataset is not None and encoder is not None:
            return dataset, encoder
        wanted = None if encoder is None else encoder_slug(encoder)
        for found, by in self.available():
            if dataset in (None, found) and wanted in (None, encoder_slug(by)):
                return found, by
        what = f"an index of {dataset!r}" if dataset else "an index"
        if encoder is None:
            raise ArtifactMissing(what, f"mess run-all --dataset {dataset or 'demo'}")
        raise ArtifactMissing(
            f"{what} by {encoder!r}", command_for("run-all", dataset or "demo", encoder)
        )

    def _encoder_name(self, dataset: str, slug: str) -> str:
        """Return the encoder's name; its folder's where the record is damaged.

        So one damaged record does not hide the other indices. Its reader reports it.
        """
        try:
            return self.read_record(dataset, slug).encoder
        except ArtifactError:
            return slug

    def modified(self, dataset: str, encoder: str) -> float:
        """Return when an index was written, 0 if there is none."""
        return modified(self.folder(dataset, encoder) / "manifest.json")


def _layer_name(layer: int) -> str:
    return f"layer-{layer:02d}.faiss"


def _head_name(name: str) -> str:
    return f"head-{name}.faiss"


def _files(record: IndexRecord) -> Iterator[tuple[str, int]]:
    """Yield name and checksum of every file that the record names."""
    for number, checksum in enumerate(record.crc32):
        yield sealed(_layer_name(number), checksum), checksum
    for name, one in ((_COORDINATES, record.steering_crc32), (_MAP, record.projection_crc32)):
        if one is not None:
            yield sealed(name, one), one
    for head in record.heads:
        yield sealed(_head_name(head.name), head.crc32), head.crc32
