"""A learned head is one more aspect: it ranks by the cosine of what it makes of the layers."""

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_heads import head_tensors, write_head
from typer.testing import CliRunner

from benchmarks.synthetic import Shape, write_library
from mess.errors import MessError
from mess.new_recordings.encoding import EncodedRecording, project_recording
from mess.search.aspects import parse_weights
from mess.search.heads import apply_head
from mess.search.layer_based_recommender import LayerBasedRecommender
from mess.status.steps import survey
from mess.storage.store import Store
from pipelines.build_indices import build_index
from pipelines.cli import build_app
from pipelines.list_heads import describe_heads, head_lines
from pipelines.update_indices import update_index

SHAPE = Shape(tracks=40, layers=3, dim=24)
PLACE = (SHAPE.dataset, SHAPE.encoder)
INPUTS: dict[str, Any] = {
    "encoder": SHAPE.encoder,
    "layers": [2, 0],
    "tensors": head_tensors(2 * SHAPE.dim),
}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library with one head that was there before its index was built."""
    root = tmp_path_factory.mktemp("library")
    write_head(root, "melody", **INPUTS)
    write_library(Store(root), SHAPE)
    build_index(dataset=SHAPE.dataset, encoder=SHAPE.encoder, store=Store(root), passages=False)
    return root


@pytest.fixture
def store(library: Path, tmp_path: Path) -> Store:
    root = tmp_path / "data"
    shutil.copytree(library, root, symlinks=True)
    return Store(root)


def recommender(store: Store) -> LayerBasedRecommender:
    return LayerBasedRecommender(*PLACE, store=store)


def outputs(store: Store) -> np.ndarray:
    """What MERIT's own arithmetic makes of the tracks: linear, ReLU, linear, length 1."""
    torch = pytest.importorskip("torch")
    means = torch.tensor(store.features.read(*PLACE).values)
    own = {name: torch.tensor(values) for name, values in INPUTS["tensors"].items()}
    x = torch.cat([means[:, layer] for layer in INPUTS["layers"]], dim=-1)
    x = torch.relu(torch.nn.functional.linear(x, own["net.0.weight"], own["net.0.bias"]))
    x = torch.nn.functional.linear(x, own["net.2.weight"])
    return torch.nn.functional.normalize(x, dim=-1).numpy()


def test_a_head_ranks_by_its_cosine_as_its_authors_compute_it(store: Store) -> None:
    found = recommender(store)
    made = outputs(store)
    head = store.heads.read("melody")
    assert np.allclose(apply_head(head, store.features.read(*PLACE).values), made, atol=1e-5)
    assert "melody" in found.get_available_aspects()
    query = found.track_ids[0]
    ranked = found.recommend_by_aspect(query, "melody", len(made))
    cosine = dict(zip(found.track_ids, made @ made[0], strict=True))
    told = [cosine[one.track_id] for one in ranked]
    # Those that are as unlike as can be are ordered by what else they are; the scale is bounded.
    near = [value for one, value in zip(ranked, told, strict=True) if one.score > -1]
    assert len(near) > 25 and all(a >= b - 1e-5 for a, b in zip(near, near[1:], strict=False))
    assert ranked[0].methods == {"melody": "head"} and -1 <= ranked[-1].score < 0 < ranked[0].score


def test_a_head_mixes_with_other_aspects(store: Store) -> None:
    found = recommender(store)
    weights = parse_weights("melody=0.5,brightness=-0.5", heads=store.heads.names())
    one = found.multi_aspect_recommendation(found.track_ids[3], weights, 1)[0]
    assert set(one.contributions) == {"melody", "brightness"}
    assert one.score == pytest.approx(sum(one.contributions.values()), abs=1e-6)
    with pytest.raises(MessError, match="'melody' is a learned head and has no unit"):
        found.multi_aspect_recommendation(found.track_ids[0], {}, 3, offset={"melody": 1.0})


