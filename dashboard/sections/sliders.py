"""Whether the sliders do what they say: what `mess evaluate` found."""

import streamlit as st

from dashboard import readers
from dashboard.address.controls import here
from dashboard.components.heatmap import draw_heatmap
from dashboard.components.table import show_table
from dashboard.figures.evaluation import (
    METHOD_NAMES,
    baselines_table,
    composition_table,
    controlled_table,
    faithfulness,
    faithfulness_table,
    matrix_heat,
)
from dashboard.sections.missing import offer, tell_stale
from mess.as_text import as_words, two_decimals
from mess.errors import ArtifactError

_PLAIN = {"displayModeBar": False}


def show_sliders(dataset: str, encoder: str) -> None:
    """Show faithfulness, leakage, the controlled experiment and same-work retrieval."""
    st.header("Do the sliders do what they say?")
    try:
        record = readers.evaluation(dataset, encoder)
    except ArtifactError as error:
        command = ["evaluate", "--dataset", dataset, "--encoder", encoder]
        offer(error, dataset=dataset, command=command, button="Evaluate the sliders")
        return
    why = readers.stale("evaluation", dataset, encoder, record.origin)
    command = ["evaluate", "--dataset", dataset, "--encoder", encoder]
    tell_stale("This evaluation", why, dataset=dataset, command=command, button="Evaluate again")
    st.markdown(
        "A slider is *faithful* if tracks that rank high are indeed alike in its target: the "
        f"correlation of rank and true difference over {record.settings.queries} queries, "
        "other works only, every prediction out of fold. The measured value is the ceiling, by "
        "construction."
    )
    means = [
        f"{METHOD_NAMES[name]} {two_decimals(one.mean)}"
        for name, one in record.faithfulness.by_method().items()
    ]
    st.plotly_chart(
        faithfulness(record),
        key="faithfulness",
        config=_PLAIN,
        alt=f"Faithfulness of each method by target. Means: {', '.join(means)}.",
    )
    st.caption(f"Means: {', '.join(means)}.")
    with st.expander("The same as a table"):
        show_table(faithfulness_table(record), width="stretch")
    st.markdown("**Without probes**: the same mean by what people compare hidden states with.")
    show_table(baselines_table(record.baselines))
    methods = list(record.leakage)
    here().choose("leakage", methods, key="leakage-method", usual=methods[0])
    method = st.selectbox(
        "How much each slider moves each target (1 wholly, 0 no more than chance)",
        methods,
        format_func=METHOD_NAMES.__getitem__,
        key="leakage-method",
    )
    found = record.leakage[method]
    if found.matrix:
        words = (
            f"Mean in a slider's own targets {two_decimals(found.diagonal)}, "
            f"in all others {two_decimals(found.off_diagonal)}."
        )
        draw_heatmap(
            matrix_heat(
                {as_words(slider): row for slider, row in found.matrix.items()},
                title="moved",
                corner="target",
            ),
            caption="How much a slider (row) moves a target (column)",
            key="leakage",
        )
        st.caption(words)
    if record.controlled:
        st.markdown(
            "**Recordings that differ in one thing**: the distance that a slider sees for each "
            "change, 1 as far as another work. It should see its own change and no other. "
            "*Own farthest*: how often the variant of its own change is the farthest one. *Its "
            "place*: of that variant, in the list of its base (0 % is the top)."
        )
        show_table(controlled_table(record.controlled), width="stretch")
    if any(found.composed for found in record.composition.values()):
        st.markdown(
            "**Two sliders at once**: one aspect is liked, another disliked. The table shows the "
            "true distance of the ten best in both, as a share of chance (0 equal, 1 chance), and "
            "how many queries have a best track of their own."
        )
        show_table(composition_table(record.composition), width="stretch")
        mix = ", ".join(
            f"{as_words(name)} {two_decimals(one)}"
            for name, one in record.composition["bounded"].mix.items()
        )
        st.caption(f"With one weight for all sliders, the mix correlates with each: {mix}.")
    for name, one in (record.same_work or {}).items():
        recall = ", ".join(f"recall@{k} {value:.2f}" for k, value in one.recall.items())
        st.caption(
            f"Other recordings of the same work by {name.replace('_', ' of ')}: MRR "
            f"{one.mrr:.2f}, {recall} ({one.queries} queries)."
        )
