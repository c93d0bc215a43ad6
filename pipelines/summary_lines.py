"""The lines that `mess run-all` prints by default: two lines a step, and what to do next.

The numbers come from the records on disk. The second line names the command that prints all.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from mess.as_text import two_decimals
from mess.probing.statistics import SIGNIFICANT
from mess.records.discovery import DiscoveryRecord
from mess.records.evaluation import EvaluationRecord
from mess.storage.store import Store

_BEST = 3  # targets that a line names


def probe_lines(record: DiscoveryRecord, path: Path) -> Iterator[str]:
    """Yield the number of significant cells of a discovery, and its best targets."""
    scores = sorted(
        ((one.nested.r2, one.target) for one in record.summaries if one.nested.r2 is not None),
        reverse=True,
    )
    best = ", ".join(f"{target} {score:.2f}" for score, target in scores[:_BEST])
    sure = ""
    if record.settings.permutations:
        count = sum((cell.p_family or 1.0) <= SIGNIFICANT for cell in record.cells)
        sure = f"{count} of {len(record.cells)} cells are more than chance; "
    yield f"probe {record.encoder}: {sure}highest nested R²: {best or 'none'}"
    yield f"  every layer and target: {path}"


def evaluation_lines(record: EvaluationRecord, path: Path) -> Iterator[str]:
    """Yield the faithfulness of the sliders, beside that of the cosine of a whole layer."""
    probe = two_decimals(record.faithfulness.probe.mean)
    layer = two_decimals(record.faithfulness.layer.mean)
    yield (
        f"evaluate {record.encoder}: sliders follow their targets with Spearman {probe} "
        f"(whole layer {layer}); {len(record.defaults)} aspects are validated"
    )
    yield f"  every target and method: {path}"


def closing_lines(store: Store, *, dataset: str, encoders: Sequence[str]) -> Iterator[str]:
    """Yield what was made, the command that opens it, and what to try next."""
    done = store.features.manifest(dataset, encoders[0]).done()
    works = len({entry.work for entry in done.values()})
    yield ""
    yield (
        f"{dataset} is ready: {len(done)} recordings of {works} works, by "
        f"{' and '.join(encoders)}; all of it lies in {store.root}"
    )
    yield "open  the dashboard:"
    yield "        streamlit run dashboard/Home.py"
    yield "try   the nearest recordings, the encoders side by side, a report to keep:"
    example = _example(store, dataset, encoders)
    if example is not None:
        track, aspect, encoder = example
        chosen = f"--dataset {dataset} --encoder {encoder}"
        yield f'        mess recommend {chosen} --track "{track}" --aspect {aspect}'
    yield f"        mess compare --dataset {dataset}"
    yield f"        mess report --dataset {dataset} --encoder {encoders[-1]}"
    yield "      your own recordings:"
    yield f"        mess add mine FOLDER && mess run-all --dataset mine --encoder {encoders[-1]}"
    yield "see   what is there and what is stale, and every table again:"
    yield "        mess status"
    yield f"        mess run-all --dataset {dataset} --encoder {','.join(encoders)} --verbose"
    yield "(where mess is not found: source .venv/bin/activate)"


def _example(store: Store, dataset: str, encoders: Sequence[str]) -> tuple[str, str, str] | None:
    """Return a track and a judged aspect of an encoder, the last encoder first."""
    for encoder in reversed(encoders):
        tracks = sorted(store.features.manifest(dataset, encoder).done())
        aspects = store.evaluations.read(dataset, encoder).defaults
        if tracks and aspects:
            return tracks[0], next(iter(aspects)), encoder
    return None
