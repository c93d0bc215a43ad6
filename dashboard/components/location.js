// Keeps the browser's address as the page is. Streamlit's own way makes an entry in the history of
// every move of a slider, and one more on arrival, past which nobody gets back.
function sorted(search) {
  const names = new URLSearchParams(search);
  names.sort();
  return String(names);
}

export default function ({ data: [data] }) {
  const { page, search, push, mark, carried, seen, written } = data;
  if (written <= (window.messAddressWritten ?? 0)) return; // each is followed once
  window.messAddressWritten = written;
  if (!location.pathname.endsWith(page)) return;
  for (const each of document.querySelectorAll("[data-testid=stSidebarNavLink]"))
    each.href = new URL(carried, each.href).href; // for a click that opens another tab
  if (location.search === search) return;
  // Whoever has gone back meanwhile is left alone: the page hears of it, and writes again.
  if (sorted(location.search) !== sorted(seen) && location.search !== window.messAddressSet) return;
  window.messAddressSet = search;
  const address = location.pathname + search;
  if (push) {
    // The server tells "back" by this mark from a message that was on its way.
    const left = new URL(location.href);
    left.searchParams.set(mark, "1");
    history.replaceState(history.state, "", left);
    history.pushState({}, "", address);
  } else history.replaceState(history.state, "", address);
}
