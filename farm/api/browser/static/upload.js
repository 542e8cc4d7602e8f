// Files on their way to the farm: read once, sent in pieces, resumed where a connection broke.

import { ask, csrf, refusal } from "./ask.js";
import { hashFile } from "./sha256.js";

const PIECE = 8 << 20;
const TRIES = 5;
const hashes = new WeakMap();

/** Return the SHA-256 of a file, which is read once. */
export async function hashOf(file, onBytes) {
  if (!hashes.has(file)) hashes.set(file, await hashFile(file, onBytes));
  return hashes.get(file);
}

/** How much of some bytes is done, in words, with the time that is left. */
export class Progress {
  constructor(words, bar) {
    this.words = words;
    this.bar = bar;
  }

  begin(word, total) {
    Object.assign(this, { word, total, before: 0, started: performance.now(), first: null });
    this.bar.hidden = false;
    this.tell(0);
  }

  /** Tell of a file that is so far; `skipped` bytes were there before. */
  tell(bytes, skipped = 0) {
    this.first ??= this.before + skipped;
    const done = this.before + bytes;
    const share = this.total ? done / this.total : 1;
    const spent = (performance.now() - this.started) / 1000;
    const moved = done - this.first;
    const left = moved > 0 && spent > 2 ? (spent * (this.total - done)) / moved : null;
    this.bar.value = share;
    this.words.textContent = `${this.word} ${Math.floor(100 * share)} %${left === null ? "" : `, about ${spoken(left)} left`}`;
  }

  pass(bytes) {
    this.before += bytes;
  }

  end() {
    this.bar.hidden = true;
    this.words.textContent = "";
  }
}

function spoken(seconds) {
  return seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.round(seconds / 60)} min`;
}

/** Return the files with their hashes. */
export async function hashAll(files, progress) {
  progress.begin("Reading files:", files.reduce((sum, { file }) => sum + file.size, 0));
  for (const each of files) {
    each.sha256 = await hashOf(each.file, (bytes) => progress.tell(bytes));
    progress.pass(each.file.size);
  }
}

/** Send those of the files, whose hashes are known, that the farm lacks. */
export async function sendAll(files, progress) {
  const missing = new Set();
  for (let at = 0; at < files.length; at += 5000) {
    const sha256s = files.slice(at, at + 5000).map(({ sha256 }) => sha256);
    for (const each of (await ask("POST", "/v1/assets/missing", { sha256s })).sha256s) missing.add(each);
  }
  const sent = files.filter(({ sha256 }) => missing.delete(sha256));
  progress.begin("Uploading:", sent.reduce((sum, { file }) => sum + file.size, 0));
  for (const { sha256, file } of sent) {
    await send(sha256, file, progress);
    progress.pass(file.size);
  }
}

async function send(sha256, file, progress) {
  const place = `/v1/assets/${sha256}/upload`;
  let { received_bytes: at, complete } = await ask("GET", place);
  let tries = 0;
  const there = at;
  while (!complete) {
    const answer = await fetch(place, {
      method: "PATCH",
      headers: { "Upload-Offset": at, "Upload-Length": file.size, "Farm-Csrf": csrf },
      body: file.slice(at, at + PIECE),
    }).catch(() => null);
    if (answer?.ok) {
      ({ received_bytes: at, complete } = await answer.json());
      tries = 0;
      progress.tell(at, there);
    } else if (answer && answer.status < 500 && answer.status !== 409) {
      throw new Error(`${file.name}: ${refusal(await answer.json())}`);
    } else {
      tries += 1;
      if (tries > TRIES) throw new Error(`${file.name}: the farm does not answer; press again to resume`);
      await new Promise((done) => setTimeout(done, 1000 * tries));
      ({ received_bytes: at, complete } = await ask("GET", place).catch(() => ({ received_bytes: at, complete })));
    }
  }
}
