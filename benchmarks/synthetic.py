"""A library of any size with planted answers, written as the pipelines write theirs.

    MESS_DATA=/tmp/bench python -m benchmarks.synthetic --tracks 1276
    MESS_DATA=/tmp/bench python -m benchmarks.synthetic --tracks 100000 --dataset large --names-only

What a target is lies in the features on purpose, most of all in the middle layers. The sounds are a
few real recordings under many names. With ``--names-only`` there are no features of each track and
no discovery of its own: enough to search names and tracks among 100,000.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import soundfile
from numpy.typing import NDArray

from benchmarks.workload import RATE, music
from mess.audio.decoding import SEGMENT_SECONDS
from mess.curves.registry import CURVES, CURVES_VERSION
from mess.encoders.catalogue import PRESETS
from mess.probing.results import Cell
from mess.records.discovery import DiscoveryRecord, Influence, ProbeSettings
from mess.records.features import FeaturesEntry, FeaturesHeader, PooledFiles
from mess.records.index import Column, IndexRecord
from mess.records.targets import (
    MeasuredValues,
    TargetFilesOfTrack,
    TargetsEntry,
    TargetsHeader,
)
from mess.search.coordinate_index import serialise
from mess.search.layer_index import normalise_layers, serialise_layer
from mess.search.spaces import standardise, whiten
from mess.search.tempo import TEMPO, octave_targets, scale_of
from mess.storage.manifest import digest
from mess.storage.store import Store
from mess.targets import ALL_TARGETS, TARGET_SAMPLE_RATE, TARGETS, TARGETS_VERSION
from mess.versions import DISCOVERY_VERSION, FEATURES_VERSION
from pipelines.build_indices import INDEX_VERSION
from pipelines.steps import Source

COMPOSERS = (
    "Johann Sebastian Bach",
    "Ludwig van Beethoven",
    "Frédéric Chopin",
    "Antonín Dvořák",
    "Fanny Hensel",
    "Wolfgang Amadeus Mozart",
    "Clara Schumann",
    "Germaine Tailleferre",
)
FORMS = ("Prelude", "Fugue", "Sonata", "Étude", "Nocturne", "Mazurka", "Ballade", "Impromptu")
KEYS = ("C major", "D minor", "E-flat major", "F-sharp minor", "G major", "A minor", "B-flat minor")
SECONDS = 20.0
SEGMENTS = int(SECONDS // SEGMENT_SECONDS)
_LATENT = 6
_PER_WORK = 3

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How large a library is.

    Attributes
    ----------
    tracks : int
    layers, dim : int
    dataset, encoder : str
    names_only : bool
        Leave out the features of each track.
    recordings : int
        How many sounds there are; each has several names.
    """

    tracks: int = 1276
    layers: int = 13
    dim: int = 768
    dataset: str = "bench"
    encoder: str = "mert-v1-95m"
    names_only: bool = False
    recordings: int = 12


@dataclass(frozen=True)
class Planted:
    """What is true of the tracks: names, targets [n, t] and what features are made of [n, k]."""

    about: dict[str, dict[str, Any]]
    targets: Array
    latent: Array


