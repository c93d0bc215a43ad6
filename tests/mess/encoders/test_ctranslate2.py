"""The reader of CTranslate2's files believes nothing that the file says of itself."""

import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from mess.encoders.ctranslate2 import read_model
from mess.errors import MessError

TYPES = {"float32": 0, "int8": 1, "int16": 2, "int32": 3, "float16": 4}


def text(name: str) -> bytes:
    return struct.pack("<H", len(name) + 1) + name.encode() + b"\0"


def variable(name: str, value: NDArray[Any]) -> bytes:
    shape = struct.pack(f"<B{value.ndim}I", value.ndim, *value.shape)
    head = struct.pack("<BI", TYPES[value.dtype.name], value.nbytes)
    return text(name) + shape + head + value.tobytes()


def write(variables: dict[str, NDArray[Any]], aliases: dict[str, str] | None = None) -> bytes:
    """Return a file as CTranslate2's converter writes it."""
    body = b"".join(variable(name, value) for name, value in variables.items())
    others = b"".join(text(alias) + text(name) for alias, name in (aliases or {}).items())
    return (
        struct.pack("<I", 6) + text("WhisperSpec") + struct.pack("<II", 3, len(variables)) + body
        + struct.pack("<I", len(aliases or {})) + others
    )  # fmt: skip


WHOLE = write(
    {
        "encoder/num_heads": np.array(6, dtype=np.int16),
        "encoder/conv1/weight": np.arange(24, dtype=np.float16).reshape(4, 2, 3),
        "decoder/embeddings/weight": np.ones((3, 2), dtype=np.float32),
    },
    {"decoder/projection/weight": "decoder/embeddings/weight"},
)
names = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20)
arrays = hnp.arrays(
    dtype=st.sampled_from([np.dtype(name) for name in TYPES]),
    shape=hnp.array_shapes(min_dims=0, max_dims=4, max_side=4),
)


@settings(max_examples=60)
@given(st.dictionaries(names, arrays, max_size=5))
def test_what_was_written_is_read(variables: dict[str, NDArray[Any]]) -> None:
    model = read_model(write(variables), source="model.bin")
    assert (model.name, model.revision) == ("WhisperSpec", 3)
    assert list(model.variables) == list(variables)
    for name, value in variables.items():
        assert model.variables[name].dtype == value.dtype
        np.testing.assert_array_equal(model.variables[name], value)


def test_every_cut_is_noticed() -> None:
    for length in range(len(WHOLE)):
        with pytest.raises(MessError, match="model.bin: "):
            read_model(WHOLE[:length], source="model.bin")


def test_bytes_after_the_end_are_noticed() -> None:
    with pytest.raises(MessError, match="2 bytes after its end"):
        read_model(WHOLE + b"PK", source="model.bin")


@settings(max_examples=300)
@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), max_size=6))
def test_changed_bytes_are_refused_or_harmless(changes: list[tuple[int, int]]) -> None:
    content = bytearray(WHOLE)
    for at, value in changes:
        content[at] = value
    try:
        model = read_model(bytes(content), source="model.bin")
    except MessError as error:
        assert "\n" not in str(error)
    else:
        assert sum(value.nbytes for value in model.variables.values()) <= len(WHOLE)


@settings(max_examples=100)
@given(st.binary(max_size=400))
def test_noise_is_no_model(content: bytes) -> None:
    with pytest.raises(MessError):
        read_model(content, source="model.bin")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (struct.pack("<I", 5) + WHOLE[4:], "version 5"),
        (write({"a": np.zeros(2, np.float32)}, {"b": "c"}), "names 'b' for 'c'"),
        (WHOLE[:18] + struct.pack("<II", 3, 2**32 - 1) + WHOLE[26:], "no array|cut|none|unknown"),
        (
            WHOLE[:22] + struct.pack("<I", 1) + text("bomb")
            + struct.pack("<B4IBI", 4, *[2**32 - 1] * 4, 0, 2**32 - 1),
            "is promised",
        ),
        (
            WHOLE[:22] + struct.pack("<I", 1) + text("deep") + struct.pack("<B", 200),
            "200 dimensions",
        ),
        (
            WHOLE[:22] + struct.pack("<I", 2) + 2 * variable("a", np.zeros(1, np.int8)),
            "holds 'a' twice",
        ),
    ],
)  # fmt: skip
def test_a_lie_is_named(content: bytes, reason: str) -> None:
    with pytest.raises(MessError, match=reason):
        read_model(content, source="model.bin")
