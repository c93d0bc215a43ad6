"""Learned heads: similarity in one factor of music, learned by others on frozen hidden states.

Task: a head is a few linear layers that were trained on the layers of one encoder, so that two
recordings are near if they share one factor (melody, rhythm, timbre; MERIT, Roy et al. 2026). Each
head is one more aspect: its similarity is the cosine of what it makes of two recordings, on the
scale of all others (`mess.search.similarity`).

Conventions: its input is the mean over time of each of its layers, one after the other, in the
order of its description. What it makes of a recording is scaled to length 1, as in training. A mean
over a whole recording is a mean over its 5 s segments; heads are trained on excerpts of 10 or 30 s.

Examples
--------
>>> import numpy as np
>>> from mess.records.head import HeadDescription
>>> from mess.storage.heads import Linear
>>> about = HeadDescription(
...     factor="melody", encoder="tiny", layers=[1], pooling="mean", activation="relu",
...     shapes=[(2, 3)], licence="MIT",
... )
>>> linear = (Linear(np.eye(2, 3, dtype=np.float32), np.zeros(2, dtype=np.float32)),)
>>> head = StoredHead("melody", about, linear, digest="")
>>> apply_head(head, np.arange(12.0).reshape(2, 2, 3)).round(2)
array([[0.6 , 0.8 ],
       [0.67, 0.74]], dtype=float32)
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mess.encoders import encoder_slug
from mess.errors import MessError
from mess.records.features import EncoderRecord
from mess.records.head import Activation, IndexedHead
from mess.search.aspects import aspect_names
from mess.search.layer_index import Vectors, serialise_layer
from mess.storage.heads import DESCRIPTION, HeadError, StoredHead
from mess.storage.paths import command_for
from mess.storage.store import Store
from mess.targets import ALL_TARGETS


def _gelu(x: NDArray[np.float32]) -> NDArray[np.float32]:
    from scipy.special import erf

    return np.asarray(x * (1 + erf(x / np.sqrt(2))) / 2, dtype=np.float32)


_ACTIVATIONS: dict[Activation, Callable[[NDArray[np.float32]], NDArray[np.float32]]] = {
    "relu": lambda x: np.maximum(x, 0),
    "gelu": _gelu,
    "tanh": np.tanh,
}


def apply_head(head: StoredHead, means: NDArray[np.floating[Any]]) -> Vectors:
    """Return what a head makes of recordings: unit vectors [n, outputs].

    Parameters
    ----------
    head : StoredHead
    means : ndarray [shape=(n, layers, dim)]
        The mean of every layer of its encoder over time.

    Returns
    -------
    ndarray [shape=(n, outputs), dtype=float32]
        Zero where the head gives zero.
    """
    own = means[:, head.description.layers]
    x = own.reshape(len(own), -1).astype(np.float32)
    activation = _ACTIVATIONS[head.description.activation]
    for number, layer in enumerate(head.linear):
        x = x @ layer.weight.T + layer.bias
        if number < len(head.linear) - 1:
            x = activation(x)
    length = np.linalg.norm(x, axis=1, keepdims=True)
    return np.divide(x, length, out=np.zeros_like(x), where=length > 1e-12)


def unfit(head: StoredHead, encoder: EncoderRecord) -> str:
    """Return why a head does not fit its encoder, "" if it does.

    Parameters
    ----------
    head : StoredHead
    encoder : EncoderRecord
        The header of features by the encoder that the head names.
    """
    about = head.description
    if max(about.layers) >= encoder.layers:
        return (
            f"reads layer {max(about.layers)}, and {encoder.encoder} has {encoder.layers} layers, "
            f"counted from 0: correct layers in {DESCRIPTION}"
        )
    inputs = about.shapes[0][1]
    if inputs != len(about.layers) * encoder.dim:
        return (
            f"takes {inputs} numbers, and {len(about.layers)} layers of {encoder.encoder} are "
            f"{len(about.layers)} × {encoder.dim}: correct layers or encoder in {DESCRIPTION}"
        )
    return ""


class Heads(NamedTuple):
    """The heads of a data root, as one encoder sees them.

    Attributes
    ----------
    usable : dict of str to StoredHead
        Those that read it.
    unusable : dict of str to str
        Those that are damaged or do not fit it, each with the reason.
    elsewhere : dict of str to str
        Those that read another encoder, each with its name.
    """

    usable: dict[str, StoredHead]
    unusable: dict[str, str]
    elsewhere: dict[str, str]


def find_heads(store: Store, encoder: EncoderRecord) -> Heads:
    """Return the heads of a data root, as an encoder sees them.

    Parameters
    ----------
    store : Store
    encoder : EncoderRecord
        The header of the features.
    """
    found = Heads({}, {}, {})
    for name in store.heads.names():
        try:
            head = read_head(store, name)
        except MessError as error:
            found.unusable[name] = str(error)
            continue
        reads = head.description.encoder
        if encoder_slug(reads) != encoder_slug(encoder.encoder):
            found.elsewhere[name] = reads
        elif reason := unfit(head, encoder):
            found.unusable[name] = f"heads/{name}: {reason}"
        else:
            found.usable[name] = head
    return found


def index_heads(
    heads: Mapping[str, StoredHead], means: NDArray[np.floating[Any]]
) -> tuple[list[IndexedHead], dict[str, bytes]]:
    """Return the records and the files by which an index ranks along heads.

    Parameters
    ----------
    heads : mapping of str to StoredHead
    means : ndarray [shape=(n, layers, dim)]
        Of every track.
    """
    records = [
        IndexedHead(
            name=name,
            factor=head.description.factor,
            licence=head.description.licence,
            digest=head.digest,
            crc32=0,  # known once the file is written
        )
        for name, head in heads.items()
    ]
    return records, {name: serialise_layer(apply_head(head, means)) for name, head in heads.items()}


def left_out_of_index(
    store: Store, encoder: EncoderRecord, indexed: Mapping[str, IndexedHead], *, dataset: str
) -> dict[str, str]:
    """Return the heads of a data root that an index does not have as they are, with the reason.

    Parameters
    ----------
    store : Store
    encoder : EncoderRecord
        The header of the features.
    indexed : mapping of str to IndexedHead
    dataset : str
    """
    found = find_heads(store, encoder)
    left_out = dict(found.unusable)
    for name, reads in found.elsewhere.items():
        left_out[name] = f"reads {reads}: run `{command_for('run-all', dataset, reads)}`"
    command = command_for("index", dataset, encoder.encoder)
    for name, head in found.usable.items():
        if name not in indexed or head.digest != indexed[name].digest:
            left_out[name] = f"is newer than the index: run `{command}`"
    return left_out


def apply_indexed(
    store: Store,
    encoder: EncoderRecord,
    indexed: Mapping[str, IndexedHead],
    means: NDArray[np.floating[Any]],
) -> dict[str, Vectors]:
    """Return what each head of an index makes of other recordings [n, outputs].

    A head that is gone or has changed since the index was built is left out.

    Parameters
    ----------
    store : Store
    encoder : EncoderRecord
        The header of the features.
    indexed : mapping of str to IndexedHead
    means : ndarray [shape=(n, layers, dim)]
    """
    found = find_heads(store, encoder).usable
    return {
        name: apply_head(found[name], means)
        for name, one in indexed.items()
        if name in found and found[name].digest == one.digest
    }


def read_head(store: Store, name: str) -> StoredHead:
    """Read a head by its name.

    Raises
    ------
    HeadError
        If it cannot be used, or an aspect or a target has its name.
    """
    head = store.heads.read(name)
    if name in taken_names():
        raise HeadError(
            store.heads.home / name,
            "has the name of an aspect or a target",
            f"rename the folder, as learned-{name}",
        )
    return head


def taken_names() -> set[str]:
    """Return the names that a head cannot have."""
    return {*aspect_names(), *ALL_TARGETS}
