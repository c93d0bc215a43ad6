// Which curves the lanes show stands in the address, too: `lane=CURVE,BY,BY` for all lanes of a page,
// and with `,TRACK@START` for one of those to which the page gives a curve of its own. The browser
// alone keeps this; the server passes over it (`dashboard/address/browser.py`).
const LANE = "lane";

function readLanes() {
  const found = new Map();
  for (const text of new URLSearchParams(location.search).getAll(LANE)) {
    const [curve, first = "none", second = "none", ...whose] = text.split(",");
    found.set(whose.join(","), { curve, by: [first, second], linked: true });
  }
  window.messLanes = found;
  window.messLanesAt = location.pathname;
}

if (!window.messLanes) {
  readLanes();
  addEventListener("popstate", readLanes);
}

// Another page has other lanes; what holds for all goes along.
function leaveLanes() {
  if (window.messLanesAt === location.pathname) return;
  window.messLanesAt = location.pathname;
  for (const whose of window.messLanes.keys()) if (whose) window.messLanes.delete(whose);
}

function withLanes(search) {
  const rest = search.replace(/^\?/, "").split("&").filter((one) => one && !one.startsWith(`${LANE}=`));
  for (const [whose, { curve, by }] of window.messLanes) {
    const text = encodeURIComponent([curve, ...by, ...(whose ? [whose] : [])].join(","));
    rest.push(`${LANE}=${text.replaceAll("%2C", ",").replaceAll("%3A", ":").replaceAll("%40", "@")}`);
  }
  return rest.length ? `?${rest.join("&")}` : "";
}

// Keeps what was chosen in a lane, or forgets it.
function keepLane(whose, choice) {
  if (choice) window.messLanes.set(whose, choice);
  else window.messLanes.delete(whose);
  history.replaceState(history.state, "", location.pathname + withLanes(location.search));
}
