// Shows what is to be seen until Streamlit has drawn the page, then takes it away. A heatmap that the
// page draws takes it away, too: `heatmap.js`.
const view = document.getElementById("first-view");
const app = document.getElementById("root");
// Milliseconds: a component is drawn a little after the script has ended; where nothing comes at all,
// Streamlit may say why.
const AFTER_SCRIPT = 1000, LONGEST = 30_000;
let ran = false;

function end() {
  ran = true; // a short run may have been over before it was seen
  watching.disconnect();
  view.remove();
}

// The page is there with its title; where a heatmap is shown here, with its own.
function look() {
  const state = app.querySelector("[data-testid=stApp]")?.dataset.testScriptState;
  ran ||= state === "running";
  const titled = app.querySelector("[data-testid=stMain] h1");
  if (!view.isConnected || (titled && !view.querySelector(".heatmap"))) end();
  else if (ran && state === "notRunning") setTimeout(end, AFTER_SCRIPT);
}

async function drawHeatmap() {
  const answer = await fetch(`first-view${location.search}`).catch(() => null);
  const { table } = answer?.ok ? await answer.json() : {};
  if (table && view.isConnected) new Heatmap(view.lastElementChild).show({ table }, () => {});
}

const watching = new MutationObserver(look);
watching.observe(app, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-test-script-state"] });
setTimeout(end, LONGEST);
// Streamlit hears of no "back" before its first run, and forgets one while the server is away: what
// "back" leads to is loaded anew, as soon as there is somebody to ask.
const isThere = () => app.querySelector("[data-testid=stApp]")?.dataset.testConnectionState === "CONNECTED";
let waiting = 0;
addEventListener("popstate", () => {
  if (!ran) location.reload();
  else if (!isThere()) {
    clearInterval(waiting);
    waiting = setInterval(() => isThere() && location.reload(), 300);
  }
});
// Streamlit keeps the chosen theme of each page, with the version of how it keeps it.
const chosen = Object.entries(localStorage).find(([name]) => name.startsWith(`stActiveTheme-${location.pathname}-`));
view.style.colorScheme = { '"Light"': "light", '"Dark"': "dark" }[chosen?.[1]] ?? "";
if (typeof Heatmap !== "undefined") drawHeatmap();
