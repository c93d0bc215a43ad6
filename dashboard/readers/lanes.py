"""Curves of recordings, measured and predicted, and which layers can predict them."""

from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from dashboard.readers.data import store
from dashboard.readers.results import discovery
from dashboard.readers.staleness import stale
from mess.errors import ArtifactError, ArtifactMissing, MessError
from mess.lanes.datasets import DatasetCurves, fold_in, predict_dataset, read_dataset_curves
from mess.lanes.recordings import MeasuredCurves, check_probes, predict_on
from mess.new_recordings.encoding import check_same_encoder
from mess.new_recordings.uploads import read_encoded, read_in_time
from mess.probing.curve_probes import CurveProbes
from mess.records.targets import TargetsEntry
from mess.storage.manifest import FeaturesManifest, TargetsManifest
from mess.storage.paths import command_for

Predictions = NDArray[np.float32]


@dataclass(frozen=True)
class Predictor:
    """An encoder whose layers predict curves.

    Attributes
    ----------
    encoder : str
    layers : list of str
        Their names.
    best : dict of str to int
        By curve, the layer that most folds chose.
    """

    encoder: str
    layers: list[str]
    best: dict[str, int]

    def layer(self, curve: str) -> int:
        """Return the layer that most folds chose for a curve; the last where none was probed."""
        return self.best.get(curve, len(self.layers) - 1)


@st.cache_resource(max_entries=4, show_spinner=False)
def _targets_manifest(dataset: str, version: float) -> TargetsManifest:
    return store().targets.manifest(dataset)


@st.cache_resource(max_entries=8, show_spinner=False)
def _features_manifest(dataset: str, encoder: str, version: float) -> FeaturesManifest:
    return store().features.manifest(dataset, encoder)


def _features(dataset: str, encoder: str) -> FeaturesManifest:
    return _features_manifest(dataset, encoder, store().features.modified(dataset, encoder))


@st.cache_resource(max_entries=8, show_spinner=False)
def _curve_probes(dataset: str, encoder: str, version: float) -> CurveProbes:
    return store().discoveries.read_curve_probes(dataset, encoder)


def curve_probes(dataset: str, encoder: str) -> CurveProbes:
    """Return the probes of curves, where they are not stale.

    Raises
    ------
    ArtifactError
        If there are none, or what they were fitted on has changed since.
    """
    record = discovery(dataset, encoder)
    if why := stale("discovery", dataset, encoder, record.origin):
        what = f"the probes of curves of {dataset!r} by {encoder!r}"
        raise ArtifactError(what, f"are stale ({why})", command_for("probe", dataset, encoder))
    version = store().discoveries.modified(dataset, encoder, "track")
    return _curve_probes(dataset, encoder, version)


@st.cache_resource(max_entries=16, show_spinner=False)
def _predictor(dataset: str, encoder: str, version: float) -> Predictor | None:
    try:
        record = store().discoveries.read(dataset, encoder)
    except ArtifactError:
        return None
    if record.curve_probes_crc32 is None or record.in_time is None:
        return None
    best = {one.curve: int(np.argmax(one.layers)) for one in record.in_time.summaries}
    return Predictor(encoder, record.layer_names, best)


def predictor(dataset: str, encoder: str) -> Predictor | None:
    """Return an encoder as a predictor of curves, None where it has no probes of curves."""
    return _predictor(dataset, encoder, store().discoveries.modified(dataset, encoder, "track"))


def measured_curves(dataset: str, track: str) -> MeasuredCurves:
    """Return the measured curves of a track.

    Raises
    ------
    ArtifactError
        If they are missing or damaged.
    """
    manifest = _targets_manifest(dataset, store().targets.modified(dataset))
    entry = manifest.tracks.get(track)
    if not isinstance(entry, TargetsEntry):
        path = store().curves.path(dataset, track)
        raise ArtifactMissing(str(path), command_for("targets", dataset))
    curves = store().curves.read_track(dataset, track, entry)
    return MeasuredCurves(curves.start, curves.values)


def predicted_curves(
    dataset: str, encoder: str, track: str, *, layer: int, measured: MeasuredCurves
) -> Predictions:
    """Return what a layer predicts of a track, by the probe that never saw its work.

    Parameters
    ----------
    dataset, encoder, track : str
    layer : int
    measured : MeasuredCurves

    Returns
    -------
    ndarray [shape=(n, curves), dtype=float32]
        At the moments of ``measured``.

    Raises
    ------
    MessError
        If probes or moments are missing, damaged or stale.
    """
    manifest, probes = _features(dataset, encoder), curve_probes(dataset, encoder)
    moments = store().moments.read_track(dataset, encoder, manifest, track)
    layers, dim = moments.stored.shape[1:]
    check_probes(probes, layers=layers, dim=dim, dataset=dataset, encoder=encoder)
    fold = fold_in(probes, track, manifest.tracks[track])
    states = moments.layer(layer)
    return predict_on(measured, states, moments.start, probes=probes, layer=layer, fold=fold)


def upload_curves(token: str, encoder: str) -> MeasuredCurves:
    """Return the measured curves of a file that was handed over."""
    return read_in_time(store().uploads, token, encoder).curves


def predicted_of_upload(dataset: str, encoder: str, token: str, *, layer: int) -> Predictions:
    """Return what a layer predicts of a file that was handed over, by the probe of all works.

    Raises
    ------
    MessError
        If the file is not encoded by this encoder, or probes are missing or stale.
    """
    header, probes = _features(dataset, encoder).header, curve_probes(dataset, encoder)
    recording = read_encoded(store().uploads, token, encoder)
    check_same_encoder(recording.made_by, header)
    found = read_in_time(store().uploads, token, encoder)
    if len(recording.moments) != len(found.start):
        raise MessError(f"{encoder!r} gives no states of half seconds")
    layers, dim = recording.moments.shape[1:]
    check_probes(probes, layers=layers, dim=dim, dataset=dataset, encoder=encoder)
    states = recording.states(layer).astype(np.float32)
    return predict_on(found.curves, states, found.start, probes=probes, layer=layer, fold=-1)


@st.cache_resource(max_entries=2, show_spinner=False)
def _dataset_curves(dataset: str, version: float) -> DatasetCurves:
    return read_dataset_curves(store(), dataset)


def dataset_curves(dataset: str) -> DatasetCurves:
    """Return the measured curves of all tracks of a dataset. Nobody may change the arrays.

    Raises
    ------
    ArtifactError
        If they are missing or damaged.
    """
    return _dataset_curves(dataset, store().targets.modified(dataset))


@st.cache_resource(max_entries=4, show_spinner="The layer predicts all curves …")
def _dataset_predictions(
    dataset: str, encoder: str, layer: int, version: tuple[float, ...]
) -> Predictions:
    return predict_dataset(store(), dataset, encoder, measured=dataset_curves(dataset), layer=layer)


def dataset_predictions(dataset: str, encoder: str, *, layer: int) -> Predictions:
    """Return what a layer predicts of all tracks, beside `dataset_curves`.

    Raises
    ------
    ArtifactError
        If probes or moments are missing, damaged or stale.
    """
    curve_probes(dataset, encoder)  # refuses stale ones
    version = (
        store().targets.modified(dataset),
        store().features.modified(dataset, encoder),
        store().discoveries.modified(dataset, encoder, "track"),
    )
    return _dataset_predictions(dataset, encoder, layer, version)
