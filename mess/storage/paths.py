"""Where things lie on disk, and which command makes them.

The root is the folder ``data`` or what the environment variable ``MESS_DATA`` names; the layout
below it is drawn in ``data/README.md``.
"""

import hashlib
import os
from pathlib import Path
from typing import Literal, get_args
from urllib.parse import quote

from mess.data_root import data_root
from mess.encoders import encoder_slug
from mess.errors import MessError

Level = Literal["track", "segment"]
POOLED = ("aggregated", "segments", "aggregated_std", "segments_std")  # kinds of features
_MAX_STEM = 120
_MAX_NAME = 255  # bytes, of every usual file system


def file_stem(track_id: str) -> str:
    """Return a track's id as a file name without suffix: readable, and safe on any system.

    >>> file_stem("Beethoven_Op027No1-01")
    'Beethoven_Op027No1-01'
    >>> file_stem("../a b")
    '..%2Fa b'
    """
    stem = quote(track_id, safe=" -_.,()'&+=!@#", errors="surrogatepass")
    if stem.startswith(".") and not stem.strip("."):
        stem = stem.replace(".", "%2E")
    if len(stem) > _MAX_STEM:
        digest = hashlib.sha256(track_id.encode(errors="surrogatepass")).hexdigest()
        stem = f"{stem[:_MAX_STEM]}~{digest[:12]}"
    return stem


def folder_name(name: str) -> str:
    """Return a name that is one folder or file, and never a way to another place.

    Raises
    ------
    MessError
        If it has a slash or a NUL, is too long for a file system, or is "." or "..".

    >>> folder_name("my-quartets")
    'my-quartets'
    """
    length = len(name.encode(errors="surrogatepass"))
    if "/" in name or "\0" in name or name in (".", "..") or length > _MAX_NAME:
        shown = name if len(name) <= 80 else f"{name[:79]}…"
        raise MessError(f"{shown!r} is no dataset name: use letters, digits, '.', '_' and '-'")
    return name


class DataPaths:
    """The paths below one root folder.

    Raises
    ------
    MessError
        If the root is there and no folder.
    """

    def __init__(self, root: str | Path | None = None) -> None:
        self.root = Path(root).expanduser() if root else data_root()
        try:
            usable = self.root.is_dir() or not os.path.lexists(self.root)
        except (OSError, ValueError):  # too long, say
            usable = False
        if not usable:
            raise MessError(f"{str(self.root)[:80]!r} is no folder: name another by MESS_DATA")

    def audio_dir(self, dataset: str) -> Path:
        """Folder of a dataset's recordings."""
        return self.root / "audio" / folder_name(dataset)

    @property
    def jobs_dir(self) -> Path:
        """Folder of the status files of pipelines that the dashboard started."""
        return self.root / "jobs"

    @property
    def uploads_dir(self) -> Path:
        """Folder of the files that were handed over in the browser."""
        return self.root / "uploads"

    def reports_dir(self, dataset: str) -> Path:
        """Folder of the reports of a dataset."""
        return self.root / "reports" / folder_name(dataset)

    @property
    def mlflow_db(self) -> Path:
        """The SQLite store of MLflow."""
        return self.root / "mlflow.db"

    @property
    def mlflow_artifacts(self) -> Path:
        """Folder of MLflow's artifacts."""
        return self.root / "mlartifacts"

    def _processed(self, kind: str, *parts: str) -> Path:
        return self.root.joinpath("processed", kind, *map(folder_name, parts))

    def _features_dir(self, dataset: str, encoder: str) -> Path:
        return self._processed("features", dataset, encoder_slug(encoder))

    def _discovery_path(self, dataset: str, encoder: str, level: Level) -> Path:
        suffix = "" if level == "track" else ".segments"
        return self._processed("discovery", dataset, f"{encoder_slug(encoder)}{suffix}.json")

    def _index_dir(self, dataset: str, encoder: str) -> Path:
        return self._processed("indices", dataset, encoder_slug(encoder))

    def _timings_path(self, dataset: str, encoder: str) -> Path:
        return self._processed("timings", dataset, f"{encoder_slug(encoder)}.jsonl")

    def _table_path(self, dataset: str) -> Path:
        return self._processed("targets", f"{dataset}.parquet")

    def _values_path(self, dataset: str, track_id: str) -> Path:
        return self._processed("targets", dataset, f"{file_stem(track_id)}.json")

    def _descriptors_path(self, dataset: str, track_id: str) -> Path:
        return self._processed("targets", dataset, f"{file_stem(track_id)}.descriptors.npz")

    def _fingerprint_path(self, dataset: str, track_id: str) -> Path:
        return self._processed("targets", dataset, f"{file_stem(track_id)}.fingerprint.npy")

    def _reliability_path(self, dataset: str) -> Path:
        return self._processed("targets", f"{dataset}.reliability.json")

    def _cross_path(self, encoder: str) -> Path:
        return self._processed("cross", f"{encoder_slug(encoder)}.json")

    def _map_path(
        self, dataset: str, encoder: str, *, layer: int, method: str, level: Level
    ) -> Path:
        suffix = "" if level == "track" else ".segments"
        name = f"{layer:02d}-{method}{suffix}.json"
        return self._processed("maps", dataset, encoder_slug(encoder), name)

    def _comparison_path(self, dataset: str) -> Path:
        return self._processed("comparison", f"{dataset}.json")

    def _evaluation_path(self, dataset: str, encoder: str) -> Path:
        return self._processed("evaluation", dataset, f"{encoder_slug(encoder)}.json")

    def artifact_paths(self, dataset: str, encoder: str) -> dict[str, list[Path]]:
        """Return the files and folders that each step writes, by the step; some may be missing."""
        features = self._features_dir(dataset, encoder)
        probed = [self._discovery_path(dataset, encoder, level) for level in get_args(Level)]
        return {
            "extract": [
                features / name
                for name in (*POOLED, "moments", "moments.scale.npy", "manifest.json")
            ],
            "every frame": [features / "raw"],
            "targets": [
                self._processed("targets", name)
                for name in (f"{dataset}.parquet", f"{dataset}.manifest.json", dataset)
            ],
            "probe": probed + [path.with_suffix(".predictions.parquet") for path in probed],
            "index": [self._index_dir(dataset, encoder)],
            "evaluate": [self._evaluation_path(dataset, encoder)],
            "check-targets": [self._reliability_path(dataset)],
        }


def report_names(dataset: str, encoder: str, level: str) -> tuple[str, str]:
    """Return the names of the two files of a report: the page, and the methods section."""
    stem = f"{dataset}-{encoder_slug(encoder)}" + ("" if level == "track" else f"-{level}")
    return f"{stem}.html", f"{stem}-methods.md"


def command_for(
    step: str, dataset: str, encoder: str | None = None, *, level: Level = "track"
) -> str:
    """Return the command line that makes an artifact."""
    words = ["mess", step, "--dataset", dataset]
    if encoder is not None:
        words += ["--encoder", encoder]
    if level == "segment":
        words += ["--level", "segment"]
    return " ".join(words)
