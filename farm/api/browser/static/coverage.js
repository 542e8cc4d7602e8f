// What the views of a job cover against what it asks for: a dome of cameras, sizes, bars.
// What is pressed is looked for in the gallery; of what is missing, a command makes more.

import { sideWords, sizeWords } from "./filters.js";

const SVG = "http://www.w3.org/2000/svg";
const BARS = 12;
const AGAIN_MS = 5000;
const STEPS = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

/** Show what a job covers in `place`; `onCounted` is called with it. */
export class Coverage {
  constructor(place, job, filters) {
    this.place = place;
    this.job = job;
    this.filters = filters;
    this.waiting = 0;
    this.views = 0;
    this.told = "";
    this.opened = new Set();
  }

  /** Look again, at most every five seconds; what comes meanwhile is looked at then.
   * The farm counts now and then: while it has not counted all finished `views`, it is asked again. */
  refresh(views = this.views) {
    this.views = views;
    if (this.waiting) {
      this.isMissed = true;
      return;
    }
    this.waiting = setTimeout(() => {
      this.waiting = 0;
      if (this.isMissed) this.refresh();
    }, AGAIN_MS);
    this.isMissed = false;
    this.load();
  }

  async load() {
    const answer = await fetch(`/v1/datasets/${this.job}/coverage`).catch(() => null);
    if (!answer || answer.status >= 500) this.refresh();
    if (!answer?.ok) return;
    const found = await answer.text();
    const told = JSON.parse(found);
    if (told.views < this.views) this.refresh();
    if (found === this.told || this.place.contains(document.activeElement)) return;
    this.told = found;
    if (!told.looked_at) return;
    this.filters.fill(told);
    this.draw(told);
  }

  draw(told) {
    const { stats, asked, visible } = told;
    const parts = [
      this.card("Sides from which objects are seen", (words) => this.dome(stats.dome, told, words)),
      this.card("Boxes: width across, height down", (words) => this.heat(stats.size, words)),
      this.card("Share of the picture that is covered", (words) => histogram(stats.coverage, words)),
    ];
    if (visible.mean !== null) {
      parts.push(this.card("Part of objects that nothing hides", (words) => histogram(visible, words)));
    }
    parts.push(this.bars("Objects by class", stats.categories, asked.categories, told, (category) => ({ category })));
    for (const [name, words] of Object.entries(stats.facets)) {
      parts.push(this.bars(name, words, {}, told, (word) => ({ facet: `${name}=${word}` })));
    }
    for (const [role, counts] of byRole(stats.assets)) {
      const targets = byRole(asked.assets).get(role) ?? {};
      parts.push(this.bars(`Views by asset: ${role}`, counts, targets, told, (asset) => ({ asset })));
    }
    this.place.replaceChildren(...parts, summary(told));
  }

  card(title, fill) {
    const made = document.createElement("figure");
    made.className = "panel";
    const words = document.createElement("figcaption");
    words.textContent = title;
    const told = document.createElement("p");
    told.className = "quiet spoken";
    told.setAttribute("role", "status");
    made.append(words, fill(told), told);
    return made;
  }

  /** Bars against what is asked for; the names are looked for when they are pressed. */
  bars(title, counts, targets, told, wish) {
    const scale = told.looked_at ? told.views / told.looked_at : 1;
    const names = new Set([...Object.keys(targets), ...Object.keys(counts)]);
    const all = [...names].map((name) => ({
      name, count: Math.round((counts[name] ?? 0) * scale), target: targets[name] ?? 0,
    })).sort((one, two) => two.target - one.target || two.count - one.count);
    const most = Math.max(1, ...all.flatMap(({ count, target }) => [count, target]));
    return this.card(title, (words) => {
      const made = document.createElement("dl");
      made.className = "bars";
      const shown = this.opened.has(title) ? all : all.slice(0, BARS);
      for (const each of shown) made.append(...this.bar(each, most, wish));
      if (all.length > shown.length) {
        const rest = button(`and ${(all.length - shown.length).toLocaleString("en")} more`, () => {
          this.opened.add(title);
          this.draw(told);
        });
        made.append(rest);
      }
      if (scale > 1.001) words.textContent = "About, from the views that were counted.";
      return made;
    });
  }

  bar({ name, count, target }, most, wish) {
    const word = document.createElement("dt");
    word.append(button(name, () => this.filters.set(wish(name)), `Look for ${name}`));
    const value = document.createElement("dd");
    const meter = document.createElement("meter");
    meter.max = target || most;
    meter.value = Math.min(count, meter.max);
    meter.setAttribute("aria-label", name);
    const number = count.toLocaleString("en");
    value.append(meter, target ? ` ${number} of ${target.toLocaleString("en")}` : ` ${number}`);
    return [word, value];
  }

  /** The dome from above: rings of pitch, the zenith in the middle; what is missing has a rim. */
  dome(rows, told, words) {
    const asked = told.asked.dome;
    const holes = rows.flatMap((row, at) => row.filter((count, column) => !count && (!asked || asked[at][column]))).length;
    const total = (asked ?? rows).flat().filter((count) => !asked || count).length;
    const label = asked
      ? `${holes} of ${total} directions that are asked for are empty`
      : `${holes} of ${total} directions are empty`;
    words.textContent = `${label}.`;
    const made = drawing(200, 200, `${label}; arrow keys move, Enter looks for views`);
    const most = Math.max(1, ...rows.flat());
    const cells = rows.map((row, ring) => row.map((count, at) => {
      const target = asked?.[ring][at] ?? null;
      const cell = shape("path", {
        d: sector(ring, at, rows.length, row.length), "fill-opacity": shade(count, most),
        class: count || target === 0 || target === null ? "cell" : "cell hole",
      });
      made.append(cell);
      return { cell, tell: () => { words.textContent = sideTold(`${ring},${at}`, count, target); } };
    }));
    this.pressable(made, cells, words, (ring, at) => {
      if (rows[ring][at]) this.filters.set({ side: `${ring},${at}` });
      else this.command(words, `${ring},${at}`, asked?.[ring][at] ?? null, told);
    });
    return made;
  }

