"""Each page is one function that can be called; nothing is drawn when its file is imported."""

import importlib
import pkgutil
import typing
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from layouts import write_piece
from made_records import (
    made_cell,
    made_discovery,
    made_targets_entry,
    made_targets_header,
)
from streamlit.testing.v1 import AppTest

import dashboard.pages
from mess.errors import ArtifactMissing, ArtifactStale, MessError
from mess.records.reliability import ReliabilityRecord
from mess.records.targets import MeasuredValues
from mess.storage.files import read_json, write_json
from mess.storage.store import Store
from mess.targets import TARGETS, TARGETS_VERSION
from mess.targets.invariance import SAME_MUSIC
from mess.targets.reliability import CHANGES
from pipelines.extract_features import extract_features

PAGES = sorted(module.name for module in pkgutil.iter_modules(dashboard.pages.__path__))


def _call(name: str) -> None:
    """Draw a page: Streamlit runs this text as a script."""
    import importlib

    importlib.import_module(f"dashboard.pages.{name}").main()


def _open(name: str, *, dataset: str = "demo", encoder: str = "spectral") -> AppTest:
    script = AppTest.from_function(_call, args=(name,), default_timeout=60)
    script.session_state["dataset"] = dataset
    script.session_state["encoder"] = encoder
    return script.run()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_a_function_without_parameters(name: str) -> None:
    page = importlib.import_module(f"dashboard.pages.{name}")
    assert typing.get_type_hints(page.main) == {"return": type(None)}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_draws_a_library(
    name: str, demo_library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MESS_DATA", str(demo_library))
    drawn = _open(name)
    assert not drawn.exception
    assert len(drawn.title) == 1


@pytest.mark.parametrize("name", PAGES)
def test_a_page_without_a_library_says_what_makes_one(name: str, data_root: Path) -> None:
    drawn = _open(name)
    assert not drawn.exception
    assert len(drawn.title) == 1
    assert drawn.button or drawn.code


def _show_tests() -> None:
    from dashboard.sections.target_tests import show_tests

    show_tests("mine")


def test_the_tests_of_the_targets_show_tempo_and_movements(data_root: Path) -> None:
    shares = {"recordings": 22, "accuracy_1": 0.91, "accuracy_2": 1.0, "coverage": 1.0}
    still = dict.fromkeys(TARGETS, 0.1)
    record = ReliabilityRecord.from_json(
        {
            "dataset": "mine",
            "code_version": TARGETS_VERSION,
            "audio": {},
            "tracks": 3,
            "seed": 0,
            "targets": {
                name: dict.fromkeys(("split_half", *CHANGES), 0.456) | {"trusted": False}
                for name in TARGETS
            },
            "movements": {
                "a": {change.name: still | {"tempo": 2.345} for change in SAME_MUSIC},
                "b": {change.name: still for change in SAME_MUSIC},
            },
            "truth": {"counterparts": [], "tempo": {"clicks": shares}, "false_tempi": 0.125},
        }
    )
    Store(data_root).reliability.write("mine", record)
    drawn = AppTest.from_function(_show_tests, default_timeout=60).run()
    assert not drawn.exception
    reliability, tempo, movements = (frame.value for frame in drawn.dataframe)
    assert reliability.loc["tempo", "split-half"] == "0.46"
    assert tempo.iloc[0].tolist() == ["clicks", 22, "0.91", "1.00", "1.00"]
    assert movements.columns[0] == "change"  # the rows have names
    movements = movements.set_index("change")
    assert movements.loc["gain +40 dB", "tempo"] == "2.35!"
    assert movements.loc["gain +40 dB", "onset density"] == "0.10"
    assert "12% of cases" in drawn.caption[-1].value


def test_home_names_the_files_that_are_doubtful(data_root: Path) -> None:
    folder = Store(data_root).audio_dir("mine")
    write_piece(folder / "whole.wav", 1)
    samples, rate = soundfile.read(folder / "whole.wav")
    opposite = np.column_stack([samples, -samples])
    soundfile.write(folder / "opposite.wav", opposite, rate, subtype="FLOAT")
    extract_features(dataset="mine", encoder="spectral", store=Store(data_root))
    damaged = data_root / "processed/evaluation/mine/spectral.json"
    damaged.parent.mkdir(parents=True)
    damaged.write_text("{")
    drawn = _open("overview", dataset="mine")
    assert not drawn.exception
    states = next(text.value for text in drawn.markdown if text.value.startswith("| step |"))
    states = states.replace("\\", "")
    assert "spectral.json is damaged" in states and str(data_root) not in states
    assert "1 recording with a doubtful file" in [expander.label for expander in drawn.expander]
    notes = [text.value for text in drawn.markdown if text.value.startswith("- opposite")]
    assert len(notes) == 1 and "channels cancel" in notes[0]


def test_the_targets_page_names_the_files_that_are_doubtful(data_root: Path) -> None:
    files = Store(data_root).targets
    manifest = files.resume("mine", header=made_targets_header(dataset="mine"))
    for name, notes in (("whole", []), ("joined", ["two files are joined"])):
        checksums = files.write(
            "mine",
            name,
            values=MeasuredValues(track=dict.fromkeys(TARGETS, 1.0), segments={}),
            descriptors={},
            marks=np.zeros((2, 0), np.uint32),
        )
        manifest.record(name, made_targets_entry(checksums, sha256=name, notes=notes))
    manifest.close()
    files.gather("mine", manifest)
    drawn = _open("targets", dataset="mine")
    assert not drawn.exception
    assert "1 recording with a doubtful file" in [expander.label for expander in drawn.expander]
    assert "- joined: two files are joined" in [text.value for text in drawn.markdown]


def _damage(content: dict[str, typing.Any]) -> None:
    """Let a part of a discovery have a value of another type; its checksum is right."""
    content["cells"][0]["r2"] = "high"


@pytest.mark.parametrize(
    ("change", "told"), [(_damage, "another version of the code"), (None, "is damaged")]
)
def test_a_damaged_part_of_a_discovery_is_one_clear_line(
    data_root: Path, change: Callable[[dict[str, typing.Any]], None] | None, told: str
) -> None:
    store = Store(data_root)
    path = store.discoveries.write(
        "mine",
        "spectral",
        record=made_discovery([made_cell(0, "tempo", 0.5)], dataset="mine", encoder="spectral"),
        predictions=pd.DataFrame({"track": ["a"]}),
    )
    if change is None:
        path.write_bytes(path.read_bytes()[:-20])
    else:
        content = read_json(path, command="")
        change(content)
        write_json(path, content)
    drawn = _open("discovery", dataset="mine")
    assert not drawn.exception
    (warning,) = drawn.warning
    said = warning.value.replace("\\", "")  # Markdown shows what is escaped as it is
    assert said.startswith(str(path.relative_to(store.root))) and told in said
    assert "\n" not in warning.value


def _show_front_door(problem: "MessError") -> None:
    from dashboard.sections.front_door import show_front_door

    show_front_door(problem, "demo", "spectral")


def test_home_says_what_is_missing_in_words_and_names_no_place_of_the_server(
    data_root: Path,
) -> None:
    said = []
    for problem in (
        ArtifactMissing(str(data_root / "processed/d.json"), "mess probe --dataset demo"),
        ArtifactStale(str(data_root / "processed/d.json"), "is older", "mess probe --dataset demo"),
    ):
        drawn = AppTest.from_function(_show_front_door, args=(problem,), default_timeout=60).run()
        assert not drawn.exception
        said.append(drawn.info[0].value.replace("\\", ""))
    button = "The tab Data has a button for it."
    assert said[0] == f"The layers of this encoder are not probed yet. {button}"
    assert said[1] == f"processed/d.json is older. {button}"
