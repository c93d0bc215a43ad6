"""PercePiano: passages of Beethoven and Schubert by many pianists, rated by listeners.

The ratings are a JSON file, ``label_2round_mean_reg_19_with0_rm_highstd0.json``: for each recording
19 means over its listeners, each on a scale from 0 to 1, and the number of its pianist. A recording
has the name of its ratings: ``Beethoven_WoO80_var27_8bars_3_15`` is segment 15, of 8 bars, by
pianist 3. (The page of the authors names these two the other way round; their code reads them so.)
The repository of the authors has the MIDI; recordings are rendered from it, or asked of them.

The work of a track is the passage, so that no fold splits the performances of a passage.

References
----------
PercePiano: piano performance evaluation dataset with multi-level perceptual features. Its labels,
MIDI and code: https://github.com/JonghoKimSNU/PercePiano
"""

import json
import math
import re
from pathlib import Path

from mess.audio.addresses import Address
from mess.datasets.base import Dataset, Track, state
from mess.datasets.listing import Listing, list_files
from mess.errors import ArtifactError

LICENCE = "MIT (the repository of the authors); recordings as whoever made them says"
HOMEPAGE = "https://github.com/JonghoKimSNU/PercePiano"
RATINGS_FILE = "label_2round_mean_reg_19_with0_rm_highstd0.json"
# In the order of the file. Each is named by the upper end of its scale, the lower stands beside it.
RATINGS = (
    "rated_timing_unstable",  # stable
    "rated_articulation_long",  # short
    "rated_articulation_hard",  # soft, cushioned
    "rated_pedal_saturated",  # sparse, dry
    "rated_pedal_blurred",  # clean
    "rated_timbre_colorful",  # even
    "rated_timbre_rich",  # shallow
    "rated_timbre_dark",  # bright
    "rated_timbre_loud",  # soft
    "rated_dynamics_raw",  # sophisticated, mellow
    "rated_dynamics_large_range",  # little range
    "rated_music_slow_paced",  # fast paced
    "rated_music_spacious",  # flat
    "rated_music_balanced",  # disproportioned
    "rated_music_expressive",  # pure
    "rated_mood_dark",  # optimistic, pleasant
    "rated_mood_energetic",  # low energy
    "rated_mood_imaginative",  # honest
    "rated_interpretation_convincing",  # unsatisfactory, doubtful
)
_NAME = re.compile(
    r"(?P<composer>[^_]+)_(?P<piece>.+)_(?P<bars>\d+)bars_(?P<player>[^_]+)_(?P<segment>\d+)"
)


def load_percepiano(root: Path) -> Dataset:
    """Read the rated recordings below ``root``, at any depth, with their MIDI where it is there.

    Raises
    ------
    ArtifactError
        If the ratings or all recordings are missing, or the ratings are damaged.
    """
    listing = list_files(root)
    ratings = _read_ratings(root)
    midis = {path.stem.strip(): path for path in reversed(listing.midi)}
    tracks: dict[str, Track] = {}
    unrated = 0
    for path in listing.audio:
        name = path.stem.strip()
        parsed = _NAME.fullmatch(name)
        if parsed is None or name in tracks:
            reason = "no name of PercePiano" if parsed is None else "a recording of this name again"
            listing.passed_over.add(listing.name(path), reason)
            continue
        rated = ratings.get(name)
        unrated += rated is None
        piece, segment = parsed["piece"], parsed["segment"]
        tracks[name] = Track(
            id=name,
            path=path,
            composer=parsed["composer"],
            work=f"{piece}, segment {segment}",
            title=f"{piece}, segment {segment}, pianist {parsed['player']}",
            midi_path=midis.get(name),
            extra={"performer": parsed["player"], "piece": piece} | state(rated or {}),
        )
    if not tracks:
        raise _missing(f"has no recording below {root}", listing)
    notes = [*listing.passed_over.lines()]
    if unrated:
        notes.append(f"recordings without ratings in {RATINGS_FILE}: {unrated}")
    return Dataset("percepiano", root, tuple(tracks.values()), LICENCE, HOMEPAGE, tuple(notes))


def _read_ratings(root: Path) -> dict[str, dict[str, float]]:
    """Return the ratings of each recording, by the names of `RATINGS`."""
    found = [] if isinstance(root, Address) else sorted(root.rglob(RATINGS_FILE))
    if not found:
        raise _missing(f"needs {root / RATINGS_FILE}")
    path = found[0]
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        return {
            str(name).strip(): {
                rating: float(value)
                for rating, value in zip(RATINGS, values[: len(RATINGS)], strict=True)
                if math.isfinite(float(value))
            }
            for name, values in table.items()
        }
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        raise ArtifactError(
            str(path), "is damaged: download it again from", f"{HOMEPAGE} (labels/)"
        ) from None


def _missing(reason: str, listing: Listing | None = None) -> ArtifactError:
    notes = "" if listing is None else "".join(f" ({one})" for one in listing.passed_over.lines())
    return ArtifactError(
        "dataset 'percepiano'",
        f"{reason}{notes}: its authors publish ratings and MIDI at {HOMEPAGE}; put the file of "
        "ratings, the MIDI and recordings of the same names there, then",
        "mess extract --dataset percepiano",
    )
