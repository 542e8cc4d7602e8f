import { fieldsOf, valuesIn } from "./fields.js";
import { Taken } from "./taken.js";
import { hashFile } from "./sha256.js";

const form = document.querySelector("[data-new]");
const csrf = document.body.dataset.csrf;
const part = (name) => form.querySelector(`[data-${name}]`);
const PIECE = 8 << 20;
const TRIES = 5;
let forms = null;
let ready = null;

async function ask(method, path, body) {
  const answer = await fetch(path, {
    method,
    headers: { "Content-Type": "application/json", "Farm-Csrf": csrf },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const told = await answer.json();
  if (!answer.ok) throw new Error(`${told.detail}${told.remedy ? `: ${told.remedy}` : ""}`);
  return told;
}

function recipe() {
  return forms.recipes.find((each) => each.name === form.elements.recipe.value);
}

function mode() {
  return recipe().modes[Number(form.elements.mode.value) || 0];
}

function showRecipe() {
  const found = recipe();
  part("summary").textContent = found.summary;
  form.elements.mode.replaceChildren(...found.modes.map((each, at) =>
    new Option(each.properties.mode?.const ?? each.title, at)));
  part("mode-label").hidden = found.modes.length < 2;
  part("roles").replaceChildren(...found.roles.map(roleField));
  taken.offer(found.roles, part("roles"));
  part("passes").replaceChildren(...found.passes.map(passField));
  showMode();
}

function showMode() {
  part("recipe").replaceChildren(...fieldsOf(mode()));
  forget();
}

function roleField(role) {
  const label = document.createElement("label");
  const least = role.at_least ? `${role.at_least} or more` : "may be left out";
  label.append(`${role.name} (${least}): ${role.suffixes.join(" ")}`);
  const input = document.createElement("input");
  input.type = "file";
  input.multiple = role.at_most !== 1;
  input.accept = role.suffixes.join(",");
  input.required = role.at_least > 0;
  input.dataset.role = role.name;
  label.append(input);
  return label;
}

function passField(name) {
  const label = document.createElement("label");
  label.className = "check";
  const box = document.createElement("input");
  box.type = "checkbox";
  box.value = name;
  box.checked = ["rgb", "mask"].includes(name);
  label.append(box, name);
  return label;
}

function forget() {
  ready = null;
  part("planned").hidden = true;
  part("fault").hidden = true;
}

function fail(error) {
  part("fault").textContent = error.message;
  part("fault").hidden = false;
  part("progress").textContent = "";
}

function specOf(files) {
  const picked = mode();
  const spec = {
    recipe: { kind: recipe().name, ...valuesIn(part("recipe")) },
    render: valuesIn(part("render")),
    passes: [...part("passes").querySelectorAll("input:checked")].map((box) => box.value),
    seed: Number(form.elements.seed.value),
    views_per_task: Number(form.elements.views_per_task.value),
  };
  if (picked.properties.mode) spec.recipe.mode = picked.properties.mode.const;
  for (const { role, name } of [...taken.files(), ...files.map(({ role: of, file }) => ({ role: of, name: file.name }))]) {
    (spec[role] ??= []).push(name);
  }
  return spec;
}

async function upload(sha256, file, tell) {
  let { received_bytes: at } = await ask("GET", `/v1/assets/${sha256}/upload`);
  let tries = 0;
  while (at < file.size || at === 0) {
    const answer = await fetch(`/v1/assets/${sha256}/upload`, {
      method: "PATCH",
      headers: { "Upload-Offset": at, "Upload-Length": file.size, "Farm-Csrf": csrf },
      body: file.slice(at, at + PIECE),
    }).catch(() => null);
    if (answer?.ok) {
      const told = await answer.json();
      at = told.received_bytes;
      tries = 0;
      tell(at);
      if (told.complete) return;
    } else if (answer && answer.status < 500 && answer.status !== 409) {
      const told = await answer.json();
      throw new Error(`${file.name}: ${told.detail}: ${told.remedy}`);
    } else {
      tries += 1;
      if (tries > TRIES) throw new Error(`${file.name}: the farm does not answer; press again to resume`);
      await new Promise((done) => setTimeout(done, 1000 * tries));
      at = (await ask("GET", `/v1/assets/${sha256}/upload`).catch(() => ({ received_bytes: at }))).received_bytes;
    }
  }
}

async function plan(event) {
  event.preventDefault();
  forget();
  part("plan").disabled = true;
  try {
    const files = [...part("roles").querySelectorAll("input")].flatMap((input) =>
      [...input.files].map((file) => ({ role: input.dataset.role, file })));
    const total = files.reduce((sum, { file }) => sum + file.size, 0);
    let before = 0;
    const tell = (word, bytes) => {
      const share = total ? Math.floor((100 * (before + bytes)) / total) : 100;
      part("progress").textContent = `${word} ${share} %`;
    };
    for (const each of files) {
      each.sha256 = await hashFile(each.file, (bytes) => tell("Reading files:", bytes));
      before += each.file.size;
    }
    const missing = new Set((await ask("POST", "/v1/assets/missing", {
      sha256s: files.map((each) => each.sha256),
    })).sha256s);
    before = 0;
    for (const { sha256, file } of files) {
      if (missing.delete(sha256)) await upload(sha256, file, (bytes) => tell("Uploading:", bytes));
      before += file.size;
    }
    const fresh = await ask("POST", "/v1/assets/named", {
      files: [...files.map(({ role, file, sha256 }) => ({
        role, name: file.name, sha256, size_bytes: file.size,
      })), ...taken.files()],
    });
    const assets = await taken.whole(fresh, ask);
    const name = form.elements.name.value.trim() || null;
    const submission = {
      spec: specOf(files), assets, name, priority: Number(form.elements.priority.value),
    };
    const told = await ask("POST", "/v1/jobs?validate_only=true", submission);
    ready = submission;
    part("progress").textContent = "";
    part("plan-words").textContent =
      `${counted(told.views, "view")} in ${counted(told.tasks, "task")}.`;
    part("planned").hidden = false;
  } catch (error) {
    fail(error);
  } finally {
    part("plan").disabled = false;
  }
}

function counted(number, noun) {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

async function submit() {
  try {
    const job = await ask("POST", "/v1/jobs", ready);
    location.assign(`/jobs/${job.job_id}`);
  } catch (error) {
    fail(error);
  }
}

/** Render the first view of the job as a job of its own, small, before others. */
async function sample() {
  const words = part("sample-words");
  try {
    const spec = structuredClone(ready.spec);
    Object.assign(spec.recipe, { yaw: 1, pitch: 1, yaw_per_pitch: 1, views: 1, scenes: 1 });
    const known = mode().properties;
    for (const name of ["yaw", "pitch", "yaw_per_pitch", "views", "scenes"]) {
      if (!(name in known)) delete spec.recipe[name];
    }
    spec.render = { ...spec.render, resolution: 256, samples: 16 };
    const first = new Map();
    for (const asset of ready.assets) {
      const most = recipe().name === "sod" ? 1 : Infinity;
      first.set(asset.role, [...(first.get(asset.role) ?? []), asset].slice(0, most));
    }
    const assets = [...first.values()].flat();
    for (const [role, chosen] of first) spec[role] = chosen.map((asset) => asset.name);
    const job = await ask("POST", "/v1/jobs", { spec, assets, name: "sample", priority: 100 });
    words.textContent = "Rendering one picture …";
    await follow(job.job_id, words);
  } catch (error) {
    words.textContent = error.message;
  }
}

async function follow(job, words) {
  for (;;) {
    await new Promise((done) => setTimeout(done, 1000));
    const told = await ask("GET", `/v1/jobs/${job}`);
    const [newest] = await ask("GET", `/v1/jobs/${job}/newest`);
    if (newest) {
      const picture = part("sample-picture");
      picture.src = `/v1/jobs/${job}/newest/${newest.number}`;
      picture.alt = `${newest.title}, ${newest.caption}`;
      picture.hidden = false;
      words.textContent = `${newest.title}, ${newest.caption}`;
      return;
    }
    if (told.failures.length) throw new Error(told.failures[0]);
    if (["completed", "failed", "cancelled"].includes(told.state)) {
      words.textContent = "It is rendered; its page shows it.";
      return;
    }
    if (told.waits_for) words.textContent = `It waits: ${told.waits_for}`;
  }
}

const taken = new Taken();

if (form) {
  await taken.load();
  forms = await ask("GET", "/v1/recipes");
  const usual = forms.recipes.filter((each) => !each.runs_code && !each.needs_facts);
  form.elements.recipe.append(...usual.map((each) => new Option(each.name, each.name, false, each.name === "sod")));
  part("render").replaceChildren(...fieldsOf(forms.render));
  form.elements.recipe.addEventListener("change", showRecipe);
  form.elements.mode.addEventListener("change", showMode);
  form.addEventListener("input", forget);
  form.addEventListener("submit", plan);
  part("submit").addEventListener("click", submit);
  part("sample").addEventListener("click", sample);
  showRecipe();
}
