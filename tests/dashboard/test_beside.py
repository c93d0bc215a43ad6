"""Two encoders are asked the same: what is left out of the one list is left out of the other."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.address.search import Search
from dashboard.sections.track_search import fit_to
from mess.search.layer_based_recommender import LayerBasedRecommender
from mess.storage.store import Store


def _recommend() -> None:
    from dashboard.pages.recommend import main

    main()


def test_the_other_list_follows_moves_and_what_is_left_out(
    demo_library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MESS_DATA", str(demo_library))
    recommender = LayerBasedRecommender("demo", "spectral", store=Store(demo_library))
    name = recommender.get_available_aspects()[0]
    page = AppTest.from_function(_recommend, default_timeout=60)
    page.session_state["dataset"], page.session_state["encoder"] = "demo", "spectral"
    asked = {"without": "work,composer", "per_composer": "1", "move": f"{name}:2", "n": "5"}
    for key, value in {"beside": "spectral", "track": recommender.track_ids[0], **asked}.items():
        page.query_params[key] = value
    page.run()
    assert not page.exception and not page.warning
    told = [one.value for one in page.caption if "in both lists" in one.value]
    both, of = re.findall(r"(\d+) of (\d+) recordings are in both lists", told[0])[0]
    assert int(of) > 0 and both == of


def test_what_another_encoder_cannot_be_asked_is_named(demo_library: Path) -> None:
    store = Store(demo_library)
    own = LayerBasedRecommender("demo", "spectral", store=store)
    known = own.get_available_aspects()
    strict = max(own.aspects[name].r2 or 0.0 for name in known)
    other = LayerBasedRecommender("demo", "spectral", store=store, threshold=strict)
    lost = [name for name in known if name not in other.get_available_aspects()]
    assert lost
    search = Search(query="a", weights=dict.fromkeys(known, 0.5), hold=(lost[0],), count=20)
    fitted, left = fit_to(other, search)
    assert left == lost
    assert fitted == replace(search, weights={n: 0.5 for n in known if n not in lost}, hold=())
