"""Changed recordings over HTTP: an excerpt before and after an edit, made when somebody listens.

    /doses/clip?dataset=…&encoder=…&track=…&edit=…&dose=…&part=before      FLAC; or part=after
    /doses/peaks?…&bins=…                                                  JSON, a list of numbers

Both parts are equally loud. A track is one that ``mess dose`` changed; its name is never a path.
The last pairs are kept.
"""

import io
import json
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from dashboard import library, readers
from mess.doses.changed import editing_rate
from mess.errors import MessError
from mess.serving.clips import CACHE, Kept, clip_answer

PARTS = ("before", "after")
_MAX_BINS = 4000
_pairs = Kept(48 << 20)  # some sixty pairs


def dose_url(
    kind: str, *, dataset: str, encoder: str, track: str, edit: str, dose: float, part: str
) -> str:
    """Return the address, on this server, of one side of a change.

    Parameters
    ----------
    kind : {"clip", "peaks"}
    dataset, encoder, track, edit : str
    dose : float
    part : {"before", "after"}
    """
    words = {"dataset": dataset, "encoder": encoder, "track": track, "edit": edit}
    return f"/doses/{kind}?{urlencode({**words, 'dose': f'{dose:g}', 'part': part})}"


def clip(request: Request) -> Response:
    """Answer with one side of a change as FLAC; a range of its bytes where one is asked for."""
    try:
        content = _part(request)
    except MessError as error:
        return PlainTextResponse(readers.told(error), status_code=404)
    return clip_answer(content, asked=request.headers)


def peaks(request: Request) -> Response:
    """Answer with the peaks of one side of a change."""
    import soundfile

    from mess.audio.pictures import peaks as peaks_of

    try:
        samples, _ = soundfile.read(io.BytesIO(_part(request)), dtype="float32")
    except MessError as error:
        return PlainTextResponse(readers.told(error), status_code=404)
    text = request.query_params.get("bins", "400")
    bins = int(text) if text.isdecimal() and len(text) < 9 else 400
    bins = max(1, min(bins, _MAX_BINS))
    found = [round(float(value), 4) for value in peaks_of(samples, bins=bins)]
    return Response(
        json.dumps(found), media_type="application/json", headers={"Cache-Control": CACHE}
    )


def _part(request: Request) -> bytes:
    """Return one side of the change that is asked for, as FLAC."""
    asked = request.query_params
    dataset = asked.get("dataset", "")
    encoder = library.known_encoder(dataset, asked.get("encoder", ""))
    part = asked.get("part", "")
    if part not in PARTS:
        raise MessError("part is before or after")
    record = readers.doses(dataset, encoder)
    name, edit = asked.get("track", ""), asked.get("edit", "")
    changed = next((one for one in record.tracks if one.track == name), None)
    known = next((one for one in record.edits if one.name == edit), None)
    doses = [] if known is None else known.doses
    dose = next((one for one in doses if f"{one:g}" == asked.get("dose", "")), None)
    if changed is None or dose is None:
        raise MessError("no such change")
    recordings = library.recordings(dataset)
    track = next((one for one in recordings or () if one.id == name), None)
    if track is None:
        raise MessError("the recording is not on this machine")
    rate = editing_rate(readers.sample_rate(dataset, encoder))

    def make() -> bytes:
        import soundfile

        from mess.doses.listening import before_and_after

        pair = before_and_after(
            track, edit=edit, dose=dose, start=changed.start, seconds=changed.seconds, rate=rate
        )
        coded = []
        for samples in pair:
            buffer = io.BytesIO()
            soundfile.write(buffer, samples, rate, format="FLAC", subtype="PCM_16")
            coded.append(buffer.getvalue())
        return len(coded[0]).to_bytes(8) + b"".join(coded)

    both = _pairs.get((dataset, rate, name, edit, dose, changed.start, changed.seconds), make)
    length = int.from_bytes(both[:8])
    return both[8 : 8 + length] if part == "before" else both[8 + length :]


ROUTES = [Route("/doses/clip", clip), Route("/doses/peaks", peaks)]