  heat(rows, words) {
    const most = Math.max(1, ...rows.flat());
    const made = drawing(rows[0].length, rows.length, "sizes of boxes; arrow keys move, Enter looks for views");
    const cells = rows.map((row, y) => row.map((count, x) => {
      const cell = shape("rect", { x, y, width: 1, height: 1, class: "cell", "fill-opacity": shade(count, most) });
      made.append(cell);
      return { cell, tell: () => { words.textContent = `${sizeWords(`${y},${x}`)}: ${count.toLocaleString("en")}`; } };
    }));
    this.pressable(made, cells, words, (y, x) => rows[y][x] && this.filters.set({ size: `${y},${x}` }));
    return made;
  }

  /** Let the cells of a drawing be pointed at and pressed, by the keyboard, too. */
  pressable(made, cells, words, press) {
    let place = [0, 0];
    made.setAttribute("tabindex", "0");
    const choose = (row, column) => {
      cells[place[0]][place[1]].cell.classList.remove("chosen");
      place = [row, column];
      cells[row][column].cell.classList.add("chosen");
      cells[row][column].tell();
    };
    cells.forEach((row, at) => row.forEach(({ cell, tell }, column) => {
      cell.addEventListener("mouseenter", tell);
      cell.addEventListener("click", () => { choose(at, column); press(at, column); });
    }));
    made.addEventListener("keydown", (event) => {
      if (event.key === "Enter") press(...place);
      const step = STEPS[event.key];
      if (!step) return;
      event.preventDefault();
      const [rows, columns] = [cells.length, cells[0].length];
      choose((place[0] + step[0] + rows) % rows, (place[1] + step[1] + columns) % columns);
    });
  }

  /** Say what fills a direction from which nothing is seen. */
  command(words, cell, target, { asked }) {
    const coming = target ? `${target.toLocaleString("en")} will be rendered from ${sideWords(cell)}.` : `No view is asked for from ${sideWords(cell)}.`;
    words.textContent = asked.more ? `${coming} More views, here as elsewhere: ` : coming;
    if (!asked.more) return;
    const code = document.createElement("code");
    code.textContent = `farm submit SPEC.yaml ${asked.more}`;
    words.append(code);
  }
}

function summary({ looked_at: looked, views, asked, sequences }) {
  const told = document.createElement("p");
  told.className = "quiet";
  const number = (count) => count.toLocaleString("en");
  const counted = looked < views
    ? `Counted on ${number(looked)} of ${number(views)} views`
    : `Counted on all ${number(looked)} views`;
  const of = asked.views > views ? `; ${number(asked.views)} are asked for` : "";
  const played = sequences ? `; of ${number(sequences)} ${sequences > 1 ? "sequences" : "sequence"}` : "";
  told.textContent = `${counted}${of}${played}.${asked.exact ? "" : " What is asked for is worked out from a part of the tasks."}`;
  return told;
}

function sideTold(cell, count, target) {
  const number = count.toLocaleString("en");
  return `${sideWords(cell)}: ${target === null ? number : `${number} of ${target.toLocaleString("en")} asked for`}`;
}

function byRole(assets) {
  const found = new Map();
  for (const asset of assets) {
    if (!found.has(asset.role)) found.set(asset.role, {});
    found.get(asset.role)[asset.name] = asset.views;
  }
  return found;
}

function button(words, press, title = "") {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "plain";
  made.textContent = words;
  if (title) made.title = title;
  made.addEventListener("click", press);
  return made;
}

function drawing(width, height, label) {
  const made = document.createElementNS(SVG, "svg");
  made.setAttribute("viewBox", `0 0 ${width} ${height}`);
  made.setAttribute("role", "img");
  made.setAttribute("aria-label", label);
  return made;
}

function shape(kind, attributes) {
  const made = document.createElementNS(SVG, kind);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

function shade(count, most) {
  return count ? 0.15 + 0.85 * Math.sqrt(count / most) : 0.05;
}

/** Return the outline of a field of the dome. */
function sector(ring, at, rings, columns) {
  const [outer, inner] = [96 * (1 - ring / rings), 96 * (1 - (ring + 1) / rings)];
  const [from, to] = [at, at + 1].map((step) => (2 * Math.PI * step) / columns);
  const spot = (radius, turn) => `${100 + radius * Math.sin(turn)} ${100 - radius * Math.cos(turn)}`;
  return `M${spot(outer, from)}A${outer} ${outer} 0 0 1 ${spot(outer, to)}L${spot(inner, to)}A${inner} ${inner} 0 0 0 ${spot(inner, from)}Z`;
}

function histogram({ counts, low, high, mean }, words) {
  const most = Math.max(1, ...counts);
  const made = drawing(counts.length, 16, `from ${low} to ${high}, mean ${mean}`);
  const share = (at) => Math.round(100 * (low + ((high - low) * at) / counts.length));
  words.textContent = mean === null ? "" : `From ${share(0)} to ${share(counts.length)} %, ${(100 * mean).toFixed(1)} % on average.`;
  counts.forEach((count, at) => {
    const height = (15 * count) / most;
    const bar = shape("rect", { x: at, y: 16 - height, width: 0.9, height, class: "cell" });
    bar.addEventListener("mouseenter", () => {
      words.textContent = `${share(at)} to ${share(at + 1)} %: ${count.toLocaleString("en")}`;
    });
    made.append(bar);
  });
  return made;
}
