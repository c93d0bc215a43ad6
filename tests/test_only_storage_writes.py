"""Only `mess/storage/` writes files: no other module opens a file for writing or saves to one."""

import ast
from collections.abc import Iterator

from test_rooms import MODULES

# Methods and functions that write to a file, whatever object they belong to.
WRITERS = {
    "write_json", "write_bytes", "write_array", "write_arrays", "write_table", "write_text",
    "append_line", "replacing", "touch", "symlink_to", "hardlink_to",
    "to_parquet", "to_csv", "to_pickle", "to_feather", "to_excel",
    "save", "savez", "savez_compressed", "savetxt", "tofile", "savefig", "write_index", "dump",
    "save_file", "copyfile", "copyfileobj", "copytree", "copy2", "mkstemp", "NamedTemporaryFile",
    "TemporaryFile", "TemporaryDirectory",
}  # fmt: skip
# Functions that write only as one of a module: `text.replace` does not, `os.replace` does.
OF_A_MODULE = {("os", "replace"), ("os", "rename"), ("shutil", "move"), ("shutil", "copy"),
               ("soundfile", "write")}  # fmt: skip
OPENERS = {"open", "fdopen"}
# What writes no artifact: it is in the scratch folder and gone with the block, or is no file.
ALLOWED = {
    ("mess.audio.addresses", "open"): "a copy of what lies elsewhere, for reading",
    ("mess.audio.decoding", "TemporaryFile"): "samples that are too large for the memory",
    ("pipelines.reading_process", "TemporaryFile"): "samples that are too large for the memory",
    ("pipelines.reading_process", "fdopen"): "as above, or memory of the process that asks",
    ("mess.targets.invariance", "TemporaryDirectory"): "a changed recording, to be measured",
    ("mess.targets.invariance", "write"): "as above",
    ("mess.targets.reliability", "TemporaryDirectory"): "a coded recording, to be measured",
    ("mess.targets.reliability", "write"): "as above",
    ("mess.tracking.mlflow_client", "TemporaryDirectory"): "where MLflow is asked to work",
    ("mess.tracking.mlflow_client", "fdopen"): "the pipe to the process that asks",
}


def writes(tree: ast.Module) -> Iterator[str]:
    """Yield the name of each call that writes to a file."""
    buffers = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.AnnAssign)
        and isinstance(node.value, ast.Call)
        and ast.unparse(node.value.func) in ("io.BytesIO", "io.StringIO")
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        owner, _, name = ast.unparse(node.func).rpartition(".")
        first = node.args[0] if node.args else None
        if isinstance(first, ast.Name) and first.id in buffers:
            continue  # into the memory
        if name == "to_csv" and first is None:
            continue  # returns the text
        if (
            (name in OPENERS and _for_writing(node))
            or name in WRITERS
            or (owner, name) in OF_A_MODULE
        ):
            yield name


def _for_writing(call: ast.Call) -> bool:
    """Tell whether a call of `open` names a mode that writes, or has it in a variable."""
    given = [keyword.value for keyword in call.keywords if keyword.arg == "mode"]
    # The mode of `path.open` is the first argument, that of the function `open` the second.
    place = 0 if isinstance(call.func, ast.Attribute) and call.func.attr == "open" else 1
    given += call.args[place : place + 1]
    if ast.unparse(call.func) in ("av.open", "Image.open"):
        return any(isinstance(mode, ast.Constant) and mode.value == "w" for mode in given[1:])
    return any(
        bool(set(str(mode.value)) & set("wax+"))
        if isinstance(mode, ast.Constant)
        else ast.unparse(mode) == "mode"
        for mode in given
    )


def test_only_storage_writes_files() -> None:
    found = {
        (module, name)
        for module, path in MODULES.items()
        if not f"{module}.".startswith("mess.storage.")
        for name in writes(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert found - ALLOWED.keys() == set(), "move it into mess/storage/"
    assert ALLOWED.keys() - found == set(), "no longer needed in ALLOWED"


def test_ways_to_write_are_found() -> None:
    for line in (
        "open('a', 'w')",
        "open('a', mode='ab')",
        "path.open('r+b')",
        "path.open(mode)",
        "os.fdopen(1, 'w')",
        "path.write_text('a')",
        "np.save(path, array)",
        "numpy.savez(path, a=array)",
        "table.to_parquet(path)",
        "faiss.write_index(index, 'a')",
        "json.dump(value, handle)",
        "os.replace('a', 'b')",
        "soundfile.write('a.wav', samples, 8000)",
    ):
        assert list(writes(ast.parse(line))), line
    for line in (
        "open('a')",
        "path.open('rb')",
        "buffer = io.BytesIO()\nnp.save(buffer, array)",
        "table.to_csv(index=False)",
        "name.replace('a', 'b')",
        "json.dumps(value)",
    ):
        assert not list(writes(ast.parse(line))), line
