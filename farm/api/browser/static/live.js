// News of the farm: one connection for the page, and plain asking where that does not hold.

const ASK_EVERY_MS = 5000;
const HIDDEN_MS = 30_000; // a browser has six connections to a server: tabs that nobody sees need none
const ASK_HIDDEN_MS = 15_000;

/**
 * Call `onJob` with each JobInfo that the farm tells of; of one job, or of all.
 * Call `onPictures` with the newest pictures of the job, as they come.
 */
export function listen(onJob, job = "", onPictures = null) {
  const feed = { onJob, job, onPictures, last: "", source: null, asking: 0, resting: false };
  let leaving = 0;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(leaving);
    if (document.hidden) leaving = setTimeout(() => rest(feed), HIDDEN_MS);
    else if (feed.resting) connect(feed);
  });
  connect(feed);
}

function connect(feed) {
  const asked = new URLSearchParams();
  if (feed.job) asked.set("job", feed.job);
  if (feed.onPictures) asked.set("pictures", "true");
  if (feed.last) asked.set("since", feed.last);
  feed.resting = false;
  feed.source = new EventSource(`/v1/events?${asked}`);
  feed.source.addEventListener("job", (event) => {
    feed.last = event.lastEventId;
    feed.onJob(JSON.parse(event.data));
  });
  feed.source.addEventListener("pictures", (event) => feed.onPictures(JSON.parse(event.data)));
  feed.source.onopen = () => {
    askEvery(feed, 0);
    lost(false);
  };
  feed.source.onerror = () => {
    lost(true);
    if (!feed.asking) askEvery(feed, ASK_EVERY_MS);
  };
}

function rest(feed) {
  feed.source.close();
  feed.resting = true;
  askEvery(feed, ASK_HIDDEN_MS);
}

function askEvery(feed, milliseconds) {
  clearInterval(feed.asking);
  feed.asking = milliseconds ? setInterval(() => ask(feed), milliseconds) : 0;
}

async function ask({ onJob, job, source, resting }) {
  try {
    const answer = await fetch(job ? `/v1/jobs/${job}` : "/v1/jobs?limit=100");
    if (answer.status === 401) location.reload();
    if (!answer.ok) return;
    const told = await answer.json();
    for (const each of job ? [told] : told.items) onJob(each);
    if (resting || source.readyState !== EventSource.CLOSED) return;
    location.reload(); // it was refused: a reload says why
  } catch { /* the server is away; the next try tells */ }
}

function lost(is) {
  const shown = document.querySelector("[data-lost]");
  if (shown) shown.hidden = !is;
}

/** Say in the browser's tab how what the page shows stands: in its title, and by its icon. */
export function showTab(title, tone) {
  if (document.title !== title) document.title = title;
  const icon = document.querySelector("link[rel=icon]");
  const place = icon?.dataset[tone];
  if (place && icon.getAttribute("href") !== place) icon.href = place;
}

/** Put text into an element, if it is there and says something else. */
export function say(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

const UNITS = [[86400, "d", 3600, "h"], [3600, "h", 60, "min"], [60, "min", 1, "s"]];

/** Return seconds as people write them: `3 min 20 s`. */
export function duration(seconds) {
  const whole = Math.round(seconds);
  for (const [size, unit, part, small] of UNITS) {
    if (whole >= size) {
      return `${Math.floor(whole / size)} ${unit} ${Math.floor((whole % size) / part)} ${small}`;
    }
  }
  return `${whole} s`;
}

const BARS = ["done", "running", "failed", "set aside", "left out", "cancelled"];

/** Draw how many tasks of a job are in which state. */
export function drawBar(holder, job, words) {
  const bar = holder?.querySelector(".bar");
  const svg = bar?.querySelector("svg");
  if (!svg) return;
  let x = 0;
  const parts = BARS.filter((state) => job.counts[state]).map((state) => {
    const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    const width = (100 * job.counts[state]) / Math.max(job.tasks, 1);
    for (const [name, value] of Object.entries({ x, y: 0, width, height: 10 })) {
      rect.setAttribute(name, value);
    }
    rect.setAttribute("class", state.replace(" ", "-"));
    x += width;
    return rect;
  });
  svg.replaceChildren(...parts);
  bar.setAttribute("aria-label", words);
}

export function percent(job) {
  return job.views ? Math.floor((100 * job.views_done) / job.views) : 0;
}

/** Write moments in the reader's own time. */
export function showTimes() {
  for (const element of document.querySelectorAll("time[data-time]")) {
    const moment = new Date(1000 * Number(element.dataset.time));
    element.dateTime = moment.toISOString();
    element.textContent = moment.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  }
}
