"""Tables of the tests of the targets: what `mess check-targets` measured."""

from typing import TYPE_CHECKING

from mess.as_text import two_decimals
from mess.records.reliability import ReliabilityRecord
from mess.targets import TARGETS, title_of
from mess.targets.invariance import SAME_MUSIC, movement_text
from mess.targets.reliability import TRUSTED

if TYPE_CHECKING:
    import pandas as pd


def reliability_table(record: ReliabilityRecord) -> "pd.DataFrame":
    """Return a row for each target: do halves agree, and does a change leave the number alone?

    Parameters
    ----------
    record : ReliabilityRecord
    """
    import pandas as pd

    tested = record.targets
    numbers = {name: row.numbers() for name, row in tested.items()}
    table = pd.DataFrame(numbers).T.astype(float).map(two_decimals)
    table.insert(0, f"under {TRUSTED}", ["" if row.trusted else "!" for row in tested.values()])
    table.insert(0, "target", [title_of(name) for name in table.index])
    return table.rename(columns={"split_half": "split-half"})


def movement_table(record: ReliabilityRecord) -> "pd.DataFrame":
    """Return a row for each change, and how far each target moves with it.

    A number is the largest movement as a multiple of the target's tolerance: at most 1 keeps the
    promise, "!" breaks it. In brackets stands what has a known reason.
    """
    import pandas as pd

    by_track = list(record.movements.values())
    changes = [change.name for change in SAME_MUSIC if all(change.name in row for row in by_track)]
    return pd.DataFrame(
        {
            title_of(target): [
                movement_text(
                    [row[change].get(target) for row in by_track],
                    excused=change in TARGETS[target].tolerance.reasons,
                )
                for change in changes
            ]
            for target in TARGETS
        }
        if by_track
        else {},
        index=pd.Index(changes if by_track else [], name="change"),
    )


def tempo_table(record: ReliabilityRecord) -> "pd.DataFrame":
    """Return a row for each group of recordings whose tempo is known: how well it is found."""
    import pandas as pd

    return pd.DataFrame(
        {
            "recordings with a known tempo": name,
            "n": row.recordings,
            "right (accuracy 1)": two_decimals(row.accuracy_1),
            "right up to a factor (accuracy 2)": two_decimals(row.accuracy_2),
            "found at all (coverage)": two_decimals(row.coverage),
        }
        for name, row in record.truth.tempo.items()
    )