def plant(shape: Shape, *, seed: int = 0) -> Planted:
    """Draw the tracks: three recordings of each work, which have most of their nature in common."""
    rng = np.random.default_rng(seed)
    about: dict[str, dict[str, Any]] = {}
    for number in range(shape.tracks):
        work = number // _PER_WORK
        composer = COMPOSERS[work % len(COMPOSERS)]
        form, key = FORMS[work // 8 % len(FORMS)], KEYS[work % len(KEYS)]
        track_id = f"{composer.split()[-1]}_{form}{work:05d}-{number % _PER_WORK + 1}"
        about[track_id] = {
            "composer": composer,
            "title": f"{form} No. {work} in {key}, recording {number % _PER_WORK + 1}",
            "work": f"{composer}/{form} {work}",
            "path": f"{composer.split()[-1]}/{track_id}.flac",
            "recording": number % shape.recordings,
        }
    about = dict(sorted(about.items()))
    works = sorted({one["work"] for one in about.values()})
    of_work = dict(zip(works, rng.standard_normal((len(works), _LATENT)), strict=True))
    latent = np.array([of_work[one["work"]] for one in about.values()])
    latent = 0.9 * latent + 0.45 * rng.standard_normal(latent.shape)
    mixing = rng.standard_normal((_LATENT, len(TARGETS)))
    targets = latent @ mixing / np.sqrt(_LATENT) + 0.3 * rng.standard_normal((len(latent), 1))
    return Planted(about, 50.0 + 10.0 * targets, latent)


def write_library(store: Store, shape: Shape, *, seed: int = 0) -> None:
    """Write audio, features, targets, discovery and index.

    Parameters
    ----------
    store : Store
    shape : Shape
    seed : int
    """
    planted = plant(shape, seed=seed)
    _write_audio(store, shape, planted)
    _write_features(store, shape, planted, seed=seed)
    _write_targets(store, shape, planted)
    _write_index(store, shape, planted, seed=seed)
    if shape.names_only:
        _write_discovery(store, shape)
    else:
        from pipelines.run_probing import run_probing

        run_probing(
            dataset=shape.dataset,
            encoder=shape.encoder,
            settings=ProbeSettings(
                folds=4,
                permutations=19,
                bootstrap=20,
                group_by=("work",),
                repeats=1,
                controls=False,
            ),
            store=store,
            tracking=False,
        )


def _write_audio(store: Store, shape: Shape, planted: Planted) -> None:
    """Render a few recordings, and give each a name for every track that it stands for."""
    root = store.audio_dir(shape.dataset)
    originals: dict[int, Path] = {}
    for one in planted.about.values():
        path = root / one["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        original = originals.setdefault(one["recording"], path)
        if path == original:
            soundfile.write(path, music(SECONDS, seed=one["recording"]), RATE)
        elif not shape.names_only:
            path.unlink(missing_ok=True)
            path.hardlink_to(original)
        else:  # 100,000 files would take longer than all else
            one["path"] = str(original.relative_to(root))


def _layers(shape: Shape, latent: Array, *, seed: int) -> Iterator[NDArray[np.float32]]:
    """Yield the features of one layer after another [n, dim]."""
    rng = np.random.default_rng(seed + 1)
    for layer in range(shape.layers):
        heard = np.exp(-(((layer - shape.layers / 2) / (shape.layers / 3)) ** 2))
        projection = rng.standard_normal((latent.shape[1], shape.dim))
        noise = rng.standard_normal((len(latent), shape.dim), dtype=np.float32)
        yield (heard * latent @ projection).astype(np.float32) + 2 * noise


def _write_features(store: Store, shape: Shape, planted: Planted, *, seed: int) -> None:
    preset = PRESETS[shape.encoder]
    header = FeaturesHeader(
        dataset=shape.dataset,
        encoder=shape.encoder,
        revision=preset.revision,
        weights_sha256="synthetic",
        licence=preset.licence,
        sample_rate=preset.sample_rate,
        layers=shape.layers,
        dim=shape.dim,
        layer_names=[str(layer) for layer in range(shape.layers)],
        normalise="track",
        settings={"synthetic": seed},
        segment_seconds=SEGMENT_SECONDS,
        code_version=FEATURES_VERSION,
    )
    manifest = store.features.resume(shape.dataset, shape.encoder, header=header, force=True)
    values = None
    if not shape.names_only:
        values = np.stack(list(_layers(shape, planted.latent, seed=seed)), axis=1)
    for row, (track_id, about) in enumerate(planted.about.items()):
        files = PooledFiles(  # that are not there
            aggregated_crc32=0, segments_crc32=0, aggregated_std_crc32=0, segments_std_crc32=0
        )
        if values is not None:
            parts = np.repeat(values[row][None], SEGMENTS, axis=0).astype(np.float16)
            files = store.features.write(
                shape.dataset,
                shape.encoder,
                track_id,
                aggregated=values[row],
                segments=parts,
                aggregated_std=np.ones_like(values[row]),
                segments_std=np.ones_like(parts),
            )
        manifest.tracks[track_id] = FeaturesEntry.of(
            _source(store, shape, about), files, duration=SECONDS, segments=SEGMENTS, raw_bytes=0
        )
    manifest.close()


def _source(store: Store, shape: Shape, about: dict[str, Any]) -> Source:
    stat = (store.audio_dir(shape.dataset) / about["path"]).stat()
    return Source(
        size=stat.st_size,
        mtime_ns=stat.st_mtime_ns,
        sha256=digest(about["recording"]),
        path=about["path"],
        composer=about["composer"],
        work=about["work"],
        title=about["title"],
    )


def _write_targets(store: Store, shape: Shape, planted: Planted) -> None:
    header = TargetsHeader(
        dataset=shape.dataset,
        targets=list(ALL_TARGETS),
        sample_rate=TARGET_SAMPLE_RATE,
        segment_seconds=SEGMENT_SECONDS,
        code_version=TARGETS_VERSION,
        curves=list(CURVES),
        curves_version=CURVES_VERSION,
    )
    manifest = store.targets.resume(shape.dataset, header=header, force=True)
    for (track_id, about), row in zip(planted.about.items(), planted.targets, strict=True):
        files = TargetFilesOfTrack(values_crc32=0, descriptors_crc32=0, fingerprint_crc32=0)
        if not shape.names_only:
            values = dict(zip(TARGETS, row.tolist(), strict=True))
            segments = {name: [value] * SEGMENTS for name, value in values.items()}
            files = store.targets.write(
                shape.dataset,
                track_id,
                values=MeasuredValues(track=values, segments=segments),
                descriptors={},
                marks=np.empty((2, 0), dtype=np.uint32),
            )
        manifest.tracks[track_id] = TargetsEntry.of(
            _source(store, shape, about), files, curves_crc32=0, midi_stat=None
        )
    manifest.close()
    if not shape.names_only:
        store.targets.gather(shape.dataset, manifest)


def _write_index(store: Store, shape: Shape, planted: Planted, *, seed: int) -> None:
    rng = np.random.default_rng(seed + 2)
    measured, mean, deviation = standardise(planted.targets)
    predicted, _, _ = standardise(measured + 0.5 * rng.standard_normal(measured.shape))
    columns = [
        Column(name, kind, mean=float(mean[place]), deviation=float(deviation[place]), r2=r2)  # type: ignore[arg-type]
        for kind, r2 in (("probe", 0.75), ("direct", None))
        for place, name in enumerate(TARGETS)
    ]
    # Tempo as an index compares it: on the circle of octaves, and by the density of onsets.
    predicted_octaves, octaves = _octaves(planted.targets, seed=seed)
    columns += octaves
    features = store.features.manifest(shape.dataset, shape.encoder).digest()
    targets = store.targets.manifest(shape.dataset).digest()
    about = list(planted.about.values())
    store.indices.write(
        shape.dataset,
        shape.encoder,
        layers=[
            serialise_layer(normalise_layers(layer[:, None])[:, 0])
            for layer in _layers(shape, planted.latent, seed=seed)
        ],
        record=IndexRecord(
            dataset=shape.dataset,
            encoder=shape.encoder,
            features=features,
            targets=targets,
            inputs={},
            fingerprint=digest([features, targets, INDEX_VERSION]),
            code_version=INDEX_VERSION,
            tracks=list(planted.about),
            works=[one["work"] for one in about],
            composers=[one["composer"] for one in about],
            copies=list(range(len(about))),
            columns=columns,
            passages=False,
        ),
        coordinates=serialise(
            np.hstack([predicted, measured, predicted_octaves]), whiten(planted.latent)
        ),
    )


def _octaves(targets: Array, *, seed: int) -> tuple[Array, list[Column]]:
    """Return what tempo is compared by, as it is predicted and as it was measured [n, 6]."""
    rng = np.random.default_rng(seed + 3)
    measured = octave_targets(targets, list(TARGETS))
    _, mean, deviation = standardise(measured)
    scale = scale_of(deviation)
    x = (measured - mean) / scale
    columns = [
        Column(TEMPO, kind, mean=float(m), deviation=float(s), r2=r2)  # type: ignore[arg-type]
        for kind, r2 in (("probe_octaves", 0.75), ("direct_octaves", None))
        for m, s in zip(mean, scale, strict=True)
    ]
    return np.hstack([x + 0.5 * rng.standard_normal(x.shape), x]), columns


def _write_discovery(store: Store, shape: Shape) -> None:
    cells = [
        Cell(
            layer=layer,
            target=target,
            r2=0.5,
            spearman=0.7,
            rmse=1.0,
            fold_r2=[],
            alpha=[],
            n=shape.tracks,
            works=shape.tracks,
            p_family=0.001,
        )
        for layer in range(shape.layers)
        for target in TARGETS
    ]
    record = DiscoveryRecord(
        dataset=shape.dataset,
        encoder=shape.encoder,
        features=store.features.manifest(shape.dataset, shape.encoder).digest(),
        targets=store.targets.manifest(shape.dataset).digest(),
        code_version=DISCOVERY_VERSION,
        settings=ProbeSettings(),
        layer_names=[str(layer) for layer in range(shape.layers)],
        target_names=list(TARGETS),
        n=shape.tracks,
        works=shape.tracks,
        groups=shape.tracks,
        copies={},
        cells=cells,
        summaries=[],
        influence=Influence(groups=[], by_target={}),
        inputs={},
        sensitivity=[],
        parts=[],
    )
    store.discoveries.write(
        shape.dataset, shape.encoder, record=record, predictions=pd.DataFrame({"track": []})
    )


def main() -> None:
    """Write a library below ``MESS_DATA``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--tracks", type=int, default=1276)
    parser.add_argument("--dataset", default="bench")
    parser.add_argument("--names-only", action="store_true")
    asked = parser.parse_args()
    small = {"layers": 2, "dim": 8} if asked.names_only else {}
    shape = Shape(tracks=asked.tracks, dataset=asked.dataset, names_only=asked.names_only, **small)
    write_library(Store(), shape)


if __name__ == "__main__":
    main()
