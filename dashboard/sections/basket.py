"""The basket: what a person keeps on any page, written at once."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import streamlit as st

from dashboard import exports, readers
from dashboard.address.browser import link
from dashboard.address.controls import here
from dashboard.components.hits import Hit, draw_hits
from dashboard.components.player import Sound, track_sound
from dashboard.components.text import plain
from dashboard.readers import TrackInfo, store
from dashboard.sections.list_exports import draw_exports
from mess.as_json import as_json
from mess.baskets import SUFFIXES, join_tags, make_item, read_basket
from mess.errors import MessError
from mess.records.basket import KINDS, LONGEST_NOTE, BasketItem, BasketRecord, Kept

KEY = "basket"
AT_ONCE = 20  # recordings that are drawn together
_WORDS: Mapping[Kept, str] = {"found": "found", "like": "liked", "unlike": "unlike"}
_EXAMPLES = 20  # of each kind that a search takes


def kept_tracks(dataset: str) -> set[str]:
    """Return the tracks that are in the basket; none where it cannot be read."""
    try:
        return {item.track for item in store().baskets.read(dataset).items}
    except MessError:
        return set()  # the page Basket says why


def keep(dataset: str, track: str, kept: Kept) -> None:
    """Put a track into the basket."""
    item = replace(make_item(track, kept=kept), added=time.time())
    _change(dataset, lambda basket: basket.put(item))


def keep_all(dataset: str, tracks: Sequence[str]) -> None:
    """Put several tracks into the basket."""
    now = time.time()
    items = [replace(make_item(track), added=now) for track in tracks]
    _change(dataset, lambda basket: basket.put(*items))


def toggle(dataset: str, track: str) -> None:
    """Put a track into the basket, or take it out."""
    if track in kept_tracks(dataset):
        _change(dataset, lambda basket: basket.drop(track))
    else:
        keep(dataset, track, "found")


def _change(dataset: str, alter: Callable[[BasketRecord], BasketRecord]) -> None:
    try:
        store().baskets.change(dataset, alter)
    except (MessError, OSError) as error:
        st.toast(plain(readers.told(error)), icon="⚠️", duration="long")


def draw_basket(
    basket: BasketRecord, tracks: Mapping[str, TrackInfo], *, dataset: str, encoder: str
) -> None:
    """Draw what is kept: sounds in a row, tags and notes, and what can be done with all of it."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.caption(_count(basket), width="stretch")
        draw_exports(
            name=f"basket-{dataset}",
            csv=lambda: exports.basket_as_csv(basket, tracks),
            json=lambda: as_json(basket, indent=1).decode(),
            m3u8=lambda: exports.as_m3u8(
                tracks[item.track] for item in basket.items if item.track in tracks
            ),
            parameters={"dataset": [dataset], "encoder": [encoder]},
            key=KEY,
        )
    if address := _search(basket, tracks, dataset=dataset, encoder=encoder):
        st.markdown(f"[Recommend what is like these, and unlike those]({address})")
    pages = -(-len(basket.items) // AT_ONCE)
    page = 1
    if pages > 1:
        here().choose("part", range(1, pages + 1), key=f"{KEY}-part", usual=1)
        page = int(st.number_input(f"Part, 1 to {pages}", 1, pages, key=f"{KEY}-part"))
    shown = basket.items[(page - 1) * AT_ONCE : page * AT_ONCE]
    edited = basket.get("".join(here().value("edit")[-1:]))
    if edited is not None:
        _draw_form(edited, tracks, dataset=dataset)
    st.header("What you kept", anchor=False)
    draw_hits(
        [
            Hit(
                id=item.track,
                label=tracks[item.track].label if item.track in tracks else item.track,
                score=_WORDS[item.kept],
                about=_describe(item, item.track in tracks),
                sound=track_sound(tracks[item.track], dataset=dataset, encoder=encoder)
                if item.track in tracks
                else Sound(dataset=dataset, encoder=encoder, track=item.track, label=item.track),
            )
            for item in shown
        ],
        key=f"{KEY}-list",
        action="Tags, note …",
        on_action=_edit,
        row=True,
    )


def _edit(track: str) -> None:
    here().keep("edit", [track])


def _draw_form(item: BasketItem, tracks: Mapping[str, TrackInfo], *, dataset: str) -> None:
    """Draw what can be said of one recording; its fields are of this recording alone."""
    label = tracks[item.track].label if item.track in tracks else item.track
    with st.form(f"{KEY}-form"):
        st.markdown(f"**{plain(label)}**")
        kept = st.segmented_control(
            "Kept as",
            KINDS,
            default=item.kept,
            format_func=_WORDS.__getitem__,
            key=f"{KEY}-kept-{item.track}",
        )
        tags = st.text_input(
            "Tags, with semicolons between", join_tags(item.tags), key=f"{KEY}-tags-{item.track}"
        )
        note = st.text_area(
            "Note", item.note, max_chars=LONGEST_NOTE, key=f"{KEY}-note-{item.track}"
        )
        with st.container(horizontal=True):
            saved = st.form_submit_button("Save", type="primary")
            removed = st.form_submit_button("Remove from the basket")
            closed = st.form_submit_button("Close")
    if not (saved or removed or closed):
        return
    if saved:
        changed = replace(
            make_item(item.track, kept=kept or item.kept, tags=tags, note=note), added=item.added
        )
        _change(dataset, lambda basket: basket.change(changed))
    elif removed:
        _change(dataset, lambda basket: basket.drop(item.track))
    here().keep("edit", [])
    st.rerun()


def draw_import(tracks: Mapping[str, TrackInfo], *, dataset: str) -> None:
    """Draw the field that takes a file, and say what became of its recordings."""
    number = st.session_state.setdefault(f"{KEY}-imports", 0)  # a new key is an empty field
    file = st.file_uploader(
        "Import a CSV, JSON or M3U8 file", SUFFIXES, key=f"{KEY}-import-{number}"
    )
    if file is not None:
        known = {track: info.file for track, info in tracks.items()}
        try:
            found = read_basket(file.name, file.getvalue(), known=known)
            st.session_state[f"{KEY}-told"] = _take(dataset, found.items, found.missing)
        except (MessError, OSError) as error:
            st.session_state[f"{KEY}-told"] = readers.told(error)
        st.session_state[f"{KEY}-imports"] += 1
        st.rerun()
    if told := st.session_state.pop(f"{KEY}-told", None):
        st.info(plain(told))


def _take(dataset: str, items: list[BasketItem], missing: list[str]) -> str:
    """Put items into the basket, and say what became of them."""
    now, before = time.time(), kept_tracks(dataset)
    added = [replace(item, added=now) for item in items]
    store().baskets.change(dataset, lambda basket: basket.put(*added))
    new = sum(item.track not in before for item in items)
    told = f"{new} new in the basket"
    if len(items) > new:
        told += f", {len(items) - new} were there"
    if missing:
        names = ", ".join(one[:80] for one in missing[:3])
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        told += f"; not in this dataset: {names}{more}"
    return f"{told}."


def _count(basket: BasketRecord) -> str:
    parts = [f"{count} {_WORDS[kind]}" for kind in KINDS if (count := len(basket.tracks(kind)))]
    return ", ".join(parts)


def _describe(item: BasketItem, known: bool) -> str:
    """Return what is said of a recording."""
    parts = [item.track, join_tags(item.tags), item.note]
    if not known:
        parts.append("it can be heard as soon as it has features by this encoder")
    return " · ".join(filter(None, parts))


def _search(
    basket: BasketRecord, tracks: Mapping[str, TrackInfo], *, dataset: str, encoder: str
) -> str:
    """Return the address of a search by what is liked and unlike; "" where nothing is liked."""
    liked, unlike = (
        [track for track in basket.tracks(kind) if track in tracks][:_EXAMPLES]
        for kind in ("like", "unlike")
    )
    if not liked:
        return ""
    asked = {"dataset": [dataset], "encoder": [encoder], "track": liked[:1]}
    return f"recommend{link({**asked, 'like': liked[1:], 'unlike': unlike})}"
