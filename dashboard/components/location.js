// Keeps the browser's address as the page is. Streamlit's own way makes an entry in the history of
// every move of a slider, and one more on arrival, past which nobody gets back.
function sorted(search) {
  const names = new URLSearchParams(search);
  names.delete(LANE);
  names.sort();
  return String(names);
}

// Streamlit makes an entry of its own when the server opens another page: with the address that is
// there already, in another spelling. "Back" would need one press more.
if (!window.messHistory) {
  window.messHistory = true;
  const push = history.pushState;
  history.pushState = function (state, title, url) {
    const next = new URL(url ?? location.href, location.href);
    const same = next.pathname === location.pathname && sorted(next.search) === sorted(location.search);
    if (same) history.replaceState(state, title, url);
    else push.call(history, state, title, url);
  };
}

export default function ({ data: [data] }) {
  const { page, search, push, mark, carried, seen, written } = data;
  if (written <= (window.messAddressWritten ?? 0)) return; // each is followed once
  window.messAddressWritten = written;
  if (!location.pathname.endsWith(page)) return;
  for (const each of document.querySelectorAll("[data-testid=stSidebarNavLink]"))
    each.href = new URL(carried, each.href).href; // for a click that opens another tab
  leaveLanes();
  const whole = withLanes(search);
  if (location.search === whole) return;
  // Whoever has gone back meanwhile is left alone: the page hears of it, and writes again.
  const now = sorted(location.search);
  if (now !== sorted(seen) && now !== window.messAddressSet) return;
  window.messAddressSet = sorted(search);
  const address = location.pathname + whole;
  if (push) {
    // The server tells "back" by this mark from a message that was on its way.
    const left = new URL(location.href);
    left.searchParams.set(mark, "1");
    history.replaceState(history.state, "", left);
    history.pushState({}, "", address);
  } else history.replaceState(history.state, "", address);
}
