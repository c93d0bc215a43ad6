"""Lanes over HTTP: the measured curve of a part of a recording, and what layers predict of it.

    /lanes?dataset=…&encoder=…&track=…&start=…&seconds=…&curve=…&by=ENCODER:LAYER&by=…      JSON

``upload=TOKEN`` stands for the track of a file that was handed over. Without ``curve`` or ``by``,
the usual ones are taken. LAYER is a number, or ``best``: the layer that most folds chose for the
curve. ``by=none`` leaves predictions out. A player asks when its lane is opened.
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import numpy as np
from numpy.typing import NDArray
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from dashboard import library, readers
from dashboard.readers import Predictor
from mess.as_text import as_words
from mess.curves.registry import CURVES
from mess.encoders import by_interest
from mess.errors import MessError, UnknownName
from mess.lanes.recordings import MeasuredCurves, Stretch, correlation, stretch_of

MOST = 2  # predictions over each other
BEST, NONE = "best", "none"
USUAL_CURVE = "level"
_LATEST = 1e6  # seconds


def lane_url(
    *, dataset: str, encoder: str, track: str = "", upload: str = "", start: float, seconds: float
) -> str:
    """Return the address of a lane, to which the choice of curve and layers is added.

    Parameters
    ----------
    dataset, encoder : str
        Whose probes predict.
    track : str
    upload : str
        Instead of a track, the token of a file that was handed over.
    start, seconds : float
        Of the part that is heard.
    """
    whose = {"upload": upload} if upload else {"track": track}
    place = {"start": f"{start:g}", "seconds": f"{seconds:g}"}
    return f"/lanes?{urlencode({'dataset': dataset, 'encoder': encoder, **whose, **place})}"


def lane(request: Request) -> JSONResponse:
    """Answer with a lane."""
    asked = request.query_params
    try:
        dataset = asked.get("dataset", "")
        encoder = library.known_encoder(dataset, asked.get("encoder", ""))
        track, upload = asked.get("track", ""), asked.get("upload", "")
        if upload:
            measured = readers.upload_curves(upload, encoder)
        elif track in readers.tracks(dataset, encoder):
            measured = readers.measured_curves(dataset, track)
        else:
            raise MessError("no such track")
        part = stretch_of(
            measured.start,
            first=_number(asked.get("start", "0")),
            seconds=_number(asked.get("seconds", "30")),
        )
        answer = _answer(
            measured,
            part,
            dataset=dataset,
            encoder=encoder,
            track=track,
            upload=upload,
            curve=asked.get("curve", ""),
            by=asked.getlist("by")[:MOST],
        )
    except MessError as error:
        return JSONResponse({"error": readers.told(error)}, status_code=404)
    return JSONResponse(answer)


def _answer(
    measured: MeasuredCurves,
    part: Stretch,
    *,
    dataset: str,
    encoder: str,
    track: str,
    upload: str,
    curve: str,
    by: Sequence[str],
) -> dict[str, Any]:
    names = list(CURVES)
    known = [name for n, name in enumerate(names) if np.isfinite(measured.values[:, n]).any()]
    if curve and curve not in names:
        raise UnknownName("curve", curve, names)
    predictors = _predictors(dataset, [encoder] if upload else None)
    curve = curve or (USUAL_CURVE if USUAL_CURVE in known else next(iter(known), USUAL_CURVE))
    column, notes = names.index(curve), []
    own = encoder if encoder in predictors or upload else next(iter(predictors), encoder)
    lines = []
    for wanted in by or [f"{own}:{BEST}"]:
        if wanted == NONE:
            continue
        name, _, number = wanted.rpartition(":")
        try:
            layer = _layer(predictors.get(name), number, name=name, dataset=dataset, curve=curve)
            found = (
                readers.predicted_of_upload(dataset, name, upload, layer=layer)
                if upload
                else readers.predicted_curves(dataset, name, track, layer=layer, measured=measured)
            )[:, column]
        except MessError as error:
            notes.append(readers.told(error))
            continue
        if not np.isfinite(found).any():
            notes.append(f"{name} has no probe of {as_words(curve)}.")
            continue
        lines.append(
            {
                "name": f"{name}, layer {predictors[name].layers[layer]}",
                "by": wanted,
                "r": correlation(measured.values[:, column], found),
                "values": _plain(found[part.rows]),
            }
        )
    if curve not in known:
        notes.append(f"The {as_words(curve)} of this recording is not measured.")
    return {
        "curve": curve,
        "unit": CURVES[curve].unit,
        "about": CURVES[curve].description,
        "at": [round(float(one), 3) for one in part.at],
        "measured": _plain(measured.values[part.rows, column]),
        "predicted": lines,
        "notes": notes,
        "curves": [
            {"name": name, "label": as_words(name), "source": CURVES[name].source} for name in known
        ],
        "encoders": [
            {"name": one.encoder, "layers": one.layers, "best": one.layers[one.layer(curve)]}
            for one in predictors.values()
        ],
    }


def _predictors(dataset: str, encoders: list[str] | None) -> dict[str, Predictor]:
    """Return the encoders that can predict curves, the most interesting first."""
    names = by_interest(library.encoders(dataset)) if encoders is None else encoders
    found = ((name, readers.predictor(dataset, name)) for name in names)
    return {name: one for name, one in found if one is not None}


def _layer(known: Predictor | None, number: str, *, name: str, dataset: str, curve: str) -> int:
    if known is None:
        readers.curve_probes(dataset, library.known_encoder(dataset, name))  # says why
        raise MessError(f"{name!r} cannot be laid over this recording")
    if number == BEST:
        return known.layer(curve)
    layers = [str(layer) for layer in range(len(known.layers))]
    if number not in layers:
        raise UnknownName("layer", number, layers)
    return int(number)


def _plain(values: NDArray[np.floating[Any]]) -> list[float | None]:
    """Return values to four digits; None where they are undefined."""
    return [float(f"{value:.4g}") if np.isfinite(value) else None for value in values]


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < _LATEST:
        raise MessError("start and seconds are numbers from 0")
    return value


ROUTES = [Route("/lanes", lane)]
