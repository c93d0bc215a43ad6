"""Run the tutorial and show it: ``python -m docs.building.notebook`` writes what its cells print.

The cells run in order in one namespace of this process. That is faster than a Jupyter kernel, and
it needs no further package.
"""

import io
import json
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from benchmarks.results import PROGRESS

TUTORIAL = Path(__file__).parents[1] / "tutorial.ipynb"


def read_notebook(path: Path = TUTORIAL) -> dict[str, Any]:
    """Return a notebook as Jupyter stores it (format 4)."""
    notebook: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return notebook


def run_cells(notebook: dict[str, Any]) -> tuple[list[str], dict[str, Any]]:
    """Run the code cells.

    Returns
    -------
    printed : list of str
        What each code cell prints, without the progress of long steps.
    namespace : dict of str to object
        The variables after the last cell.
    """
    namespace: dict[str, Any] = {"__name__": "tutorial"}
    printed = []
    for number, cell in enumerate(_code_cells(notebook), start=1):
        code = compile("".join(cell["source"]), f"<cell {number}>", "exec")
        with redirect_stdout(io.StringIO()) as shown:
            exec(code, namespace)  # noqa: S102 (the cells of this repository's own tutorial)
        lines = shown.getvalue().splitlines(keepends=True)
        printed.append("".join(line for line in lines if not PROGRESS.fullmatch(line.rstrip())))
    return printed, namespace


def stored_outputs(notebook: dict[str, Any]) -> list[str]:
    """Return what the notebook says that each code cell prints."""
    return [
        "".join("".join(output["text"]) for output in cell["outputs"])
        for cell in _code_cells(notebook)
    ]


def with_outputs(notebook: dict[str, Any], printed: list[str]) -> dict[str, Any]:
    """Return the notebook with other outputs."""
    texts = iter(printed)
    cells = []
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            text = next(texts).splitlines(keepends=True)
            stream = {"name": "stdout", "output_type": "stream", "text": text}
            cell = cell | {"outputs": [stream] if text else []}
        cells.append(cell)
    return notebook | {"cells": cells}


def as_markdown(notebook: dict[str, Any]) -> str:
    """Return a page: the text, the code, and below it what it prints.

    >>> as_markdown({"cells": [{"cell_type": "markdown", "source": ["# A", "b"]}]})
    '# Ab\\n'
    """
    parts = []
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(source)
            continue
        parts.append(f"```python\n{source}\n```")
        parts += [f"```text\n{''.join(output['text'])}```" for output in cell["outputs"]]
    return "\n\n".join(parts) + "\n"


def _code_cells(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


if __name__ == "__main__":
    notebook = read_notebook()
    filled = with_outputs(notebook, run_cells(notebook)[0])
    TUTORIAL.write_text(json.dumps(filled, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
