"""The versions of a recording that an experiment asks for, and how each is made."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mess.datasets import Track
from mess.doses.rendered import (
    NOTE_EDITS,
    NoteEdit,
    cut_notes,
    midi_truth,
    program_of,
    render_notes,
)
from mess.edits.registry import EDITS, Edit
from mess.errors import UnknownName
from mess.records.dose import DoseEdit
from mess.targets import Notes, compute_midi_targets, read_notes

Samples = NDArray[np.float32]
AnyEdit = Edit | NoteEdit
ALL_EDITS: dict[str, AnyEdit] = {**EDITS, **NOTE_EDITS}


@dataclass(frozen=True)
class Version:
    """One version of a recording.

    Attributes
    ----------
    edit : Edit or NoteEdit, optional
        None for the version that is not changed.
    dose : float
    rendered : bool
        Whether it is rendered from the MIDI.
    """

    edit: AnyEdit | None = None
    dose: float = 0.0
    rendered: bool = False

    @property
    def name(self) -> str:
        """The name of the edit, "" without one."""
        return "" if self.edit is None else self.edit.name


@dataclass(frozen=True)
class Excerpt:
    """The part of a recording that is changed.

    Attributes
    ----------
    samples : ndarray [shape=(n,)]
    rate : int
        Hz.
    notes : Notes, optional
        Of its MIDI.
    program : int
        On which it is rendered; General MIDI, counted from 0.
    """

    samples: Samples
    rate: int
    notes: Notes | None = None
    program: int = 0

    def make(self, version: Version) -> tuple[Samples, dict[str, float]]:
        """Return the sound of a version [n], and its targets on MIDI, as far as they are known."""
        edit, dose = version.edit, version.dose
        if version.rendered:
            if self.notes is None:
                raise ValueError("there is no MIDI to render")
            notes, program = self.notes, self.program
            if isinstance(edit, NoteEdit):
                notes = edit.function(notes, dose)
                program = round(dose) if edit.is_instrument else program
            samples = render_notes(notes, program=program, rate=self.rate)
            return samples, compute_midi_targets(notes)
        sound = edit if isinstance(edit, Edit) else None
        truth = {} if self.notes is None else midi_truth(self.notes, sound, dose)
        if sound is None:
            return self.samples, truth
        return sound.function(self.samples, self.rate, dose), truth


def read_excerpt_notes(track: Track, *, start: float, seconds: float) -> Notes | None:
    """Return the notes of a part of a recording, None where it has no MIDI.

    Raises
    ------
    MessError
        If the MIDI cannot be read, or has hardly a note there.
    """
    if track.midi_path is None:
        return None
    return cut_notes(read_notes(track.midi_path), start=start, seconds=seconds)


def program_for(track: Track) -> int:
    """Return the instrument on which a recording is rendered."""
    return program_of(track.extra.get("instrument", ""))


def chosen_edits(names: str) -> list[AnyEdit]:
    """Return the edits of a list with commas between; all of them for "all".

    Raises
    ------
    UnknownName
        If there is no such edit.

    Examples
    --------
    >>> [edit.name for edit in chosen_edits("instrument, tilt")]
    ['tilt', 'instrument']
    """
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    if "all" in wanted:
        return list(ALL_EDITS.values())
    for name in wanted:
        if name not in ALL_EDITS:
            raise UnknownName("edit", name, [*ALL_EDITS, "all"])
    return [edit for edit in ALL_EDITS.values() if edit.name in wanted]


def versions(edits: Sequence[AnyEdit], *, with_midi: bool) -> Iterator[Version]:
    """Yield every version of a recording, before those of each kind the one without an edit."""
    for kind, rendered in ((Edit, False), (NoteEdit, True)):
        own = [edit for edit in edits if isinstance(edit, kind)]
        if not own or (rendered and not with_midi):
            continue
        yield Version(rendered=rendered)
        for edit in own:
            yield from (Version(edit, dose, rendered) for dose in edit.doses)


def as_record(edit: AnyEdit) -> DoseEdit:
    """Return what a record keeps of an edit."""
    return DoseEdit(
        name=edit.name,
        unit=edit.unit,
        description=edit.description,
        doses=list(edit.doses),
        neutral=edit.neutral,
        moves=list(edit.moves),
        rendered=isinstance(edit, NoteEdit),
    )
