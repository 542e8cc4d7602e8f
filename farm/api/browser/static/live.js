// News of the farm: one connection for the page, and plain asking where that does not hold.

const ASK_EVERY_MS = 5000;

/** Call `onJob` with each JobInfo that the farm tells of; of one job, or of all. */
export function listen(onJob, job = "") {
  const query = job ? `?job=${encodeURIComponent(job)}` : "";
  const source = new EventSource(`/v1/events${query}`);
  let asking = 0;
  source.addEventListener("job", (event) => onJob(JSON.parse(event.data)));
  source.onopen = () => {
    clearInterval(asking);
    asking = 0;
    lost(false);
  };
  source.onerror = () => {
    lost(true);
    if (!asking) asking = setInterval(() => ask(onJob, job, source), ASK_EVERY_MS);
  };
}

async function ask(onJob, job, source) {
  try {
    const answer = await fetch(job ? `/v1/jobs/${job}` : "/v1/jobs?limit=100");
    if (answer.status === 401) location.reload();
    if (!answer.ok) return;
    const told = await answer.json();
    for (const each of job ? [told] : told.items) onJob(each);
    if (source.readyState !== EventSource.CLOSED) return;
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
