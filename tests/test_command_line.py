"""`mess` from a shell: one line on standard error for what a user can mend, JSON where asked."""

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from layouts import SMD_IDS, write_smd
from typer.testing import CliRunner

import pipelines.cli
from mess.encoders import PRESETS
from mess.search.aspects import ASPECTS
from mess.search.layer_based_recommender import LayerBasedRecommender, Recommendation
from mess.storage.store import Store
from pipelines.cli import COMMANDS, build_app
from pipelines.run_all import run_all
from pipelines.run_evaluation import evaluate

ROOT = Path(pipelines.cli.__file__).parents[1]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root on which everything was run, with the spectral encoder."""
    root = tmp_path_factory.mktemp("cli") / "data"
    write_smd(root / "audio" / "smd", seconds=3.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MESS_DATA", str(root))
        assert run_all(dataset="smd", encoder="spectral", tracking=False)
    record = Store(root).discoveries.read("smd", "spectral")
    # Make two aspects valid, whatever eight short tracks gave.
    scores = {"spectral_centroid": 0.8, "tempo": 0.5}
    cells = [
        replace(
            cell,
            r2=scores.get(cell.target, 0.05),
            p_family=0.01 if cell.target in scores else 1.0,
            works=20,
        )
        for cell in record.cells
    ]
    summaries = [
        replace(one, nested=replace(one.nested, r2=scores.get(one.target, 0.05)))
        for one in record.summaries
    ]
    Store(root).discoveries.write(
        "smd",
        "spectral",
        record=replace(record, cells=cells, summaries=summaries),
        predictions=Store(root).discoveries.read_predictions("smd", "spectral"),
    )
    evaluate(dataset="smd", encoder="spectral", store=Store(root), tracking=False)
    return root


def shell(*arguments: str, data: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipelines.cli", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "MESS_DATA": str(data), "HF_HUB_OFFLINE": "1"},
    )


def options(text: str) -> set[str]:
    """The options that a help text names, each with its first words."""
    found = set(re.findall(r"(?<![\w-])--?[a-z][\w-]*(?: +-\w)?(?: +[A-Z]+)?", text))
    return {" ".join(option.split()) for option in found}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_a_script_with_the_same_flags(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    command = CliRunner().invoke(build_app(), [name, "--help"], env={"COLUMNS": "200"})
    assert command.exit_code == 0
    script = ROOT / (COMMANDS[name].replace(".", "/") + ".py")
    monkeypatch.setattr(sys, "argv", [str(script), "--help"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(script), run_name="__main__")
    assert not ended.value.code
    assert options(capsys.readouterr().out) == options(command.output) >= {"--help"}


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("extract", {"--dataset", "--encoder", "--workers", "--force", "--raw"}),
        ("targets", {"--dataset", "--workers", "--force"}),
        ("probe", {"--dataset", "--encoder", "--alpha", "--folds", "--samples", "--level"}),
        ("recommend", {"--track", "--aspect", "--aspects", "-k", "--json"}),
    ],
)
def test_the_flags_of_the_documentation_exist(name: str, wanted: set[str]) -> None:
    shown = CliRunner().invoke(build_app(), [name, "--help"], env={"COLUMNS": "200"})
    assert shown.exit_code == 0
    assert wanted <= {option.split()[0] for option in options(shown.output)}


def test_a_script_runs_from_a_checkout(library: Path) -> None:
    script = ROOT / "pipelines" / "demo_recommendations.py"
    ended = subprocess.run(
        [sys.executable, str(script), "--track", SMD_IDS[0], "--json"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "MESS_DATA": str(library)},
    )
    assert ended.returncode == 0, ended.stderr
    assert len(json.loads(ended.stdout)) == 5


def test_where_nothing_is_left_that_is_said(library: Path) -> None:
    everybody = [f"--track={track}" for track in SMD_IDS]
    none = shell("recommend", *everybody, "--exclude-same-composer", data=library)
    assert none.returncode == 1
    assert "error: no other track is left: exclude fewer, or add recordings\n" in none.stderr


def test_a_name_with_a_line_feed_stays_in_its_line(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MESS_DATA", str(library))
    found = LayerBasedRecommender.multi_aspect_recommendation

    def renamed(self: LayerBasedRecommender, *asked: Any, **options: Any) -> list[Recommendation]:
        return [replace(one, track_id="a\nb") for one in found(self, *asked, **options)]

    monkeypatch.setattr(LayerBasedRecommender, "multi_aspect_recommendation", renamed)
    shown = CliRunner().invoke(build_app(), ["recommend", "--track", SMD_IDS[0], "-k", "1"])
    assert shown.exit_code == 0 and "  'a\\nb'  ()" in shown.stdout.splitlines()[3]


def test_a_folder_in_the_way_of_a_file_is_one_line(library: Path) -> None:
    place = Store(library).maps.path("smd", "spectral", layer=1, method="pca", level="track")
    (place / "mine").mkdir(parents=True)
    of = ("--dataset", "smd", "--encoder", "spectral", "--layer", "1", "--method", "pca")
    ended = shell("map", *of, data=library)
    shutil.rmtree(place)
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"error: {place}: is a folder where a file belongs; move it")
    assert ended.stderr.count("\n") == 1


def test_recommendations_as_json(library: Path) -> None:
    ended = shell(
        "recommend", "--track", SMD_IDS[0], "--aspects", "brightness=0.6,tempo=0.4", "-k", "3",
        "--json", data=library,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    keys = ["contributions", "methods", "score", "track_id", "values"]
    assert [sorted(one) for one in found] == [keys] * 3
    for one in found:
        assert one["track_id"] in set(SMD_IDS) - {SMD_IDS[0]}
        assert sorted(one["contributions"]) == ["brightness", "tempo"]
        assert sum(one["contributions"].values()) == pytest.approx(one["score"])


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("extract --dataset smdd --encoder spectral", "unknown dataset 'smdd': did you mean 'smd'"),
        ("extract --dataset maestro --encoder spectral", "publish it at https://magenta"),
        ("extract --dataset smd --encoder mert-v1-59m", "did you mean 'mert-v1-95m'"),
        ("extract --dataset smd --encoder ./nowhere", "nowhere: there is no such folder"),
        ("recommend --track Bach_BWV849-1 --aspect tempo", "did you mean 'Bach_BWV849-01'"),
        ("recommend --track Bach_BWV849-01 --aspect tempoo", "did you mean 'tempo'"),
        ("recommend --track Bach_BWV849-01 --aspect phrasing", "is not validated by 'spectral'"),
        ("recommend --track Bach_BWV849-01 --aspects tempo", "is no weight: write aspects as"),
        ("recommend --track a --aspect b --aspects c=1", "give --aspect or --aspects, not both"),
        ("recommend --track a --dataset demo", "mess run-all --dataset demo"),
        ("probe --dataset smd --encoder spectral --alpha x", "--alpha takes numbers or 'auto'"),
        ("probe --dataset smd --encoder spectral --level t", "unknown level 't'"),
        ("probe --dataset smd --encoder mert-v1-95m", "mess extract --dataset smd --encoder mert"),
        ("index --dataset smd --encoder mert-v1-95m", "mess extract --dataset smd --encoder mert"),
        ("targets --dataset ../smd", "'../smd' is no dataset name"),
        ("add mine nowhere", "nowhere: is no folder"),
    ],
)
def test_what_a_user_can_mend_is_one_line(
    library: Path,
    arguments: str,
    expected: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MESS_DATA", str(library))
    monkeypatch.setattr(sys, "argv", ["mess", *arguments.split()])
    with pytest.raises(SystemExit) as ended:
        pipelines.cli.main()
    assert ended.value.code == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    assert expected in lines[0]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("extract --dataset smd --encoder spektral", "did you mean 'spectral'"),
        ("recommend --track Bach_BWV849-01 --aspect brigthness", "did you mean 'brightness'"),
    ],
)
def test_it_is_one_line_and_status_one_in_a_real_shell(
    library: Path, arguments: str, expected: str
) -> None:
    ended = shell(*arguments.split(), data=library)
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert expected in ended.stderr
    assert ended.stdout == ""


def test_a_damaged_artifact_names_the_command_that_mends_it(library: Path, tmp_path: Path) -> None:
    path = library / "processed/indices/smd/spectral/manifest.json"
    content = path.read_bytes()
    try:
        path.write_bytes(content[: len(content) // 2])
        ended = CliRunner().invoke(
            build_app(),
            ["recommend", "--track", SMD_IDS[0], "--dataset", "smd", "--encoder", "spectral"],
            env={"MESS_DATA": str(library)},
        )
    finally:
        path.write_bytes(content)
    assert ended.exit_code == 1
    assert str(ended.exception) == (
        f"{path} is damaged: run `mess index --dataset smd --encoder spectral`"
    )


def test_status_says_what_is_there_and_what_comes_next(library: Path, data_root: Path) -> None:
    ready = CliRunner().invoke(build_app(), ["status"], env={"MESS_DATA": str(library)})
    assert ready.exit_code == 0
    assert "smd by spectral:" in ready.output
    assert re.search(r"extract +ready +[\d.]+ kB +8 tracks", ready.output)
    assert re.search(r"of audio, 8 tracks of 5 works, [\d.]+ MB on disk", ready.output)
    assert "the recordings: CC BY-NC-SA 3.0" in ready.output
    assert "next:" not in ready.output
    nothing = CliRunner().invoke(build_app(), ["status"], env={"MESS_DATA": str(data_root)})
    assert nothing.exit_code == 0
    assert "demo: no recordings (mess demo)" in nothing.output
    write_smd(data_root / "audio" / "smd", seconds=1.5)
    waiting = CliRunner().invoke(build_app(), ["status"], env={"MESS_DATA": str(data_root)})
    assert "next: mess run-all --dataset smd --encoder mert-v1-95m" in waiting.output


def test_probing_prints_the_best_layer_of_every_target(library: Path, tmp_path: Path) -> None:
    ended = CliRunner().invoke(
        build_app(),
        ["probe", "--dataset", "smd", "--encoder", "spectral", "--no-mlflow", "--folds", "3",
         "--samples", "7", "--level", "segment"],
        env={"MESS_DATA": str(library)},
    )  # fmt: skip
    assert ended.exit_code == 0, ended.output
    assert "alpha auto, 3 folds by work" in ended.output
    assert re.search(r"spectral_centroid +\d", ended.output)
    assert not (library / "mlflow.db").exists()


def test_help_names_every_command() -> None:
    shown = CliRunner().invoke(build_app(), ["--help"], env={"COLUMNS": "200"})
    assert all(name in shown.output for name in COMMANDS)
    assert {"mert-v1-95m", "mert-v1-330m", "spectral"} <= set(PRESETS)
    assert len(ASPECTS) == 10


def test_starting_the_command_line_loads_no_heavy_package() -> None:
    heavy = "torch transformers librosa mlflow music21 symusic pretty_midi streamlit ray".split()
    slow = [*heavy, "scipy.stats", "pipelines.run_probing"]  # a step starts without the others
    program = (
        "import sys; from pipelines.cli import build_app; build_app(['status', '--help']); "
        f"print([name for name in {slow} if name in sys.modules]); build_app(); "
        f"print([name for name in {heavy} if name in sys.modules]); "
        "import os; print(os.environ['GOMP_SPINCOUNT'])"  # before OpenMP reads it
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ended.stdout.split() == ["[]", "[]", "10000"]


TSNE = ("--method", "tsne")
# Sends itself Ctrl-C when the module that is named is first imported, or when it is done.
INTERRUPTED = """
import os, signal, sys
module = sys.argv.pop(1)

class Stop:
    def find_spec(self, name, path=None, target=None):
        if name == module:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Stop())
from pipelines.cli import main
main()
"""


@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        ("typer", ["status"]),
        ("faiss", ["recommend", "--track", SMD_IDS[0]]),
        (
            "sklearn.manifold",
            ["map", "--dataset", "smd", "--encoder", "spectral", "--method", "tsne"],
        ),
    ],
)
def test_ctrl_c_is_one_line_at_any_time(library: Path, module: str, arguments: list[str]) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, module, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "MESS_DATA": str(library)},
    )
    assert ended.returncode == 130, ended.stderr
    assert ended.stderr.splitlines() == ["stopped; the same command goes on from here"]
