"""Encoders, targets and datasets of another package, as its user meets them: by the command line.

The package is `tests/example_plugin`. It is put on the path with the metadata that pip would write.
"""

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
from tones import write_tone
from typer.testing import CliRunner

from mess import plugins
from mess.errors import UnknownName
from pipelines.cli import build_app

EXAMPLE = Path(__file__).parent / "example_plugin"
ROOT = Path(__file__).parents[1]
TONES = "--dataset example-tones"
CHAIN = f"{TONES} --encoder example-bands"
WORKS = 12


def install(folder: Path, name: str, groups: Mapping[str, Mapping[str, str]]) -> Path:
    """Write the metadata of a package, and return the folder to put on the path."""
    metadata = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    metadata.mkdir(parents=True, exist_ok=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = []
    for group, entries in groups.items():
        lines += [f"[{group}]", *(f"{key} = {value}" for key, value in entries.items()), ""]
    (metadata / "entry_points.txt").write_text("\n".join(lines))
    return folder


def install_example(folder: Path, *, version: int = 1) -> Path:
    """Put the example package and its metadata into a folder."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    code = (EXAMPLE / "mess_example.py").read_text(encoding="utf-8")
    folder.mkdir(parents=True)
    (folder / "mess_example.py").write_text(code.replace("version=1,", f"version={version},"))
    return install(folder, project["name"], project["entry-points"])


_RUN_ALL = """
import contextlib, io, json, sys
from pipelines.cli import build_app
from mess.errors import MessError

app, results = build_app(), []
for words in json.loads(sys.argv[1]):
    out, err, code = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            app(words)
        except SystemExit as end:
            code = end.code or 0
        except MessError as error:
            print(f"error: {error}", file=sys.stderr)
            code = 1
    results.append([code, out.getvalue(), err.getvalue()])
print(json.dumps(results))
"""


class Ran(NamedTuple):
    """What a command left."""

    code: int
    out: str
    err: str


def mess(*commands: str, data: Path, path: Path | None = None) -> list[Ran]:
    """Run commands in one new process, which spares most of them the time of their imports."""
    done = in_python(_RUN_ALL, json.dumps([one.split() for one in commands]), data=data, path=path)
    return [Ran(*one) for one in json.loads(done)]


def in_python(code: str, *words: str, data: Path, path: Path | None) -> str:
    """Return what a new interpreter prints that has a package on its path."""
    paths = [str(ROOT), *([str(path)] if path else [])]
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | {"MESS_DATA": str(data), "PYTHONPATH": os.pathsep.join(paths)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


BROKEN = """
from dataclasses import replace
from mess_example import BANDS, MEL_CENTRE

NOT_ONE = "a text"
OTHER_NAME = MEL_CENTRE
SAME_NAME = replace(BANDS, name="spectral")
FALLS = replace(MEL_CENTRE, name="falls", function=lambda music: 1 / 0)
RAISES = replace(BANDS, name="raises", load=lambda device, dtype: 1 / 0)
LIES = replace(BANDS, name="lies")


def no_dataset(root):
    return ["one.wav"]
"""
BROKEN_GROUPS = {
    "mess.encoders": {
        "lost": "broken_import:ENCODER",
        "nowhere": "no_such_module:ENCODER",
        "text": "broken_things:NOT_ONE",
        "spectral": "broken_things:SAME_NAME",
        "raises": "broken_things:RAISES",
        "lies": "broken_things:LIES",
    },
    "mess.targets": {"bright": "broken_things:OTHER_NAME", "falls": "broken_things:FALLS"},
    "mess.datasets": {"text": "broken_things:NOT_ONE", "listing": "broken_things:no_dataset"},
}
TOLD = {
    "encoder 'lost' is left out": "ImportError: no such chip",
    "encoder 'nowhere' is left out": "No module named 'no_such_module'",
    "encoder 'text' is left out": "it is a str, not a mess.encoders.Preset",
    "encoder 'spectral' is left out": "the name is taken",
    "target 'bright' is left out": "the target is called 'mel_centre'",
    "dataset 'text' is left out": "it is a str, not a function of a folder",
    "target 'falls' of what it fails on is left out": "ZeroDivisionError",
}
REFUSED = {
    f"extract {TONES} --encoder raises": "cannot be loaded (ZeroDivisionError",
    f"extract {TONES} --encoder lies": "id is 'example-bands', not 'lies'",
    "extract --dataset listing --encoder spectral": "is no mess.datasets.Dataset",
}
PROBE = "--permutations 199 --bootstrap 50 --repeats 1 --no-controls --no-mlflow"
USED = [
    "encoders --json",
    f"extract {CHAIN}",
    f"targets {TONES}",
    f"probe {CHAIN} {PROBE}",
    f"index {CHAIN}",
    f"recommend {CHAIN} --track work5-1 --aspects mel_centre=1 -k 11 --json",
    f"passages {CHAIN} --track work5-1 --at 1 --aspects mel_centre=1 --json",
    "status",
]


class Chain(NamedTuple):
    """A data root where every step ran on plug-ins, and what each command said."""

    data: Path
    site: Path
    ran: dict[str, Ran]

    def out(self, step: str) -> str:
        (said,) = (one.out for command, one in self.ran.items() if command.split()[0] == step)
        return said


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    """The example package beside one where everything is broken."""
    root = tmp_path_factory.mktemp("plugins")
    site, data = install_example(root / "site"), root / "data"
    (site / "broken_things.py").write_text(BROKEN)
    (site / "broken_import.py").write_text("raise ImportError('no such chip')\n")
    install(site, "broken", BROKEN_GROUPS)
    for work in range(WORKS):
        path = data / "audio" / "example-tones" / f"work{work}-1.wav"
        write_tone(path, 5.0, frequency=220.0 * 1.3 ** (work % 6), seed=work)
    commands = [*USED, *REFUSED]
    ran = dict(zip(commands, mess(*commands, data=data, path=site), strict=True))
    for command in USED:
        assert ran[command].code == 0, (command, ran[command].err)
    return Chain(data, site, ran)


def test_the_lists_name_what_a_package_adds(chain: Chain) -> None:
    encoders = {one["name"]: one for one in json.loads(chain.out("encoders"))}
    assert encoders["example-bands"]["package"] == "mess-example"
    assert encoders["example-bands"]["here"]
    assert "example-tones by example-bands" in chain.out("status")
    assert "stale" not in chain.out("status")


def test_a_target_of_a_package_is_validated_and_searched_by(chain: Chain) -> None:
    found = json.loads(chain.out("recommend"))
    ranked = [one["track_id"] for one in found]
    assert set(ranked[:3]) == {"work4-1", "work10-1", "work11-1"}  # the registers beside it
    assert set(ranked[-2:]) == {"work0-1", "work6-1"}  # the lowest
    assert found[0]["contributions"].keys() == {"mel_centre"}
    passages = json.loads(chain.out("passages"))
    assert passages[0]["contributions"].keys() == {"mel_centre"}


def test_a_broken_package_costs_a_line_for_each_thing_and_nothing_else(chain: Chain) -> None:
    lines = [line for command in USED for line in chain.ran[command].err.splitlines()]
    told = [line for line in lines if line.startswith("plug-in ")]
    assert len(told) == len(TOLD)  # each once, and nothing of the good package
    for what, reason in TOLD.items():
        assert [line for line in told if f"broken: {what}" in line and reason in line], what
    for command, reason in REFUSED.items():
        ran = chain.ran[command]
        assert (ran.code, len(ran.err.splitlines())) == (1, 1)
        assert ran.err.startswith("error: plug-in broken: ")
        assert reason in ran.err


def test_a_new_version_of_its_target_makes_tables_stale(chain: Chain, tmp_path: Path) -> None:
    newer = install_example(tmp_path / "site", version=2)
    code = "from pipelines.show_status import command; command(check=False)"
    status = in_python(code, data=chain.data, path=newer)
    targets = next(line for line in status.splitlines() if line.split()[0] == "targets")
    assert targets.split()[1] == "stale"
    assert re.search(r"made by version [^;]*mel_centre 1 of the code, now .*mel_centre 2", targets)


def test_without_the_package_nothing_breaks_and_the_status_says_what_is_gone(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MESS_DATA", str(chain.data))
    app, runner = build_app(), CliRunner()
    assert re.search(r"targets +stale", runner.invoke(app, ["status"]).output)
    with pytest.raises(UnknownName, match="unknown encoder 'example-bands'"):
        runner.invoke(app, ["extract", *CHAIN.split()], catch_exceptions=False)
    words = ["recommend", *CHAIN.split(), "--track", "work5-1", "--aspects", "brightness=1"]
    assert runner.invoke(app, words).exit_code == 0


def test_a_package_whose_metadata_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    site = install(tmp_path / "site", "malformed", {"mess.encoders": {}})
    (site / "malformed-1.0.dist-info" / "entry_points.txt").write_text("[mess.encoders]\nnothing")
    monkeypatch.syspath_prepend(str(site))
    plugins._entry_points.cache_clear()
    known = plugins.registry(
        {"one": 1}, kind="number", group="mess.encoders", accept=lambda name, package, offered: 0
    )
    assert dict(known) == {"one": 1}
    told = capsys.readouterr().err.splitlines()
    plugins._entry_points.cache_clear()
    assert len(told) == 1
    assert told[0].startswith("plug-in malformed: entry_points.txt is left out: ")


def test_the_dashboard_lists_what_a_package_adds(chain: Chain) -> None:
    code = (
        "from dashboard.library import known_dataset, known_encoder\n"
        "from dashboard.figures.names import family_of\n"
        "from streamlit.testing.v1 import AppTest\n"
        "print(known_encoder(known_dataset('example-tones'), 'example-bands'))\n"
        "print(family_of('mel_centre'))\n"
        "app = AppTest.from_file('dashboard/entrypoint/app.py', default_timeout=120).run()\n"
        "print(*[text for box in app.selectbox for text in box.options], *app.exception)\n"
    )
    encoder, family, options = in_python(code, data=chain.data, path=chain.site).splitlines()[:3]
    assert (encoder, family) == ("example-bands", "timbre")
    assert {"example-tones", "example-bands"} <= set(options.split())
