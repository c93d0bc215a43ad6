"""The records of a learned head: its description, and what an index keeps of it."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from mess.records.base import Record

Pooling = Literal["mean"]
Activation = Literal["relu", "gelu", "tanh"]


@dataclass(frozen=True, kw_only=True)
class HeadDescription(Record):
    """What ``head.toml`` says of a head.

    Attributes
    ----------
    factor : str
        What the head was trained to tell, in a word: melody, rhythm, timbre.
    encoder : str
        Whose hidden states it reads.
    layers : list of int
        Which of them, in the order of its input; 0 is what enters the first block.
    pooling : {"mean"}
        How the states of a layer become one vector: their mean over time.
    activation : {"relu", "gelu", "tanh"}
        Between two linear layers.
    shapes : list of (int, int)
        Of each linear layer its outputs and inputs, as its weights lie in the file.
    licence : str
    source : str
        Where the weights are from.
    """

    KEYS: ClassVar[tuple[str, ...]] = (
        *("factor", "encoder", "layers", "pooling", "activation", "shapes"),
        *("licence", "source"),
    )

    factor: str
    encoder: str
    layers: list[int]
    pooling: Pooling
    activation: Activation
    shapes: list[tuple[int, int]]
    licence: str
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class IndexedHead:
    """A head by which an index can rank.

    Attributes
    ----------
    name : str
        That of its folder, and of its slider.
    factor, licence : str
    digest : str
        Of its description and weights.
    crc32 : int
        The checksum of the file that holds what it makes of every track.
    """

    name: str
    factor: str
    licence: str
    digest: str
    crc32: int
