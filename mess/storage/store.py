"""All artifacts below one root folder, each by what it is.

A `Store` has one attribute for each kind of artifact: ``store.features.read(…)``,
``store.discoveries.write(…)``. The module of the same name in `mess.storage` holds the paths, the
reader and the writer of that kind. A reader that finds an artifact missing, damaged or of older
code raises an `ArtifactError` that names the command which makes it anew.
"""

from pathlib import Path

from mess.storage.address_server import SHARED
from mess.storage.baskets import BasketFiles
from mess.storage.comparisons import ComparisonFiles
from mess.storage.cross_tables import CrossTableFiles
from mess.storage.curves import CurveFiles
from mess.storage.discoveries import DiscoveryFiles
from mess.storage.doses import DoseFiles
from mess.storage.downloads import DownloadFiles
from mess.storage.evaluations import EvaluationFiles
from mess.storage.factor_tables import FactorTableFiles
from mess.storage.features import FeatureFiles
from mess.storage.heads import HeadFiles
from mess.storage.indices import IndexFiles
from mess.storage.listening import ListeningFiles
from mess.storage.maps import MapFiles
from mess.storage.mirrors import mirror_of
from mess.storage.moments import MomentFiles
from mess.storage.passages import PassageFiles
from mess.storage.paths import POOLED, audio_dir, usable_root
from mess.storage.reliability import ReliabilityFiles
from mess.storage.reports import ReportFiles
from mess.storage.selections import SelectionFiles
from mess.storage.targets import TargetFiles
from mess.storage.timings import TimingFiles
from mess.storage.untangled import UntangledFiles
from mess.storage.uploads import UploadFiles


class Store:
    """The artifacts below one root folder.

    Parameters
    ----------
    root : str or Path, optional
        The folder ``data``, or what the environment variable ``MESS_DATA`` names, where it is not
        given.

    Attributes
    ----------
    features, moments, targets, curves : FeatureFiles, MomentFiles, TargetFiles, CurveFiles
        What is computed of each track.
    discoveries, indices, passages, evaluations, doses, factors, untangled, reliability,
    cross_tables, comparisons, maps
        What is concluded from them.
    heads : HeadFiles
        Learned heads that a user put there.
    timings, reports, uploads, downloads : TimingFiles, ReportFiles, UploadFiles, DownloadFiles
    baskets : BasketFiles
    selections : SelectionFiles
    listening : ListeningFiles
        What listeners answered.

    Raises
    ------
    MessError
        If the root exists and is not a folder.

    Examples
    --------
    >>> ("demo", "spectral") in Store().indices.available()  # made by `mess run-all --dataset demo`
    True
    """

    def __init__(self, root: str | Path | None = None) -> None:
        self.root = usable_root(root)
        self.features = FeatureFiles(self.root)
        self.moments = MomentFiles(self.root)
        self.targets = TargetFiles(self.root)
        self.curves = CurveFiles(self.root)
        self.discoveries = DiscoveryFiles(self.root)
        self.indices = IndexFiles(self.root)
        self.passages = PassageFiles(self.root)
        self.evaluations = EvaluationFiles(self.root)
        self.doses = DoseFiles(self.root)
        self.factors = FactorTableFiles(self.root)
        self.reliability = ReliabilityFiles(self.root)
        self.cross_tables = CrossTableFiles(self.root)
        self.comparisons = ComparisonFiles(self.root)
        self.maps = MapFiles(self.root)
        self.heads = HeadFiles(self.root)
        self.untangled = UntangledFiles(self.root)
        self.timings = TimingFiles(self.root)
        self.reports = ReportFiles(self.root)
        self.uploads = UploadFiles(self.root)
        self.baskets = BasketFiles(self.root)
        self.selections = SelectionFiles(self.root)
        self.downloads = DownloadFiles(self.root)
        self.listening = ListeningFiles(self.root)

    @property
    def is_elsewhere(self) -> bool:
        """Whether the artifacts lie at an address, and not on this machine."""
        return mirror_of(self.root / SHARED / "any") is not None

    def where(self) -> str:
        """Return where the artifacts lie; of an address also its folder and what is not sent."""
        mirror = mirror_of(self.root / SHARED / "any")
        if mirror is None:
            return str(self.root.absolute())
        waiting = mirror.unsent()
        more = f"; {waiting} files wait to be sent" if waiting else ""
        return f"{mirror.address}, read through {self.root.absolute()}{more}"

    def audio_dir(self, dataset: str) -> Path:
        """Return the folder of a dataset's recordings."""
        return audio_dir(self.root, dataset)

    def link_audio(self, dataset: str, folder: Path) -> None:
        """Make a folder of recordings a dataset, by a symbolic link to it."""
        link = self.audio_dir(dataset)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(folder.resolve(), target_is_directory=True)

    @property
    def jobs_dir(self) -> Path:
        """Folder of the status files of commands that the dashboard started."""
        return self.root / "jobs"

    @property
    def mlflow_db(self) -> Path:
        """The SQLite database of MLflow."""
        return self.root / "mlflow.db"

    @property
    def mlflow_artifacts(self) -> Path:
        """Folder of MLflow's artifacts."""
        return self.root / "mlartifacts"

    def artifact_paths(self, dataset: str, encoder: str) -> dict[str, list[Path]]:
        """Return the files and folders that each step writes, by the step; some may be missing."""
        features = self.features.folder(dataset, encoder)
        return {
            "extract": [
                *(features / kind for kind in POOLED),
                self.moments.folder(dataset, encoder),
                self.moments.scale_path(dataset, encoder),
                features / "manifest.json",
            ],
            "every frame": [features / "raw"],
            "targets": self.targets.paths(dataset),
            "probe": self.discoveries.paths(dataset, encoder),
            "index": [self.indices.folder(dataset, encoder)],
            "evaluate": [self.evaluations.path(dataset, encoder)],
            "check-targets": [self.reliability.path(dataset)],
        }
