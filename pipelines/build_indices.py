"""Build the index that recommendations are searched in.

python pipelines/build_indices.py --dataset smd --encoder mert-v1-95m
"""

import typer

from mess.search.index import normalise_layers, serialise_layer
from mess.store import Store
from pipelines.options import DatasetOption, EncoderOption, encoder_or_default, run_script


def build_index(*, dataset: str, encoder: str, store: Store | None = None) -> int:
    """Write one FAISS index a layer over the tracks of a dataset; return how many tracks.

    Raises
    ------
    ArtifactError
        If the features are missing or damaged.
    """
    store = store or Store()
    features = store.read_features(dataset, encoder)
    entries = store.features_manifest(dataset, encoder).done()
    vectors = normalise_layers(features.values)
    store.write_index(
        dataset,
        encoder,
        layers=[serialise_layer(vectors[:, layer]) for layer in range(vectors.shape[1])],
        record={
            "dataset": dataset,
            "encoder": features.manifest["encoder"],
            "features": features.manifest["fingerprint"],
            "tracks": features.tracks,
            "works": [entries[track]["work"] for track in features.tracks],
        },
    )
    return len(features.tracks)


def command(dataset: DatasetOption, encoder: EncoderOption = None) -> None:
    """Build the index that `mess recommend` searches."""
    encoder = encoder_or_default(encoder, dataset)
    n = build_index(dataset=dataset, encoder=encoder)
    typer.echo(f"index: {n} tracks of {dataset} by {encoder}")


if __name__ == "__main__":
    run_script(command)
