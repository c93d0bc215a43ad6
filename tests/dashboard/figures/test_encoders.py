"""What the comparison's figures, tables and sentences say."""

from dataclasses import replace

import pytest

from dashboard.figures.encoder_scores import CONTROL, score_heat
from dashboard.figures.encoder_tables import (
    cost_table,
    difference_table,
    in_words,
    score_table,
    whole_table,
)
from dashboard.figures.encoders import difference_plot, is_cut
from mess.probing.differences import Verdict
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
from mess.records.discovery import ProbeSettings
from mess.reports.finding import beside_others


def encoder(name: str, *r2: float | None, control_of: str | None = None) -> EncoderScores:
    scores = {
        target: TargetScore(
            r2=value,
            low=value - 0.1,
            high=value + 0.1,
            spearman=value,
            best=1,
            layers=[1, 2],
            beyond_mean=True,
        )
        for target, value in zip(("tempo", "register"), r2, strict=True)
        if value is not None
    }
    return EncoderScores(
        name=name,
        control_of=control_of,
        features="f",
        discovery="d",
        licence="MIT",
        trained_on="speech",
        layers=5,
        dim=384,
        layer_names=list("01234"),
        cost=1.5,
        bytes=2_500_000,
        faithfulness=None if control_of else SliderFaithfulness(probe=0.61, plain=0.3),
        mean_r2=0.5,
        r2=scores,
        seconds_per_minute=None if control_of else 0.25,
    )


def difference(value: float, verdict: Verdict, *, width: float = 0.1) -> TargetDifference:
    return TargetDifference(
        difference=value,
        low=value - width,
        high=value + width,
        p=0.001,
        p_holm=0.002,
        verdict=verdict,
    )


@pytest.fixture
def record() -> ComparisonRecord:
    return ComparisonRecord(
        dataset="d",
        code_version=2,
        chosen=False,
        settings=SharedSettings.of(ProbeSettings()),
        n=90,
        works=45,
        minutes=60.0,
        targets_fingerprint="t",
        targets=["tempo", "register"],
        encoders=[
            encoder("a<b>", 0.9, -0.2),
            encoder("random:a<b>", 0.4, None, control_of="a<b>"),
        ],
        pairs=[],
        missing=[
            MissingEncoder(
                name="mert",
                state="not extracted",
                command="mess run-all",
                licence="CC-BY-NC-4.0",
                trained_on="music",
                layers=13,
                dim=768,
                cost=10.9,
            )
        ],
    )


@pytest.fixture
def pair() -> EncoderPair:
    return EncoderPair(
        a="first",
        b="<i>second",
        mean=MeanDifference(
            difference=0.05, low=-0.05, high=0.15, p=0.001, verdict="not told apart"
        ),
        targets={
            "tempo": difference(0.3, "beats"),
            "register": difference(-0.4, "loses"),
            "attack": difference(0.05, "not told apart", width=9.0),
        },
    )


def test_the_heatmap_has_every_score_and_marks_controls(record: ComparisonRecord) -> None:
    heat = score_heat(record)
    assert heat.columns == ["a<b>", "random:a<b>"]
    assert [row.label for row in heat.rows] == ["mean of all targets", "tempo", "register"]
    assert [[cell.text for cell in row.cells] for row in heat.rows] == [
        ["0.50", "0.50"], ["0.90", "0.40"], ["-0.20", "–"],
    ]  # fmt: skip
    assert [cell.mark for cell in heat.rows[1].cells] == ["", CONTROL]
    best, control = heat.rows[1].cells
    assert best.said == "tempo, a<b>, R² 0.90 [0.80, 1.00], best layers 1, 2"
    assert control.said.endswith("a network with random weights")
    assert best.choice == ("a<b>", "tempo") and heat.rows[0].cells[0].choice is None
    assert heat.rows[2].strongest_said == "a<b>: R² -0.20"


