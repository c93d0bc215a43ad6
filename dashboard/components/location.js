// Keeps the browser's address as the page is. Streamlit's own way makes an entry in the history of
// every move of a slider, and one more on arrival, past which nobody gets back.
export default function ({ data }) {
  const { page, search, push } = data;
  if (!location.pathname.endsWith(page) || location.search === search) return;
  const address = location.pathname + search;
  if (push) history.pushState({}, "", address);
  else history.replaceState({}, "", address);
}
