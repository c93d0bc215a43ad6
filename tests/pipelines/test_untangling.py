"""What `mess untangle` makes of a library: three records, their staleness, and what is printed."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmarks.synthetic import Shape
from mess.errors import ArtifactError, ArtifactMissing, ArtifactStale, MessError, UnknownName
from mess.records.untangled import (
    CodelengthRecord,
    ConfoundsRecord,
    ErasureRecord,
    UntangleSettings,
)
from mess.status.staleness import Sources, judge
from mess.storage.store import Store
from pipelines.cli import build_app
from pipelines.mending import mend_damaged
from pipelines.untangle import parse_what, untangle
from pipelines.untangle_text import untangled_lines

KINDS = (ErasureRecord, CodelengthRecord, ConfoundsRecord)
DATASET, ENCODER = Shape.dataset, Shape.encoder


@pytest.fixture
def store(untangled_library: Path) -> Store:
    return Store(untangled_library)


def test_an_erased_target_is_gone_for_probes_of_the_same_works(store: Store) -> None:
    record = store.untangled.read(DATASET, ENCODER, ErasureRecord)
    assert "spectral_centroid" in record.names
    for name in record.names:
        own = record.loss(name, name)
        assert own is not None and own.before > 0.1 and abs(own.after) < 0.05
    assert len(record.losses) == len(record.names) ** 2
    assert {one.target for one in record.unseen} == set(record.names)
    assert all(len(one.after) == 2 for one in record.control)


def test_a_layer_saves_bits_on_brightness(store: Store) -> None:
    record = store.untangled.read(DATASET, ENCODER, CodelengthRecord)
    code = next(one for one in record.codes if one.target == "spectral_centroid")
    assert code.shortest < code.mean < code.uniform + 30
    assert len(code.bits) == len(record.layer_names)


def test_composers_are_held_apart_and_what_no_track_states_is_said(store: Store) -> None:
    record = store.untangled.read(DATASET, ENCODER, ConfoundsRecord)
    assert record.levels == {"composer": 8}
    names = ("instrument", "performer", "year", "register", "loudness")
    assert record.left_out == dict.fromkeys(names, "no track states it")
    row = record.row("spectral_centroid", "composer")
    assert row is not None and min(row.usual or 0, row.apart or 0, row.partial or 0) > 0.3


def test_each_is_printed_and_names_every_target(store: Store) -> None:
    for kind in KINDS:
        record = store.untangled.read(DATASET, ENCODER, kind)
        text = "\n".join(untangled_lines(record))
        names = record.names if isinstance(record, ErasureRecord) else ["spectral_centroid"]
        assert all(name in text for name in names)
        assert kind.from_json(json.loads(json.dumps(record.to_json()))) == record


def test_it_is_stale_when_the_targets_have_changed(store: Store) -> None:
    record = store.untangled.read(DATASET, ENCODER, ConfoundsRecord)
    sources = Sources(store, DATASET, ENCODER)
    assert not judge("untangled", record.origin, sources)
    older = replace(record, targets="another").origin
    assert "targets have changed" in str(judge("untangled", older, sources))


def test_one_part_is_made_anew_without_the_others_and_the_same_again(
    untangled_library: Path, data_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(untangled_library / "processed", data_root / "processed")
    store = Store(data_root)
    before = {kind: store.untangled.read(DATASET, ENCODER, kind) for kind in KINDS}
    for part in ("erasure", "confounds"):
        store.untangled.path(DATASET, ENCODER, part).unlink()
    command = ["untangle", "--dataset", DATASET, "--encoder", ENCODER, "--what", "confounds"]
    done = CliRunner().invoke(build_app(command), [*command, "--folds", "3", "--no-mlflow"])
    assert done.exit_code == 0 and "composer: 8 levels" in done.output
    found = store.untangled.read(DATASET, ENCODER, ConfoundsRecord)
    assert found.rows == before[ConfoundsRecord].rows
    with pytest.raises(ArtifactMissing, match="mess untangle .* --what erasure"):
        store.untangled.read(DATASET, ENCODER, ErasureRecord)


def test_bad_wishes_are_one_line(store: Store) -> None:
    with pytest.raises(UnknownName, match="experiment"):
        parse_what("erasure,colour")
    assert parse_what("confounds, erasure") == ["erasure", "confounds"]
    with pytest.raises(MessError, match="--layer 99: there are the layers 0 to"):
        untangle(
            dataset=DATASET,
            encoder=ENCODER,
            what=["erasure"],
            settings=UntangleSettings(layer=99),
            store=store,
            tracking=False,
        )


def test_a_record_of_another_version_says_what_makes_it_anew(
    untangled_library: Path, data_root: Path
) -> None:
    shutil.copytree(
        untangled_library / "processed" / "untangled", data_root / "processed" / "untangled"
    )
    store = Store(data_root)
    path = store.untangled.path(DATASET, ENCODER, "codelength")
    shutil.copy(store.untangled.path(DATASET, ENCODER, "erasure"), path)
    with pytest.raises(ArtifactStale, match="--what codelength"):
        store.untangled.read(DATASET, ENCODER, CodelengthRecord)


def test_a_damaged_record_is_made_anew_and_the_others_stay(
    untangled_library: Path, data_root: Path
) -> None:
    shutil.copytree(untangled_library / "processed", data_root / "processed")
    store = Store(data_root)
    path = store.untangled.path(DATASET, ENCODER, "codelength")
    path.write_bytes(path.read_bytes()[:-40])
    other = store.untangled.path(DATASET, ENCODER, "erasure").read_bytes()
    with pytest.raises(ArtifactError, match="is damaged: run `mess untangle .*--what codelength`"):
        store.untangled.read(DATASET, ENCODER, CodelengthRecord)
    lines = list(mend_damaged(store, DATASET, ENCODER, tracking=False))
    assert lines == ["the record of codelength was damaged and is made anew"]
    assert store.untangled.read(DATASET, ENCODER, CodelengthRecord).codes
    assert store.untangled.path(DATASET, ENCODER, "erasure").read_bytes() == other
