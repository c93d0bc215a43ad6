"""A head is read as numbers; a damaged one costs a line: the file, the reason, the way out."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_heads import head_tensors, write_head

from mess.storage.heads import HeadError, HeadFiles, parse_description
from mess.storage.store import Store

LAYERS = [3, 4, 5, 6, 23]


def write(root: Path, **changes: object) -> Path:
    given: dict[str, Any] = {
        "encoder": "mert-v1-330m",
        "layers": LAYERS,
        "tensors": head_tensors(5 * 1024),
    }
    return write_head(root, "melody", **(given | changes))


@pytest.mark.parametrize("file", ["weights.safetensors", "weights.npz"])
def test_a_head_in_the_layout_of_merit_is_read(tmp_path: Path, file: str) -> None:
    write(tmp_path, file=file)
    head = Store(tmp_path).heads.read("melody")
    assert head.description.layers == LAYERS
    assert head.description.shapes == [(8, 5120), (4, 8)]
    tensors = head_tensors(5 * 1024)
    assert np.array_equal(head.linear[0].weight, tensors["net.0.weight"])
    assert np.array_equal(head.linear[0].bias, tensors["net.0.bias"])
    assert np.array_equal(head.linear[1].weight, tensors["net.2.weight"])
    assert not head.linear[1].bias.any()


def spoil(part: str, value: object) -> Callable[[Path], None]:
    """Return what changes one tensor, or takes it away where the value is None."""

    def change(root: Path) -> None:
        tensors = head_tensors(5 * 1024)
        if value is None:
            del tensors[part]
        else:
            tensors[part] = np.asarray(value)
        write(root, tensors=tensors, shapes=[[8, 5120], [4, 8]])

    return change


def cut(root: Path) -> None:
    path = write(root) / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def hide_code(root: Path) -> None:
    folder = write(root, file="weights.npz")
    tensors: Any = {"0.weight": np.array([{"a": 1}], dtype=object)}
    np.savez(folder / "weights.npz", **tensors)


def leave_a_pickle(root: Path) -> None:
    folder = write(root)
    (folder / "weights.safetensors").rename(folder / "best_head.pt")


def leave_both(root: Path) -> None:
    write(root)
    write(root, file="weights.npz")


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "another key": (
        lambda root: write(root, layer=[3]),
        r"head.toml: has the unknown key 'layer'; did you mean 'layers'\?",
    ),
    "no licence": (lambda root: write(root, licence=None), "head.toml: .*`licence`.*docs/method"),
    "an empty licence": (lambda root: write(root, licence=" "), "head.toml: licence is empty"),
    "pooling": (lambda root: write(root, pooling="max"), "head.toml: .*'max'"),
    "activation": (lambda root: write(root, activation="swish"), "head.toml: .*'swish'"),
    "layers in words": (lambda root: write(root, layers=["3"]), r"head.toml: .*`int`.*layers"),
    "a layer below 0": (lambda root: write(root, layers=[-1]), "no different layers"),
    "one layer twice": (lambda root: write(root, layers=[3, 3]), "no different layers"),
    "shapes that do not follow": (
        lambda root: write(root, shapes=[[8, 5120], [4, 9]]),
        "8 outputs, then 9 inputs",
    ),
    "another shape": (
        lambda root: write(root, shapes=[[9, 5120], [4, 9]]),
        r"weights.safetensors: 0.weight has the shape \[8, 5120\].*\[9, 5120\].*correct shapes",
    ),
    "fewer layers": (lambda root: write(root, shapes=[[8, 5120]]), "2 linear layers.*says 1"),
    "no toml": (
        lambda root: (write(root) / "head.toml").write_text("factor = melody\n"),
        "head.toml: is no TOML",
    ),
    "no description": (lambda root: (write(root) / "head.toml").unlink(), "head.toml: is missing"),
    "no weights": (
        lambda root: (write(root) / "weights.safetensors").unlink(),
        "has no weights.safetensors or weights.npz",
    ),
    "NaN": (
        spoil("net.2.weight", np.full((4, 8), np.nan, np.float32)),
        "weights.safetensors: 2.weight holds NaN or infinity; get the weights again",
    ),
    "whole numbers": (spoil("net.0.bias", np.zeros(8, np.int64)), "0.bias holds int64"),
    "a stranger": (spoil("scale", np.zeros(2, np.float32)), "'scale' is no weight or bias"),
    "no weight": (spoil("net.0.weight", None), "layer 0 has no weight"),
    "cut": (cut, "weights.safetensors: is no safetensors file.*save the weights again"),
    "code": (hide_code, "weights.npz: is damaged, or holds more than numbers"),
    "a pickle": (leave_a_pickle, "best_head.pt: is a pickle.*not opened.*weights.safetensors"),
    "both": (leave_both, "has both weights.safetensors and weights.npz; remove one"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_damaged_head_costs_one_line(tmp_path: Path, what: str) -> None:
    damage, says = BAD[what]
    damage(tmp_path)
    with pytest.raises(HeadError, match=says) as caught:
        Store(tmp_path).heads.read("melody")
    text = str(caught.value)
    assert text.startswith("heads/melody") and "\n" not in text and str(tmp_path) not in text


def test_a_name_that_no_slider_can_have_is_refused(tmp_path: Path) -> None:
    write_head(tmp_path, "My Head", encoder="e", layers=[0], tensors=head_tensors(4), licence="MIT")
    with pytest.raises(HeadError, match="heads/My Head: is no name of a slider; rename"):
        Store(tmp_path).heads.read("My Head")


def test_a_change_is_noticed_and_another_encoder_is_not(tmp_path: Path) -> None:
    heads = HeadFiles(tmp_path)
    assert heads.names() == [] and heads.digest("mert-v1-330m") is None
    write(tmp_path)
    first = heads.digest("mert-v1-330m")
    assert first and heads.digest("spectral") is None
    write(tmp_path, tensors=head_tensors(5 * 1024, seed=1))
    assert heads.digest("mert-v1-330m") not in (first, None)
    (tmp_path / "heads" / "melody" / "head.toml").write_text("")
    assert heads.digest("mert-v1-330m") is None


@given(st.binary(max_size=200))
def test_any_bytes_are_a_description_or_one_line(content: bytes) -> None:
    try:
        parse_description(content, path=Path("heads/a/head.toml"))
    except HeadError as error:
        assert "\n" not in str(error)
