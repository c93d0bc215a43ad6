"""The records of what untangles a reading: erasure, codelength, confounds."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from mess.probing.confounds import Confounded
from mess.probing.erasure import Loss, RandomErasure, Unseen
from mess.probing.online_code import Codelength
from mess.records.base import Origin, Parts, Record

Part = Literal["erasure", "codelength", "confounds"]


@dataclass(frozen=True, kw_only=True)
class UntangleSettings:
    """The settings of the three experiments.

    Attributes
    ----------
    folds, seed : int
    layer : int or None
        From which layer targets are erased; None for the best layer of each.
    draws : int
        Random directions of the control of an erasure.
    orders : int
        How many orders of the works are coded.
    """

    folds: int = 10
    seed: int = 0
    layer: int | None = None
    draws: int = 10
    orders: int = 4


@dataclass(frozen=True, kw_only=True)
class _Untangled(Record):
    """What the three records have in common.

    Attributes
    ----------
    dataset, encoder : str
    features, targets : str
        Digests of what was probed.
    inputs : dict of str to Parts
    code_version : int
    settings : UntangleSettings
    n, works : int
        Rows and distinct works.
    layer_names : list of str
    """

    dataset: str
    encoder: str
    features: str
    targets: str
    inputs: dict[str, Parts]
    code_version: int
    settings: UntangleSettings
    n: int
    works: int
    layer_names: list[str]

    @property
    def origin(self) -> Origin:
        """What it was drawn from."""
        digests = {"features": self.features, "targets": self.targets}
        return Origin(self.code_version, digests, self.inputs)


@dataclass(frozen=True, kw_only=True)
class ErasureRecord(_Untangled):
    """An erasure as it lies on disk; see `mess.probing.erasure`.

    Attributes
    ----------
    dataset, encoder, features, targets, inputs, code_version, settings, n, works, layer_names
        As in `_Untangled`.
    names : list of str
        The targets that were erased and probed again.
    unread : list of str
        Targets that no layer tells surely enough to be erased.
    losses : list of Loss
    unseen : list of Unseen
    control : list of RandomErasure
    """

    names: list[str]
    unread: list[str]
    losses: list[Loss]
    unseen: list[Unseen]
    control: list[RandomErasure]

    def loss(self, erased: str, target: str) -> Loss | None:
        """Return one cell of the matrix, None where there is none."""
        wanted = erased, target
        return next((one for one in self.losses if (one.erased, one.target) == wanted), None)


@dataclass(frozen=True, kw_only=True)
class CodelengthRecord(_Untangled):
    """The codelengths of all targets as they lie on disk; see `mess.probing.online_code`.

    Attributes
    ----------
    dataset, encoder, features, targets, inputs, code_version, settings, n, works, layer_names
        As in `_Untangled`.
    codes : list of Codelength
        One for each target that could be coded.
    """

    codes: list[Codelength]


@dataclass(frozen=True, kw_only=True)
class ConfoundsRecord(_Untangled):
    """How readings fare with confounds held apart; see `mess.probing.confounds`.

    Attributes
    ----------
    dataset, encoder, features, targets, inputs, code_version, settings, n, works, layer_names
        As in `_Untangled`.
    names : list of str
        The targets.
    levels : dict of str to int
        Of each confound that was held apart, the number of its levels.
    left_out : dict of str to str
        Of each that was not, the reason.
    rows : list of Confounded
    """

    names: list[str]
    levels: dict[str, int]
    left_out: dict[str, str]
    rows: list[Confounded]

    def row(self, target: str, confound: str) -> Confounded | None:
        """Return what was found of a target and a confound, None where there is nothing."""
        wanted = target, confound
        return next((one for one in self.rows if (one.target, one.confound) == wanted), None)


Untangled = ErasureRecord | CodelengthRecord | ConfoundsRecord
KINDS: Mapping[Part, type[Untangled]] = MappingProxyType(
    {"erasure": ErasureRecord, "codelength": CodelengthRecord, "confounds": ConfoundsRecord}
)
