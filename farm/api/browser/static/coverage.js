// What the views of a job cover: a dome of cameras, sizes of boxes, bars of what was counted.

const SVG = "http://www.w3.org/2000/svg";
const BARS = 12;

/** Show what a job covers in `place`. */
export class Coverage {
  constructor(place, job) {
    this.place = place;
    this.job = job;
    this.waiting = 0;
  }

  /** Look again, at most every five seconds. */
  refresh() {
    if (this.waiting) return;
    this.waiting = setTimeout(() => { this.waiting = 0; }, 5000);
    this.load();
  }

  async load() {
    const answer = await fetch(`/v1/datasets/${this.job}/coverage`).catch(() => null);
    if (!answer?.ok) return;
    const { views, looked_at: looked, stats } = await answer.json();
    if (!looked) return;
    const parts = [
      card("Sides from which objects are seen", dome(stats.dome)),
      card("Boxes: width across, height down", heat(stats.size)),
      card("Share of the picture that is covered", histogram(stats.coverage)),
      card("Objects by class", bars(stats.categories)),
      ...Object.entries(stats.facets).map(([name, words]) => card(name, bars(words))),
      ...byRole(stats.assets).map(([role, counts]) => card(`Views by asset: ${role}`, bars(counts))),
    ];
    const told = document.createElement("p");
    told.className = "quiet";
    told.textContent = looked < views
      ? `Counted on ${looked.toLocaleString("en")} of ${views.toLocaleString("en")} views.`
      : `Counted on all ${looked.toLocaleString("en")} views.`;
    this.place.replaceChildren(...parts, told);
  }
}

function byRole(assets) {
  const found = new Map();
  for (const asset of assets) {
    if (!found.has(asset.role)) found.set(asset.role, {});
    found.get(asset.role)[asset.name] = asset.views;
  }
  return [...found];
}

function card(title, content) {
  const made = document.createElement("figure");
  made.className = "panel";
  const words = document.createElement("figcaption");
  words.textContent = title;
  made.append(words, content);
  return made;
}

function drawing(width, height, label) {
  const made = document.createElementNS(SVG, "svg");
  made.setAttribute("viewBox", `0 0 ${width} ${height}`);
  made.setAttribute("role", "img");
  made.setAttribute("aria-label", label);
  return made;
}

function shape(kind, attributes, words) {
  const made = document.createElementNS(SVG, kind);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (words) {
    const title = document.createElementNS(SVG, "title");
    title.textContent = words;
    made.append(title);
  }
  return made;
}

function shade(count, most) {
  return count ? 0.15 + 0.85 * Math.sqrt(count / most) : 0.05;
}

/** The dome from above: rings of pitch, the zenith in the middle; holes stay pale. */
function dome(rows) {
  const rings = rows.length;
  const most = Math.max(1, ...rows.flat());
  const holes = rows.flat().filter((count) => !count).length;
  const made = drawing(200, 200, `${holes} of ${rows.flat().length} directions are empty`);
  rows.forEach((row, ring) => {
    const outer = 96 * (1 - ring / rings);
    const inner = 96 * (1 - (ring + 1) / rings);
    row.forEach((count, at) => {
      const [from, to] = [at, at + 1].map((step) => (2 * Math.PI * step) / row.length);
      const spot = (radius, turn) =>
        `${100 + radius * Math.sin(turn)} ${100 - radius * Math.cos(turn)}`;
      const d = `M${spot(outer, from)}A${outer} ${outer} 0 0 1 ${spot(outer, to)}L${spot(inner, to)}A${inner} ${inner} 0 0 0 ${spot(inner, from)}Z`;
      const side = (360 / row.length) * at;
      const words = `yaw ${side}°, pitch ${(90 / rings) * ring}°: ${count}`;
      made.append(shape("path", { d, class: "cell", "fill-opacity": shade(count, most) }, words));
    });
  });
  return made;
}

function heat(rows) {
  const most = Math.max(1, ...rows.flat());
  const made = drawing(rows[0].length, rows.length, "sizes of boxes");
  rows.forEach((row, y) => row.forEach((count, x) => {
    const at = { x, y, width: 1, height: 1, class: "cell", "fill-opacity": shade(count, most) };
    made.append(shape("rect", at, String(count)));
  }));
  return made;
}

function histogram({ counts, low, high }) {
  const most = Math.max(1, ...counts);
  const made = drawing(counts.length, 16, `from ${low} to ${high}`);
  counts.forEach((count, at) => {
    const height = (15 * count) / most;
    made.append(shape("rect", { x: at, y: 16 - height, width: 0.9, height, class: "cell" }, String(count)));
  });
  return made;
}

function bars(counts) {
  const all = Object.entries(counts).sort((one, two) => two[1] - one[1]);
  const most = Math.max(1, ...all.map(([, count]) => count));
  const made = document.createElement("dl");
  made.className = "bars";
  for (const [name, count] of all.slice(0, BARS)) {
    const word = document.createElement("dt");
    word.textContent = name;
    const value = document.createElement("dd");
    const bar = document.createElement("meter");
    bar.max = most;
    bar.value = count;
    bar.setAttribute("aria-label", name);
    value.append(bar, ` ${count.toLocaleString("en")}`);
    made.append(word, value);
  }
  if (all.length > BARS) {
    const word = document.createElement("dt");
    word.textContent = `and ${(all.length - BARS).toLocaleString("en")} more`;
    made.append(word);
  }
  return made;
}
