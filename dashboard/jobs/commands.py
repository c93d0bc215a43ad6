"""The pipelines that the sidebar starts, each with its main options: one table.

A new pipeline is a new entry in `PIPELINES`. The form and the command line follow from it. A test
compares the entries with ``mess NAME --help``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mess.errors import MessError

Value = str | int | bool | Sequence[str] | None


@dataclass(frozen=True)
class Option:
    """One option of a pipeline.

    Attributes
    ----------
    flag : str
        As the command line has it; an argument that has no flag by its name in capitals.
    label : str
        For people.
    default : str, int, bool, tuple or None
        The command's own, and what decides the widget: a switch, a number, a text, several
        datasets.
    choices : tuple of str
        Where only these are right.
    least : int
        Of a number.
    help : str
    """

    flag: str
    label: str
    default: Value
    choices: tuple[str, ...] = ()
    least: int = 0
    help: str = ""

    @property
    def required(self) -> bool:
        """Whether the pipeline cannot start without it."""
        return self.flag.isupper() or isinstance(self.default, tuple)

    def words(self, value: Value) -> list[str]:
        """Return the words of this value on a command line; none for the default."""
        if self.required:
            text = value if isinstance(value, str) else ",".join(map(str, _many(value)))
            if not text.strip():
                raise MessError(f"{self.label.lower()}: is needed; fill it in")
            return [text] if self.flag.isupper() else [self.flag, text]
        if value == self.default or value is None or value == "":
            return []
        if isinstance(value, bool):
            return [self.flag]
        return [self.flag, str(value)]


@dataclass(frozen=True)
class Pipeline:
    """A command below ``mess``.

    Attributes
    ----------
    name, title : str
        The command, and what it does.
    options : tuple of Option
    takes : tuple of str
        Which of "dataset" and "encoder" it takes from the sidebar's choice.
    """

    name: str
    title: str
    options: tuple[Option, ...] = ()
    takes: tuple[str, ...] = ("dataset", "encoder")

    def command(self, dataset: str, encoder: str, values: Mapping[str, Value]) -> list[str]:
        """Return the arguments of ``mess``.

        Parameters
        ----------
        dataset, encoder : str
            What is chosen.
        values : mapping
            By flag.

        Raises
        ------
        MessError
            If something that is needed is empty.
        """
        words = [self.name]
        for name, chosen in (("dataset", dataset), ("encoder", encoder)):
            if name in self.takes:
                words += [f"--{name}", chosen]
        given = [(option, values.get(option.flag, option.default)) for option in self.options]
        for option, value in given:
            if not option.flag.isupper():
                words += option.words(value)
        places = [
            word for option, value in given if option.flag.isupper() for word in option.words(value)
        ]
        return [*words, "--", *places] if places else words

    def belongs_to(self, dataset: str, values: Mapping[str, Value]) -> str:
        """Return the dataset in whose queue the command belongs."""
        if self.name == "demo":
            return "demo"
        return str(values.get("NAME") or dataset) if self.name == "add" else dataset


def _many(value: Value) -> Sequence[object]:
    return value if isinstance(value, Sequence) else ()


_FORCE = Option("--force", "Redo what is up to date", False)
_WORKERS = Option("--workers", "Threads", None, least=1, help="Empty: as many as fit.")
_SEED = Option("--seed", "Seed", 0, help="The seed of all random numbers.")
_LEVEL = Option("--level", "Rows", "track", ("track", "segment"))

PIPELINES = (
    Pipeline("run-all", "Everything that is missing", (_FORCE, _WORKERS)),
    Pipeline(
        "extract",
        "Extract features",
        (
            _FORCE,
            Option(
                "--raw",
                "Keep every frame",
                False,
                help="Keeps the hidden states of every frame, which takes much disk space.",
            ),
            Option("--moments", "Half-second means", "compact", ("compact", "full", "none")),
            Option("--dtype", "Precision", "float32", ("float32", "tf32", "bfloat16")),
            Option("--device", "Device", "auto", ("auto", "cpu", "cuda")),
            _WORKERS,
        ),
    ),
    Pipeline("targets", "Measure proxy targets", (_FORCE, _WORKERS), ("dataset",)),
    Pipeline(
        "probe",
        "Probe every layer",
        (
            _LEVEL,
            Option("--folds", "Folds", "10", help="Several with commas make a sweep."),
            Option("--alpha", "Penalty", "auto", help="auto, or numbers with commas (a sweep)."),
            Option("--pooling", "Pooling", "mean", ("mean", "mean_std", "mean,mean_std")),
            Option("--samples", "Tracks", None, least=1, help="Empty: all."),
            Option(
                "--group-by",
                "Folds never split",
                "work,composer",
                (
                    "work,composer",
                    "composer,work",
                    "work",
                    "composer",
                    "year",
                    "work,composer,year",
                ),
                help="Folds never split the first; the others are reported beside it.",
            ),
            Option("--permutations", "Shuffles", 1000, help="0: significance is not tested."),
            Option("--bootstrap", "Draws of works", 1000, least=10),
            Option("--repeats", "Seeds of the nested experiment", 3, least=1),
            _SEED,
            Option("--no-controls", "Without baselines and learning curve", False),
            Option(
                "--frames",
                "Tempo from every hidden state",
                "auto",
                ("auto", "on", "off"),
                help="Encodes the recordings again; auto: only a small collection.",
            ),
        ),
    ),
    Pipeline(
        "index", "Build the search index", (Option("--no-passages", "Without passages", False),)
    ),
    Pipeline("evaluate", "Judge the sliders", (_SEED,)),
    Pipeline(
        "dose",
        "Change the music",
        (
            Option("--tracks", "Recordings", 20, least=1, help="Of as many works as possible."),
            Option("--edits", "Edits", "", help="Names with commas between; empty: all."),
            Option("--seconds", "Seconds of each", "30.0", help="At most, from its middle."),
            Option("--bootstrap", "Draws of works", 1000, least=10),
            _SEED,
            _FORCE,
        ),
    ),
    Pipeline(
        "factors",
        "Draw the factor table",
        (Option("--pairs", "Pairs of works", 24, least=1), _SEED),
    ),
    Pipeline(
        "check-targets",
        "Test the targets themselves",
        (Option("--tracks", "Tracks", 40, least=3), _SEED),
        ("dataset",),
    ),
    Pipeline(
        "map",
        "Make a map",
        (
            Option("--method", "Method", "pca", ("pca", "tsne", "umap")),
            _LEVEL,
            Option("--layer", "Layer", None, help="Empty: the best probed layer, else the last."),
            Option("--clusters", "Clusters", 8, least=1),
            _SEED,
            _FORCE,
        ),
    ),
    Pipeline(
        "compare",
        "Compare encoders",
        (
            Option(
                "--encoders",
                "Encoders",
                "",
                help="Names with commas between; empty: all probed encoders.",
            ),
        ),
        ("dataset",),
    ),
    Pipeline(
        "untangle",
        "Untangle readings",
        (
            Option(
                "--what",
                "What is asked",
                "all",
                ("all", "erasure", "codelength", "confounds"),
                help="Erase a target and probe all again; count the bits that a layer saves; hold "
                "instrument, composer, register and loudness apart.",
            ),
            Option("--layer", "Erase from layer", None, help="Empty: the best of each target."),
            Option("--folds", "Folds", 10, least=2),
            Option("--draws", "Random directions", 10, least=1),
            Option("--orders", "Orders of the works", 4, least=1),
            _SEED,
        ),
    ),
    Pipeline(
        "cross",
        "Probe one dataset, test on another",
        (Option("--datasets", "Datasets, two or more", ()),),
        ("encoder",),
    ),
    Pipeline(
        "judge",
        "Plan a listening test",
        (
            Option("ACTION", "Action", "plan", ("plan", "analyse")),
            Option(
                "--aspects",
                "Aspects",
                "",
                help="Names with commas between; empty: all that are validated.",
            ),
            Option("--items", "Triplets of each aspect", 21, least=1),
            _SEED,
        ),
    ),
    # Its files lie in the data root; `dashboard.server.reports` links them.
    Pipeline("report", "Write the report", (_LEVEL,)),
    Pipeline(
        "demo",
        "Build the demo library",
        (
            _SEED,
            Option("--limit", "Scores", None, least=1, help="Empty: all 60."),
            Option("--workers", "Processes", None, least=1, help="Empty: all cores."),
        ),
        (),
    ),
    Pipeline(
        "add",
        "Add a folder of recordings",
        (
            Option("NAME", "Name of the dataset", ""),
            Option("FOLDER", "Folder", "", help="On the machine of the server."),
        ),
        (),
    ),
)

_TITLES = {pipeline.name: pipeline.title for pipeline in PIPELINES}


def title_of(name: str) -> str:
    """Return the title of a command; the command itself if it has no form."""
    return _TITLES.get(name, name)
