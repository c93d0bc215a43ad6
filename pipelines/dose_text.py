"""What ``mess dose`` prints of an experiment with doses."""

from collections.abc import Iterator

from mess.as_text import two_decimals
from mess.doses.words import is_side_effect, lesson, meant, slope_text, verdict
from mess.records.dose import DoseRecord


def dose_lines(record: DoseRecord) -> Iterator[str]:
    """Yield the lines: how what is meant to move is followed, the side effects, and the lesson."""
    versions = sum(len(edit.doses) for edit in record.edits)
    yield (
        f"{record.dataset} by {record.encoder}: {len(record.tracks)} recordings of {record.works} "
        f"works, at most {record.settings.seconds:g} s of each, changed in {versions} ways. A "
        "probe never saw the work that it predicts."
    )
    yield ""
    yield (
        "Slope of the predicted on the measured change (1 follows, 0 is blind) with its 95 % "
        "interval over works,"
    )
    yield (
        "by the reading and layer of each target; its slope across unchanged recordings; "
        "linearity; root mean squared changes in deviations"
    )
    yield (
        f"{'edit':<15}{'target':<22}{'reading':<19}{'layer':<7}{'slope':<21}{'':<19}"
        f"{'across':>7}{'linear':>8}{'measured':>10}{'predicted':>11}"
    )
    for cell in meant(record):
        response = cell.response
        yield (
            f"{cell.edit:<15}{cell.target:<22}{cell.reading:<19}"
            f"{record.layer_names[cell.layer]:<7}{slope_text(cell):<21}{verdict(cell) or '–':<19}"
            f"{two_decimals(cell.across):>7}{two_decimals(response.linearity):>8}"
            f"{two_decimals(response.measured):>10}{two_decimals(response.predicted):>11}"
        )
    yield ""
    yield (
        "How far each edit moves the prediction / the target itself (deviations); ! is a side "
        "effect: twice as far, and 0.3 at least"
    )
    names = [edit.name for edit in record.edits]
    width = max(13, *(len(name) + 2 for name in names))
    yield f"{'target':<22}" + "".join(f"{name:>{width}}" for name in names)
    for target in record.targets_read:
        cells = []
        for name in names:
            found = record.cell(name, target.target)
            if found is None:
                cells.append("–")
                continue
            moved, truth = found.response.predicted, found.response.measured
            mark = "!" if is_side_effect(found) else ""
            cells.append(f"{two_decimals(moved)}/{two_decimals(truth)}{mark}")
        yield f"{target.target:<22}" + "".join(f"{text:>{width}}" for text in cells)
    yield ""
    yield from lesson(record)
