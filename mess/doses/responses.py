"""From what was measured and predicted of changed recordings to responses, and their record."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mess.curves.readings import READINGS
from mess.doses.readings import FittedReadings
from mess.experiments.in_time import MEAN, TIME
from mess.probing.dose import Response, respond
from mess.records.discovery import DiscoveryRecord
from mess.records.dose import DoseCell, DoseTarget

if TYPE_CHECKING:
    import pandas as pd

_VERSION = ["track", "rendered", "edit", "dose", "target", "reading"]
TEMPO = "tempo"


def as_points(
    measured: Mapping[str, float],
    predicted: Any,
    fitted: FittedReadings,
    *,
    edit: str,
    rendered: bool,
    dose: float,
) -> "pd.DataFrame":
    """Return what was measured and predicted of one version of a recording as a long table.

    Parameters
    ----------
    measured : mapping of str to float
        By target; what is not in it is not known.
    predicted : ndarray [shape=(readings, layers, t)]
    fitted : FittedReadings
    edit : str
        "" for the version without an edit.
    rendered : bool
        Whether it is a rendering of the MIDI.
    dose : float
    """
    import pandas as pd

    shape = predicted.shape
    reading, layer, target = np.meshgrid(*map(np.arange, shape), indexing="ij")
    truth = np.array([measured.get(name, np.nan) for name in fitted.names])
    table = pd.DataFrame(
        {
            "edit": edit,
            "rendered": rendered,
            "dose": float(dose),
            "target": np.asarray(fitted.names, dtype=object)[target.ravel()],
            "reading": np.asarray(fitted.readings, dtype=object)[reading.ravel()],
            "layer": layer.ravel().astype(np.int16),
            "measured": truth[target.ravel()],
            "predicted": predicted.ravel().astype(np.float64),
        }
    )
    return table[np.isfinite(table["predicted"])]


def changes(
    points: "pd.DataFrame",
    deviation: Mapping[str, float],
    *,
    speeds: Mapping[tuple[str, float], float],
) -> "pd.DataFrame":
    """Return how far each version moved from the one without an edit, in deviations.

    A measured tempo may be wrong by octaves. After an edit it counts in the octave that is nearest
    to the tempo before, times the speed of the edit.

    Parameters
    ----------
    points : DataFrame
        As `DoseFiles.read_points` returns them.
    deviation : mapping of str to float
        Of each target.
    speeds : mapping of (str, float) to float
        How much faster the notes come, by edit and dose, where that is not 1.

    Returns
    -------
    DataFrame
        A row for each version, target and reading (the index), with "measured" and a column for
        each layer, numbered.
    """
    import pandas as pd

    wide = points.set_index([*_VERSION, "layer"])
    predicted = wide["predicted"].unstack("layer")
    measured = wide["measured"].groupby(level=_VERSION, sort=False).first()
    table = predicted.assign(measured=measured)
    own: Any = ["edit", "dose"]  # its stubs want lists of anything
    unedited = table[table.index.get_level_values("edit") == ""].droplevel(own)
    edited = table[table.index.get_level_values("edit") != ""]
    place = edited.index.droplevel(own)
    before = unedited.reindex(place)
    edited = edited.assign(measured=_in_octave(edited["measured"], before["measured"], speeds))
    scale = edited.index.get_level_values("target").map(deviation).to_numpy(dtype=np.float64)
    moved = (edited.to_numpy() - before.to_numpy()) / np.where(scale > 0, scale, np.nan)[:, None]
    return pd.DataFrame(moved, index=edited.index, columns=edited.columns)


def _in_octave(
    after: "pd.Series[float]",
    before: "pd.Series[float]",
    speeds: Mapping[tuple[str, float], float],
) -> NDArray[np.float64]:
    """Return measured values, those of the tempo moved by whole octaves."""
    names = after.index
    pairs = zip(names.get_level_values("edit"), names.get_level_values("dose"), strict=True)
    expected = before.to_numpy() * np.array([speeds.get(pair, 1.0) for pair in pairs])
    values = after.to_numpy()
    is_tempo = (names.get_level_values("target") == TEMPO) & (values > 0) & (expected > 0)
    octaves = np.round(np.log2(np.where(is_tempo, values / expected, 1.0)))
    return np.asarray(values / 2**octaves)


def find_responses(
    moved: "pd.DataFrame",
    *,
    works: Mapping[str, str],
    across: Mapping[tuple[str, int, str], float],
    resamples: int,
    seed: int,
) -> "pd.DataFrame":
    """Return the response of every edit, target, reading and layer.

    Parameters
    ----------
    moved : DataFrame
        From `changes`.
    works : mapping of str to str
        Of each track.
    across : mapping of (reading, layer, target) to float
        See `DoseCell`.
    resamples, seed : int
        Of the bootstrap.

    Returns
    -------
    DataFrame
        Columns edit, target, reading, layer, across, and the fields of `Response`. What no
        recording has is left out.
    """
    import pandas as pd

    layers = [column for column in moved.columns if column != "measured"]
    rows: list[dict[str, Any]] = []
    for (edit, target, reading), part in moved.groupby(
        level=["edit", "target", "reading"], sort=False
    ):
        measured = part["measured"].to_numpy()
        predicted = part[layers].to_numpy()
        if not np.isfinite(measured).any() or not np.isfinite(predicted).any():
            continue
        track = part.index.get_level_values("track")
        found = respond(
            measured,
            predicted,
            np.array([works[one] for one in track]),
            part.index.get_level_values("dose").to_numpy(),
            resamples=resamples,
            seed=seed,
        )
        rows += [
            {"edit": edit, "target": target, "reading": reading, "layer": int(layer)}
            | {"across": across.get((str(reading), int(layer), str(target)), np.nan)}
            | asdict(one)
            for layer, one in zip(layers, found, strict=True)
        ]
    return pd.DataFrame(rows)


def usual_readings(
    record: DiscoveryRecord, fitted: FittedReadings, probed: Sequence[str]
) -> list[DoseTarget]:
    """Return, for each target, the reading and the layer that most training folds chose.

    What is read from single states or from phrases cannot be asked for a changed recording: the
    better reading of the others takes its place.

    Parameters
    ----------
    record : DiscoveryRecord
    fitted : FittedReadings
    probed : sequence of str
        The targets that can be predicted.
    """
    found = []
    by_target = {} if record.in_time is None else {o.target: o for o in record.in_time.readings}
    summaries = {one.target: one for one in record.summaries}
    for name in probed:
        deviation = float(fitted.deviation[fitted.names.index(name)])
        told = by_target.get(name)
        askable = {
            reading: one
            for reading, one in (told.by.items() if told else ())
            if reading in fitted.readings and (reading != TIME or name in READINGS)
        }
        if told is not None and askable:
            reading = told.usual
            if reading not in askable:
                reading = max(askable, key=lambda one: _number(askable[one].r2))
            own = askable[reading]
            layer, r2 = int(np.argmax(own.layers)), own.r2
        elif name in summaries:
            reading, layer = MEAN, summaries[name].best
            r2 = summaries[name].nested.r2
        else:
            continue
        found.append(
            DoseTarget(target=name, reading=reading, layer=layer, r2=r2, deviation=deviation)
        )
    return found


def as_cells(responses: "pd.DataFrame", usual: Sequence[DoseTarget]) -> list[DoseCell]:
    """Return the responses of the usual reading and layer of each target."""
    wanted = {(one.target, one.reading, one.layer) for one in usual}
    cells = []
    rows: list[dict[str, Any]] = responses.to_dict("records")  # type: ignore[assignment]
    for row in rows:
        if (row["target"], row["reading"], row["layer"]) in wanted:
            cells.append(
                DoseCell(
                    edit=row["edit"],
                    target=row["target"],
                    reading=row["reading"],
                    layer=int(row["layer"]),
                    across=_defined(row["across"]),
                    response=as_response(row),
                )
            )
    return cells


def as_response(row: Mapping[str, Any]) -> Response:
    """Return the response of a row of the table of responses."""
    return Response(
        slope=_defined(row["slope"]),
        low=_defined(row["low"]),
        high=_defined(row["high"]),
        linearity=_defined(row["linearity"]),
        agreement=_defined(row["agreement"]),
        measured=float(row["measured"]),
        predicted=float(row["predicted"]),
        n=int(row["n"]),
        works=int(row["works"]),
    )


def _defined(value: Any) -> float | None:
    return float(value) if value is not None and np.isfinite(value) else None


def _number(value: float | None) -> float:
    return -np.inf if value is None else value