def test_a_recording_outside_of_the_index_is_ranked_by_the_head(store: Store) -> None:
    found = recommender(store)
    row = 5
    features = store.features.read(*PLACE, pooling="mean_std").values[row]
    new = EncodedRecording(
        made_by=found.made_by,
        duration=30.0,
        whole=features,
        segments=features[None, :, : SHAPE.dim].astype(np.float16),
        measured={},
        moments=np.empty((0, SHAPE.layers, SHAPE.dim), dtype=np.float16),
    )
    point = project_recording(new, found)
    ranked = found.multi_aspect_recommendation(point, {"melody": 1.0}, 3)
    assert ranked[0].track_id == found.track_ids[row] and ranked[0].score > 0.9
    (store.root / "heads" / "melody" / "head.toml").unlink()
    point = project_recording(new, found)
    with pytest.raises(MessError, match="the head 'melody' of this recording is not known"):
        found.multi_aspect_recommendation(point, {"melody": 1.0}, 3)


def test_a_head_that_came_later_waits_for_the_index_and_stops_nothing(store: Store) -> None:
    changed = INPUTS | {"tensors": head_tensors(2 * SHAPE.dim, seed=9)}
    write_head(store.root, "rhythm", **changed, factor="rhythm")
    write_head(store.root, "far", **(INPUTS | {"encoder": "mert-v1-330m"}))
    write_head(store.root, "tempo", **INPUTS)
    (write_head(store.root, "torn", **INPUTS) / "weights.safetensors").write_bytes(b"12")
    found = recommender(store)
    assert "brightness" in found.get_available_aspects()
    left_out = found.left_out_heads()
    assert set(left_out) == {"rhythm", "far", "tempo", "torn"}
    assert "newer than the index: run `mess index" in left_out["rhythm"]
    assert "mess run-all --dataset bench --encoder mert-v1-330m" in left_out["far"]
    assert "has the name of an aspect or a target; rename" in left_out["tempo"]
    assert "weights.safetensors: is no safetensors file" in left_out["torn"]
    with pytest.raises(MessError, match="'rhythm' has no slider .* run `mess index"):
        found.recommend_by_aspect(found.track_ids[0], "rhythm")
    steps = {one.step: one for one in survey(store, *PLACE)}
    assert steps["index"].state == "stale" and "learned heads" in steps["index"].detail
    # `mess watch` goes on without a new fit, and takes the head along.
    update_index(dataset=SHAPE.dataset, encoder=SHAPE.encoder, store=store)
    assert set(recommender(store).heads) == {"melody", "rhythm"}
    listed = describe_heads(store)
    assert [one["name"] for one in listed if "problem" in one] == ["tempo", "torn"]
    text = "\n".join(head_lines(listed, home="heads"))
    assert "slider on bench by bench" in text or "slider on bench by" in text


@pytest.mark.parametrize(
    "changes, says",
    [
        ({"layers": [2, 3]}, "reads layer 3, and .* has 3 layers"),
        ({"layers": [2]}, "takes 48 numbers, and 1 layers .* are 1 × 24"),
    ],
)
def test_a_head_that_does_not_fit_its_encoder_is_left_out(
    store: Store, changes: dict[str, list[int]], says: str
) -> None:
    write_head(store.root, "melody", **(INPUTS | changes))
    assert re.search(says, recommender(store).left_out_heads()["melody"])


def test_the_command_line_ranks_by_a_head_and_lists_all(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MESS_DATA", str(store.root))
    where = ["--dataset", SHAPE.dataset, "--encoder", SHAPE.encoder]
    track = recommender(store).track_ids[0]
    asked = ["recommend", *where, "--track", track, "--aspects", "melody=1"]
    printed = CliRunner().invoke(build_app(asked), asked)
    assert printed.exit_code == 0, printed.output
    assert "ranked: melody by head" in printed.output and "melody +" in printed.output
    listed = CliRunner().invoke(build_app(["heads"]), ["heads"])
    assert listed.exit_code == 0
    assert f"melody: melody, from layers 2, 0 of {SHAPE.encoder}, 48 → 8 → 4" in listed.output
    (store.root / "heads" / "melody" / "head.toml").write_text("factor = 1")
    listed = CliRunner().invoke(build_app(["heads"]), ["heads"])
    assert listed.exit_code == 3 and "heads/melody/head.toml: does not describe" in listed.output
