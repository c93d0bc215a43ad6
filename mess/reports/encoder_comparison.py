"""The comparison of encoders: their scores, their costs, and the significant differences.

Task: build the record that `mess compare` writes and the dashboard shows, from the discoveries of
several encoders on the same rows and folds of one dataset.

Conventions: scores are those of the nested probe, differences those of
`mess.probing.differences`. A control, ``random:X``, is the architecture of X with random weights.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from mess.encoders import PRESETS, encoder_slug
from mess.encoders.catalogue import RANDOM
from mess.errors import ArtifactError, ArtifactMissing, ArtifactStale, MessError
from mess.evaluation.baselines import strongest
from mess.probing.differences import Array, Differences, Scores, compare
from mess.probing.metrics import defined
from mess.probing.results import TargetSummary
from mess.records.comparison import (
    ComparisonRecord,
    EncoderPair,
    EncoderScores,
    MeanDifference,
    MissingEncoder,
    SharedSettings,
    SliderFaithfulness,
    TargetDifference,
    TargetScore,
)
from mess.records.discovery import DiscoveryRecord, ProbeSettings
from mess.status.staleness import Sources, attempt, digest_of, judge, require
from mess.storage.paths import command_for
from mess.storage.store import Store
from mess.versions import COMPARISON_VERSION


def compare_encoders(
    dataset: str, *, encoders: Sequence[str] | None = None, store: Store
) -> ComparisonRecord:
    """Compare encoders on the rows that they share.

    Parameters
    ----------
    dataset : str
    encoders : sequence of str, optional
        By default all probed encoders, the best first, each followed by its control.
    store : Store

    Returns
    -------
    ComparisonRecord
        Scores of each encoder, differences of each two, and presets and controls that could join.

    Raises
    ------
    MessError
        If nothing was probed yet.
    ArtifactError
        If a discovery is missing or stale, or was made on other rows than the first.
    """
    if encoders is None:
        wanted = [
            name for name in store.features.encoders(dataset) if _is_probed(store, dataset, name)
        ]
    else:
        wanted = list({encoder_slug(name): name for name in encoders}.values())
    if not wanted:
        raise MessError(
            f"no encoder of {dataset!r} was probed: run `{command_for('run-all', dataset)}`"
        )
    records = {name: _discovery(store, dataset, name) for name in wanted}
    records = {record.encoder: record for record in records.values()}
    _check_rows(store, dataset, records)
    rows = [_row(store, dataset, record) for record in records.values()]
    if encoders is None:
        rows = _best_first(rows)
    first = next(iter(records.values()))
    targets = first.target_names
    scores = {name: _scores(record, targets) for name, record in records.items()}
    pairs = [
        _pair(a.name, b.name, targets, compare(scores[a.name], scores[b.name]))
        for a, b in combinations(rows, 2)
    ]
    return ComparisonRecord(
        dataset=dataset,
        code_version=COMPARISON_VERSION,
        chosen=encoders is not None,
        settings=SharedSettings.of(first.settings),
        n=first.n,
        works=first.works,
        minutes=_minutes(store, dataset, first.encoder),
        targets_fingerprint=first.targets,
        targets=targets,
        encoders=rows,
        pairs=pairs,
        missing=_missing(store, dataset, rows),
    )


def difference(record: ComparisonRecord, a: str, b: str) -> EncoderPair:
    """Return the pair ``a`` minus ``b`` of a comparison, in whichever order it is stored.

    Raises
    ------
    KeyError
        If the comparison has no such pair.
    """
    for pair in record.pairs:
        if (pair.a, pair.b) == (a, b):
            return pair
        if (pair.a, pair.b) == (b, a):
            return pair.turned()
    raise KeyError(f"{a} − {b}")


def with_rates(store: Store, record: ComparisonRecord) -> ComparisonRecord:
    """Return a comparison that was read, with how long each encoder takes here."""
    rows = [
        replace(row, seconds_per_minute=_rate(store, record.dataset, row.name))
        for row in record.encoders
    ]
    return replace(record, encoders=rows)


def _rate(store: Store, dataset: str, encoder: str) -> float | None:
    """Return the median seconds of encoding per minute of audio."""
    rates = [60.0 * rate for rate in store.timings.read_rates(dataset, encoder)]
    return float(np.median(rates)) if rates else None


def control_of(record: ComparisonRecord, name: str) -> EncoderScores | None:
    """Return the row of the random-weights control of an encoder, None where there is none."""
    return next((row for row in record.encoders if row.control_of == name), None)


# Reading and checking ------------------------------------------------------------------------


def _is_probed(store: Store, dataset: str, encoder: str) -> bool:
    try:
        store.discoveries.read(dataset, encoder)
    except ArtifactMissing:
        return False
    except ArtifactError:
        return True  # a damaged discovery is reported later, not left out
    return True


def _discovery(store: Store, dataset: str, encoder: str) -> DiscoveryRecord:
    record = store.discoveries.read(dataset, encoder)
    require("discovery", record.origin, Sources(store, dataset, encoder))
    return record


def _check_rows(store: Store, dataset: str, records: dict[str, DiscoveryRecord]) -> None:
    """Refuse to compare discoveries on different rows or folds."""
    (reference, first), *others = records.items()
    wanted = vars(SharedSettings.of(first.settings))
    for name, record in others:
        what = f"{name!r} and {reference!r}"
        actual = vars(SharedSettings.of(record.settings))
        differing = [key for key in wanted if actual[key] != wanted[key]]
        if differing:
            raise ArtifactError(
                what,
                f"were probed with different settings ({', '.join(differing)})",
                f"{command_for('probe', dataset, name)} {_options(first.settings)}",
            )
        if not _same_rows(store, dataset, name, reference):
            fewer = min((reference, name), key=lambda encoder: records[encoder].n)
            raise ArtifactError(
                what,
                f"were probed on different tracks ({record.n} and {first.n})",
                f"{command_for('extract', dataset, fewer)} && "
                f"{command_for('probe', dataset, fewer)}",
            )


def _same_rows(store: Store, dataset: str, a: str, b: str) -> bool:
    columns = ["track", "segment", "target", "fold", "true"]
    tables = []
    for name in (a, b):
        table = store.discoveries.read_predictions(dataset, name)
        table = table[table["layer"] == 0][columns].astype({"track": str, "target": str})
        tables.append(table.sort_values(columns[:3], ignore_index=True))
    return tables[0].equals(tables[1])


def _options(settings: ProbeSettings) -> str:
    words = [
        f"--alpha {settings.alpha} --folds {settings.folds} --pooling {settings.pooling}",
        f"--seed {settings.seed} --group-by {','.join(settings.group_by)}",
    ]
    if settings.samples is not None:
        words.append(f"--samples {settings.samples}")
    if not settings.own_split:
        words.append("--no-own-split")
    return " ".join(words)


# Building ------------------------------------------------------------------------------------


def _row(store: Store, dataset: str, record: DiscoveryRecord) -> EncoderScores:
    """Return the row of one encoder: scores, cost, size, licence, faithfulness."""
    name = record.encoder
    manifest = store.features.manifest(dataset, name)
    by_target = {summary.target: _score(summary) for summary in record.summaries}
    known = [score.r2 for score in by_target.values() if score.r2 is not None]
    return EncoderScores(
        name=name,
        control_of=name.removeprefix(RANDOM) if name.startswith(RANDOM) else None,
        features=record.features,
        discovery=digest_of(record),
        licence=manifest.header.licence,
        trained_on=_trained_on(name),
        layers=manifest.header.layers,
        dim=manifest.header.dim,
        layer_names=record.layer_names,
        seconds_per_minute=_rate(store, dataset, name),
        cost=_cost(name),
        bytes=store.features.size(dataset, name),
        faithfulness=_faithfulness(store, dataset, name),
        mean_r2=float(np.mean(known)) if known else None,
        r2=by_target,
    )


def _score(summary: TargetSummary) -> TargetScore:
    nested = summary.nested
    return TargetScore(
        r2=nested.r2,
        low=nested.low,
        high=nested.high,
        spearman=nested.spearman,
        best=summary.best,
        layers=summary.within,
        beyond_mean=summary.beyond_mean,
    )


def _minutes(store: Store, dataset: str, encoder: str) -> float:
    """Return the minutes of audio of a dataset."""
    entries = store.features.manifest(dataset, encoder).done().values()
    return sum(entry.duration for entry in entries) / 60.0


def _cost(name: str) -> float | None:
    """Return the cost of the architecture on the reference machine."""
    preset = PRESETS.get(name.removeprefix(RANDOM))
    return None if preset is None else preset.cost


def _trained_on(name: str) -> str | None:
    if name.startswith(RANDOM):
        return "none"
    preset = PRESETS.get(name)
    return None if preset is None else preset.trained_on


def _faithfulness(store: Store, dataset: str, encoder: str) -> SliderFaithfulness | None:
    """Return the mean faithfulness along the probes and of the strongest baseline without them.

    None if it was not evaluated.
    """
    record = attempt(lambda: store.evaluations.read(dataset, encoder))
    if isinstance(record, ArtifactMissing | ArtifactStale):
        return None
    if isinstance(record, ArtifactError):
        raise record
    if judge("evaluation", record.origin, Sources(store, dataset, encoder)):
        return None
    plain = strongest(record.baselines)
    return SliderFaithfulness(
        probe=record.faithfulness.probe.mean, plain=plain.mean if plain else None
    )


def _best_first(rows: list[EncoderScores]) -> list[EncoderScores]:
    """Order by mean R², each control after what it controls."""
    names = {row.name for row in rows}
    leading = [row for row in rows if row.control_of not in names]
    leading.sort(key=lambda row: -(row.mean_r2 if row.mean_r2 is not None else -np.inf))
    return [
        row
        for lead in leading
        for row in [lead, *(control for control in rows if control.control_of == lead.name)]
    ]


def _scores(record: DiscoveryRecord, targets: list[str]) -> Scores:
    nested = {summary.target: summary.nested.r2 for summary in record.summaries}
    r2 = np.array([nested.get(target) for target in targets], dtype=np.float64)
    by_target = record.influence.by_target
    moves: Array = np.array([by_target[target] for target in targets], dtype=np.float64).T
    return Scores(r2, moves)


def _pair(a: str, b: str, targets: list[str], differences: Differences) -> EncoderPair:
    return EncoderPair(
        a=a,
        b=b,
        mean=MeanDifference(
            difference=defined(differences.mean),
            low=defined(differences.mean_low),
            high=defined(differences.mean_high),
            p=defined(differences.mean_p),
            verdict=differences.mean_verdict,
        ),
        targets={
            target: TargetDifference(
                difference=float(differences.difference[column]),
                low=defined(differences.low[column]),
                high=defined(differences.high[column]),
                p=defined(differences.p[column]),
                p_holm=defined(differences.p_holm[column]),
                verdict=verdict,
            )
            for column, (target, verdict) in enumerate(
                zip(targets, differences.verdicts, strict=True)
            )
            if verdict is not None
        },
    )


def _missing(store: Store, dataset: str, rows: list[EncoderScores]) -> list[MissingEncoder]:
    """Return the presets, and the controls of what is compared, that could join."""
    there = {encoder_slug(row.name) for row in rows}
    extracted = {encoder_slug(name) for name in store.features.encoders(dataset)}
    controls = [
        RANDOM + row.name
        for row in rows
        if (preset := PRESETS.get(row.name)) is not None and preset.config
    ]
    missing: list[MissingEncoder] = []
    for name in [*PRESETS, *controls]:
        if encoder_slug(name) in there:
            continue
        preset = PRESETS[name.removeprefix(RANDOM)]
        random = name.startswith(RANDOM)
        is_extracted = encoder_slug(name) in extracted
        missing.append(
            MissingEncoder(
                name=name,
                state="not probed" if is_extracted else "not extracted",
                command=command_for("probe" if is_extracted else "run-all", dataset, name),
                licence="none (random weights)" if random else preset.licence,
                trained_on=_trained_on(name),
                layers=preset.layers,
                dim=preset.dim,
                cost=_cost(name),
            )
        )
    return missing