def test_the_background_is_the_themes(pair: EncoderPair) -> None:
    figure = difference_plot(pair)
    assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0,0,0,0)"
    assert figure.layout.font.color is None


def test_differences_are_told_by_shape_colour_and_name(pair: EncoderPair) -> None:
    figure = difference_plot(pair)
    by_name = {trace.name: trace for trace in figure.data}
    assert set(by_name) == {"first is better", "&lt;i&gt;second is better", "not told apart"}
    assert len({trace.marker.symbol for trace in figure.data}) == 3
    assert len({trace.marker.color for trace in figure.data}) == 3
    better = by_name["first is better"]
    assert (better.x[0], figure.layout.yaxis.ticktext[better.y[0]]) == (0.3, "tempo")
    assert better.error_x.array[0] == pytest.approx(0.1)
    assert list(figure.layout.yaxis.ticktext) == ["register", "attack", "tempo"]
    low, high = figure.layout.xaxis.range
    assert low == -high and 0.4 < high < 2
    assert is_cut(pair)
    del pair.targets["attack"]
    assert not is_cut(pair)


def test_words_and_tables_say_what_the_figures_show(
    record: ComparisonRecord, pair: EncoderPair
) -> None:
    said = in_words(pair)
    assert said.startswith("better on 1 of 3 targets, worse on 1, not told apart on 1;")
    assert "on the whole not told apart (mean difference 0.05 [-0.05, 0.15])" in said
    table = difference_table(pair)
    assert table["target"].tolist() == ["register", "tempo", "attack"]
    assert table["verdict"].tolist() == ["loses", "beats", "not told apart"]
    scores = score_table(record)
    assert scores["a<b>"].tolist() == ["0.90 [0.80, 1.00] · 1, 2", "-0.20 [-0.30, -0.10] · 1, 2"]
    assert scores["random:a<b>"].tolist() == ["0.40 [0.30, 0.50] · 1, 2", "–"]


def test_costs_are_told_of_what_is_here_and_of_what_could_join(record: ComparisonRecord) -> None:
    table = cost_table(record).set_index("encoder")
    assert table["s per minute"].tolist() == ["0.25", "~1.5", "~11"]
    assert table["this dataset"].tolist() == ["15 s", "~90 s", "~11 min"]
    assert table["on disk"].tolist() == ["2.5 MB", "2.5 MB", "–"]
    assert table.loc["mert", "licence"] == "CC-BY-NC-4.0"
    assert table["state"].tolist() == ["compared", "compared", "not extracted"]
    assert whole_table(record)["faithful sliders"].tolist() == ["0.61", "–"]


def test_what_an_encoder_hears_better_and_worse_than_others_is_said_in_a_sentence(
    record: ComparisonRecord, pair: EncoderPair
) -> None:
    own, control = record.encoders
    third, of_third = encoder("c", 0.5, 0.3), encoder("random:c", 0.1, 0.1, control_of="c")
    apart = {"tempo": difference(0.4, "beats"), "register": difference(-0.5, "loses")}
    same = {name: difference(0.1, "not told apart") for name in apart}
    known = replace(
        record,
        encoders=[own, control, third, of_third],
        pairs=[
            replace(pair, a=own.name, b=control.name, targets=same),
            replace(pair, a="c", b=own.name, targets={n: d.turned() for n, d in apart.items()}),
            replace(pair, a=own.name, b=of_third.name, targets=apart),
            replace(pair, a="c", b=of_third.name, targets={"tempo": apart["tempo"]} | same),
            replace(pair, a="c", b=control.name, targets=same),
        ],
    )
    assert beside_others(known, own.name) == [
        "a<b> hears tempo (R² 0.90 against 0.50) better, and register (R² -0.20 against 0.30) "
        "worse than c.",
        "a<b> and its own network with random weights cannot be told apart on any of 2 targets.",
    ]
    assert (
        beside_others(known, "nobody") == beside_others(replace(known, encoders=[own]), "c") == []
    )
