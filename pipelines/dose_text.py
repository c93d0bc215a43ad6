"""What ``mess dose`` prints of an experiment with doses."""

from collections.abc import Iterator, Sequence

import pandas as pd

from mess.as_text import two_decimals
from mess.doses.words import is_side_effect, lesson, meant, slope_text, verdict
from mess.records.dose import DoseEdit, DoseRecord

_SHORT = {"mean": "mean", "mean and extremes": "extremes", "through time": "in time"}


def dose_lines(record: DoseRecord, responses: pd.DataFrame) -> Iterator[str]:
    """Yield the lines: how what is meant to move is followed, the side effects, and the lesson.

    Parameters
    ----------
    record : DoseRecord
    responses : DataFrame
        Of all readings and layers; see `DoseFiles.read_responses`.
    """
    versions = sum(len(edit.doses) for edit in record.edits)
    yield (
        f"{record.dataset} by {record.encoder}: {len(record.tracks)} recordings of {record.works} "
        f"works, at most {record.settings.seconds:g} s of each, changed in {versions} ways"
    )
    yield from record.remarks
    yield ""
    yield from _followed(record, responses)
    for rendered in (False, True):
        edits = [edit for edit in record.edits if edit.rendered == rendered]
        if edits:
            yield ""
            yield from _moved(record, edits)
    yield ""
    yield from lesson(record)


def _followed(record: DoseRecord, responses: pd.DataFrame) -> Iterator[str]:
    """Yield a row for each target that an edit is meant to move."""
    yield (
        "Slope of the predicted on the measured change (1 follows, 0 is blind) and its 95 % "
        "interval over works, by the"
    )
    yield (
        "reading and layer that most folds chose for the target, and at this layer by each "
        "reading; across: the slope over"
    )
    yield "recordings that are not changed; root mean squared changes in deviations of the target"
    readings = [name for name in _SHORT if name in record.readings]
    width = max(7, *(len(name) + 2 for name in record.layer_names))
    slopes = {
        (row["edit"], row["target"], row["reading"], row["layer"]): row["slope"]
        for row in responses.to_dict("records")
    }
    yield (
        f"{'edit':<17}{'target':<21}{'read':<10}{'layer':<{width}}{'slope':<20} {'':<16}"
        + "".join(f"{_SHORT[name]:>9}" for name in readings)
        + f"{'across':>8}{'linear':>8}{'measured':>10}{'predicted':>11}"
    )
    for cell in meant(record):
        response = cell.response
        by_reading = (slopes.get((cell.edit, cell.target, name, cell.layer)) for name in readings)
        yield (
            f"{cell.edit:<17}{cell.target:<21}{_SHORT.get(cell.reading, cell.reading):<10}"
            f"{record.layer_names[cell.layer]:<{width}}{slope_text(cell):<20} "
            f"{verdict(cell) or '–':<16}"
            + "".join(f"{two_decimals(slope):>9}" for slope in by_reading)
            + f"{two_decimals(cell.across):>8}{two_decimals(response.linearity):>8}"
            f"{two_decimals(response.measured):>10}{two_decimals(response.predicted):>11}"
        )


def _moved(record: DoseRecord, edits: Sequence[DoseEdit]) -> Iterator[str]:
    """Yield a row for each target: how far edits move its prediction, and the target itself."""
    yield (
        "How far the prediction moves / the target itself (deviations); ! is a side effect: twice "
        "as far, and 0.3 at least"
    )
    for first in range(0, len(edits), 4):
        part = enumerate(edits[first : first + 4], start=first + 1)
        yield "".join(f"{number:>4} {edit.name:<17}" for number, edit in part).rstrip()
    yield f"{'target':<21}" + "".join(f"{number:>11}" for number in range(1, len(edits) + 1))
    for target in record.targets_read:
        cells = []
        for edit in edits:
            found = record.cell(edit.name, target.target)
            if found is None:
                cells.append("–")
                continue
            moved, truth = found.response.predicted, found.response.measured
            mark = "!" if is_side_effect(found) else ""
            cells.append(f"{two_decimals(moved)}/{two_decimals(truth)}{mark}")
        yield f"{target.target:<21}" + "".join(f"{text:>11}" for text in cells)
