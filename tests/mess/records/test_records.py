"""What is written is what is read; what does not fit is refused and named."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_records import made_cell, made_discovery, made_summary

from mess.errors import ArtifactStale
from mess.probing.results import CurvePoint
from mess.records.base import DoesNotFit, Parts
from mess.records.discovery import DiscoveryRecord, ProbeSettings, Split
from mess.records.reliability import ReliabilityRecord, TargetReliability, Truth
from mess.storage.files import write_json
from mess.storage.records import read_record, write_record

SCORES = st.none() | st.floats(-9, 1)
DISCOVERY = made_discovery(
    [made_cell(0, "tempo", 0.5, fold_r2=[0.25, None], alpha=[10.0, 100.0])],
    [made_summary("tempo", 0.5)],
    sensitivity=[
        Split(group_by="work", seed=0, groups=45, r2={"tempo": 0.5}),
        Split(group_by="composer", seed=0, groups=0, why="fewer than three composers"),
    ],
    curve=[CurvePoint(works=11, n=24, r2={"tempo": None})],
    inputs={"features": Parts(audio="a", settings="s", code=3, labels="l", values="v")},
)


@given(
    scores=st.lists(SCORES, min_size=1, max_size=3),
    alpha=st.just("auto") | st.floats(1e-2, 1e6),
    samples=st.none() | st.integers(3, 99),
    has_controls=st.booleans(),
)
def test_a_discovery_comes_back_as_it_was(
    scores: list[float | None], alpha: float | str, samples: int | None, has_controls: bool
) -> None:
    record = made_discovery(
        [made_cell(layer, "tempo", score) for layer, score in enumerate(scores)],
        settings=ProbeSettings(alpha=alpha, samples=samples),  # type: ignore[arg-type]
        controls=[] if has_controls else None,
    )
    written = json.loads(json.dumps(record.to_json()))
    assert ("controls" in written) == has_controls
    assert DiscoveryRecord.from_json(written) == record
    assert DiscoveryRecord.from_json(written).to_json() == record.to_json()


def test_a_split_has_scores_or_a_reason() -> None:
    splits = DISCOVERY.to_json()["sensitivity"]
    assert [set(one) for one in splits] == [
        {"group_by", "seed", "groups", "r2"},
        {"group_by", "seed", "groups", "why"},
    ]
    assert DiscoveryRecord.from_json(DISCOVERY.to_json()) == DISCOVERY


@pytest.mark.parametrize("key", sorted(DISCOVERY.to_json().keys() - {"curve"}))
def test_a_key_that_is_missing_is_named(key: str) -> None:
    content = DISCOVERY.to_json()
    del content[key]
    with pytest.raises(DoesNotFit, match=f"missing required field `{key}`"):
        DiscoveryRecord.from_json(content)


@pytest.mark.parametrize(
    ("where", "value", "told"),
    [
        (("n",), "many", r"expected `int`, got `str` - at `\$.n`"),
        (("n",), True, "expected `int`, got `bool`"),
        (("cells", 0, "r2"), "0.5", r"at `\$.cells\[0\].r2`"),
        (("settings", "level"), "bar", "invalid enum value 'bar'"),
        (("settings", "group_by"), "work", "expected `array`"),
    ],
)
def test_a_value_of_another_type_is_named(
    where: tuple[str | int, ...], value: object, told: str
) -> None:
    content = DISCOVERY.to_json()
    parent = content
    for step in where[:-1]:
        parent = parent[step]
    parent[where[-1]] = value
    with pytest.raises(DoesNotFit, match=told):
        DiscoveryRecord.from_json(content)


def test_numbers_of_numpy_become_plain_ones() -> None:
    record = replace(DISCOVERY, cells=[made_cell(0, "tempo", np.float64(0.5), n=np.int64(3))])
    assert json.loads(json.dumps(record.to_json()))["cells"][0]["n"] == 3


def test_what_cannot_be_read_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    with pytest.raises(DoesNotFit, match="expected `str`"):
        write_record(path, replace(DISCOVERY, dataset=3))  # type: ignore[arg-type]
    assert not path.exists()


def test_a_whole_file_of_another_version_is_stale_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    content = DISCOVERY.to_json()
    del content["copies"]
    write_json(path, content)
    with pytest.raises(ArtifactStale) as raised:
        read_record(path, DiscoveryRecord, command="mess probe")
    said = str(raised.value)
    assert "another version of the code (object missing required field `copies`)" in said
    assert said.endswith("run `mess probe`") and "\n" not in said


def test_the_changes_of_a_target_lie_flat_on_disk() -> None:
    tested = TargetReliability(split_half=None, changes={"gain +12 dB": 0.9}, trusted=True)
    record = ReliabilityRecord(
        dataset="d",
        code_version=7,
        audio={"a": "hash"},
        tracks=1,
        seed=0,
        targets={"tempo": tested},
        movements={},
        truth=Truth(counterparts=[], tempo={}, false_tempi=0.0),
    )
    row = record.to_json()["targets"]["tempo"]
    assert row == {"split_half": None, "gain +12 dB": 0.9, "trusted": True}
    assert ReliabilityRecord.from_json(record.to_json()) == record
    with pytest.raises(DoesNotFit):
        ReliabilityRecord.from_json({"targets": {"tempo": 3}})
