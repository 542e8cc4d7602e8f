import { ask } from "./ask.js";
import { blame, fieldsOf, fillIn, forgive, saidIn } from "./fields.js";
import { RolePick, dropped } from "./picks.js";
import { Taken } from "./taken.js";
import { Progress, hashAll, sendAll } from "./upload.js";

// The form for a new job. What its words mean, what files need and how large the job is, the farm
// says; this script gathers them, and shows what it hears.

const form = document.querySelector("[data-new]");
const part = (name) => form.querySelector(`[data-${name}]`);
const SPEC_FILE = /\.(ya?ml|json)$/i;
const MORE = {
  properties: {
    seed: { type: "integer", minimum: 0, default: 0, description: "The same seed makes the same dataset again." },
    views_per_task: { type: "integer", minimum: 1, maximum: 1000, default: 10, description: "Views that a worker renders at a time." },
    dataset_name: { type: "string", default: null, description: "Folder of the dataset." },
  },
};
let forms = null;
let picks = [];
let texts = new Map();
let extra = {};
let ready = null;
let progress = null;
const taken = new Taken();

function recipe() {
  return forms.recipes.find((each) => each.name === form.elements.recipe.value);
}

function mode() {
  return recipe().modes[Number(form.elements.mode.value) || 0];
}

function showRecipe() {
  const found = recipe();
  part("summary").textContent = found.summary;
  part("why-not").textContent = found.why_not ? `A job of this recipe cannot be submitted here: it ${found.why_not}.` : "";
  part("why-not").hidden = !found.why_not;
  part("plan").disabled = Boolean(found.why_not);
  form.elements.mode.replaceChildren(...found.modes.map((each, at) =>
    new Option(each.properties.mode?.const ?? each.title, at)));
  part("mode-label").hidden = found.modes.length < 2;
  const before = new Map(picks.map((pick) => [pick.role.name, pick.files]));
  picks = found.roles.map((role) => new RolePick(role, forget));
  for (const pick of picks) {
    const kept = before.get(pick.role.name);
    if (kept?.size) pick.add([...kept].map(([path, file]) => ({ path, file })));
  }
  part("roles").replaceChildren(...picks.map((pick) => pick.element));
  taken.offer(found.roles, part("roles"));
  part("passes").replaceChildren(...found.passes.map(passField));
  showMode();
}

function showMode() {
  extra = {};
  part("recipe").replaceChildren(...fieldsOf(mode(), "recipe."));
  for (const [name, suffixes] of Object.entries(recipe().file_fields)) offerFile(name, suffixes);
  forget();
}

/** Let a field that may name a file take one from this machine. */
function offerFile(name, suffixes) {
  const control = part("recipe").querySelector(`[data-field="recipe.${CSS.escape(name)}"]`);
  if (!control) return;
  const input = document.createElement("input");
  input.type = "file";
  input.accept = suffixes.join(",");
  input.dataset.text = name;
  input.setAttribute("aria-label", `File for ${name}`);
  input.addEventListener("change", () => takeText(control, input.files[0]));
  control.closest("label").after(input);
}

async function takeText(control, file) {
  if (!file) return;
  texts.set(file.name, await file.text());
  control.value = JSON.stringify(file.name);
  forget();
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

function passes() {
  return [...part("passes").querySelectorAll("input:checked")].map((box) => box.value);
}

function forget() {
  ready = null;
  part("planned").hidden = true;
  part("fault").hidden = true;
  part("remarks").hidden = true;
  part("sample-picture").hidden = true;
  part("sample-words").textContent = "";
  forgive(form);
}

function fail(error) {
  part("fault").textContent = error.message;
  part("fault").hidden = false;
  progress.end();
}

/** Say what is wrong, each beside its field; what has none, below. */
function showFaults(faults) {
  const rest = faults.filter(({ field, sentence }) => !(field && blame(form, field, sentence)));
  const beside = faults.length - rest.length;
  const words = rest.map(({ sentence }) => sentence);
  if (beside) words.push(`${beside === 1 ? "A field needs" : `${beside} fields need`} to be corrected; the reason is beside each.`);
  part("fault").textContent = words.join(" ");
  part("fault").hidden = false;
  goToFirstFault();
}

function goToFirstFault() {
  const wrong = form.querySelector("[data-wrong]:not([hidden])");
  wrong?.parentElement.querySelector("[aria-invalid], input")?.focus({ preventScroll: true });
  wrong?.scrollIntoView({ block: "center" });
}

/** Return what the form says, as it is written. */
function filled(assets) {
  const picked = mode().properties.mode;
  return {
    fields: {
      "recipe.kind": recipe().name,
      ...(picked ? { "recipe.mode": picked.const } : {}),
      ...extra,
      ...saidIn(part("recipe")),
      ...saidIn(part("render")),
      ...saidIn(part("more")),
      passes: JSON.stringify(passes()),
    },
    assets,
    files: Object.fromEntries(texts),
    name: form.elements.name.value.trim() || null,
    priority: Number(form.elements.priority.value) || 0,
  };
}

/** Return the files that are picked, with what each role's assets need; what is read is sent. */
async function found() {
  const assets = [];
  const remarks = [];
  for (const pick of picks.filter(({ files }) => files.size)) {
    const read = [...pick.files].filter(([path]) => pick.isRead(path)).map(([path, file]) => ({ path, file }));
    await hashAll(read, progress);
    await sendAll(read, progress);
    const hashes = new Map(read.map(({ path, sha256 }) => [path, sha256]));
    progress.begin(`Looking at ${pick.role.name.replaceAll("_", " ")} …`, 0);
    const told = await ask("POST", "/v1/assets/needs", {
      role: pick.role.name,
      files: [...pick.files.keys()].map((path) => ({ path, sha256: hashes.get(path) ?? null })),
    });
    remarks.push(...told.remarks);
    assets.push(...told.assets.map((asset) => ({ ...asset, role: pick.role.name, files: pick.files })));
  }
  return { assets, remarks };
}

function lacking(assets) {
  const there = new Set([...assets, ...taken.files()].map((asset) => asset.role));
  return picks.filter(({ role }) => role.at_least && !there.has(role.name))
    .map(({ role }) => ({ field: role.name, sentence: `${role.name}: is needed; pick ${role.suffixes.join(", ")}` }));
}

async function plan(event) {
  event.preventDefault();
  forget();
  part("plan").disabled = true;
  try {
    await tryPlan();
  } catch (error) {
    if (error.detail) showFaults(error.detail.split("\n").map(faultOf));
    else fail(error);
  } finally {
    progress.end();
    part("plan").disabled = Boolean(recipe().why_not);
  }
}

/** Return a sentence of the farm with the field that it is about. */
function faultOf(sentence) {
  return { sentence, field: /^([a-z_]+(?:\.[a-z_]+)*)(?:\.\d+)?[.a-z0-9_]*: /.exec(sentence)?.[1].replace(/^spec\./, "") ?? "" };
}

/** Return the paths of what is picked, and the names of what is taken again, by role. */
function pathsOf() {
  const paths = {};
  for (const { role, name } of taken.files()) (paths[role] ??= []).push(name);
  for (const pick of picks) {
    const own = [...pick.files.keys()].filter((path) => pick.takes(path));
    if (own.length) paths[pick.role.name] = [...(paths[pick.role.name] ?? []), ...own];
  }
  return paths;
}

async function tryPlan() {
  const paths = pathsOf();
  const { faults } = await ask("POST", "/v1/specs/read", filled(paths));
  const told = new Set(faults.map(({ field }) => field));
  faults.push(...lacking(Object.keys(paths).map((role) => ({ role }))).filter(({ field }) => !told.has(field)));
  if (faults.length) { // before anything is sent
    showFaults(faults);
    return;
  }
  const { assets, remarks } = await found();
  showRemarks(remarks);
  const wanting = lacking(assets);
  if (wanting.length) {
    showFaults(wanting);
    return;
  }
  const files = assets.flatMap(({ path, needs, files }) =>
    [path, ...needs.map((each) => each.of)].map((of) => ({ file: files.get(of) })));
  await hashAll(files, progress);
  await sendAll(files, progress);
  const hashes = new Map(files.map(({ file, sha256 }) => [file, sha256]));
  const named = await taken.whole(await ask("POST", "/v1/assets/named", {
    recipe: recipe().name,
    files: [...taken.files(), ...assets.map((asset) => fileOf(asset, hashes))],
  }), ask);
  const roles = {};
  for (const asset of named) (roles[asset.role] ??= []).push(asset.name);
  const words = filled(roles);
  const read = await ask("POST", "/v1/specs/read", words);
  if (read.faults.length) {
    showFaults(read.faults);
    return;
  }
  const submission = { spec: read.spec, assets: named, name: words.name, priority: words.priority };
  const planned = await ask("POST", "/v1/jobs/plan", submission);
  ready = submission;
  part("plan-words").textContent = planned.sentence;
  part("planned").hidden = false;
}

function fileOf({ role, path, needs, credit, files }, hashes) {
  const of = (name) => ({ sha256: hashes.get(files.get(name)), size_bytes: files.get(name).size });
  return {
    role, name: path.split("/").pop(), credit, ...of(path),
    needs: needs.map((each) => ({ path: each.path, ...of(each.of) })),
  };
}

function showRemarks(remarks) {
  part("remarks").hidden = !remarks.length;
  part("remarks").replaceChildren(...remarks.map((sentence) => {
    const item = document.createElement("li");
    item.textContent = sentence;
    return item;
  }));
}

async function submit() {
  part("submit").disabled = true;
  try {
    const job = await ask("POST", "/v1/jobs", ready);
    location.assign(`/jobs/${job.job_id}`);
  } catch (error) {
    fail(error);
  } finally {
    part("submit").disabled = false;
  }
}

/** Show the form's job as a command and as a file. */
async function tell() {
  try {
    const told = await ask("POST", "/v1/specs/read", filled(pathsOf()));
    forgive(form);
    if (told.faults.length) showFaults(told.faults);
    for (const name of ["command", "yaml"]) {
      part(`as-${name}`).textContent = told[name];
      part(`as-${name}`).hidden = !told[name];
      form.querySelector(`[data-copy=${name}]`).hidden = !told[name] || !navigator.clipboard;
    }
  } catch (error) {
    fail(error);
  }
}

/** Fill the form with what a spec's file says. */
async function takeSpec(file) {
  try {
    const told = await ask("POST", "/v1/specs/read", { text: await file.text() });
    const kind = told.fields["recipe.kind"] ?? "sod";
    if (!Object.keys(told.fields).length && !Object.keys(told.assets).length) {
      throw new Error(told.faults[0]?.sentence ?? `${file.name}: is not a spec`);
    }
    if (!forms.recipes.some((each) => each.name === kind)) throw new Error(told.faults[0].sentence);
    fillForm(kind, told, file.name);
  } catch (error) {
    fail(error);
  }
}

function fillForm(kind, told, name) {
  form.elements.recipe.value = kind;
  showRecipe();
  const wanted = told.fields["recipe.mode"];
  const at = recipe().modes.findIndex((each) => each.properties.mode?.const === wanted);
  if (at > 0) {
    form.elements.mode.value = at;
    showMode();
  }
  for (const place of ["recipe", "render", "more"]) fillIn(part(place), told.fields);
  const known = new Set([...form.querySelectorAll("[data-field]")].map((control) => control.dataset.field));
  const taken = new Set(["passes", "output", "recipe.kind", "recipe.mode"]);
  extra = Object.fromEntries(Object.entries(told.fields).filter(([field]) => !known.has(field) && !taken.has(field)));
  if (told.fields.passes) choosePasses(told.fields.passes);
  const files = Object.entries(told.assets).map(([role, paths]) => `${role}: ${paths.join(", ")}`);
  const more = Object.keys(extra).length ? ` It also says ${Object.keys(extra).join(", ")}.` : "";
  part("spec-words").textContent = `${name} is filled in.${files.length ? ` Pick its files: ${files.join("; ")}.` : ""}${more}`;
}

function choosePasses(text) {
  const named = text.replace(/[[\]"']/g, "").split(",").map((word) => word.trim());
  for (const box of part("passes").querySelectorAll("input")) box.checked = named.includes(box.value);
}

/** Give what was dropped to the roles that take it; a spec fills the form. */
async function drop(event) {
  event.preventDefault();
  form.querySelectorAll(".dropping").forEach((each) => each.classList.remove("dropping"));
  form.classList.remove("dropping");
  const target = event.target.closest("[data-drop]")?.dataset.drop;
  const files = await dropped(event.dataTransfer);
  if (!target && files.length === 1 && SPEC_FILE.test(files[0].path)) {
    await takeSpec(files[0].file);
    return;
  }
  const pick = picks.find(({ role }) => role.name === target);
  if (pick) pick.add(files);
  else share(files);
}

/** Give files that were dropped beside all roles to the first role that takes some of each folder. */
function share(files) {
  const folders = Map.groupBy(files, ({ path }) => path.includes("/") ? path.split("/")[0] : "");
  for (const [folder, inside] of folders) {
    if (!folder) {
      for (const pick of picks) pick.add(inside.filter(({ path }) => picks.find((each) => each.takes(path)) === pick));
      const rest = inside.filter(({ path }) => !picks.some((pick) => pick.takes(path)));
      if (rest.length) picks[0].add(rest); // what models need beside them
      continue;
    }
    (picks.find((pick) => inside.some(({ path }) => pick.takes(path))) ?? picks[0]).add(inside);
  }
}

function over(event) {
  event.preventDefault();
  const place = event.target.closest("[data-drop]") ?? form;
  if (place.classList.contains("dropping")) return;
  for (const each of [form, ...form.querySelectorAll(".dropping")]) each.classList.remove("dropping");
  place.classList.add("dropping");
}

async function sample() {
  const words = part("sample-words");
  part("sample").disabled = true;
  try {
    const job = await ask("POST", "/v1/jobs/sample", ready);
    words.textContent = "Rendering one picture …";
    await follow(job.job_id, words);
  } catch (error) {
    words.textContent = error.message;
  } finally {
    part("sample").disabled = false;
  }
}

async function follow(job, words) {
  for (;;) {
    const told = await ask("GET", `/v1/jobs/${job}`);
    const ended = ["completed", "failed", "cancelled"].includes(told.state);
    if (told.views_done) {
      const picture = part("sample-picture");
      picture.src = `/v1/jobs/${job}/picture?v=${Date.now()}`;
      picture.alt = "One view of this job";
      picture.hidden = false;
      words.textContent = "This is one view of it, small and with few samples.";
      return;
    }
    if (told.failures.length) throw new Error(told.failures[0]);
    if (ended) throw new Error(told.sentence);
    if (told.waits_for) words.textContent = `It waits: ${told.waits_for}`;
    await new Promise((done) => setTimeout(done, 1000));
  }
}

async function begin() {
  progress = new Progress(part("progress"), part("bar"));
  await taken.load();
  forms = await ask("GET", "/v1/recipes");
  form.elements.recipe.append(...forms.recipes.map((each) =>
    new Option(each.why_not ? `${each.name} (not from here)` : each.name, each.name, false, each.name === "sod")));
  part("render").replaceChildren(...fieldsOf(forms.render, "render."));
  part("more").replaceChildren(...fieldsOf(MORE), priorityField());
  form.elements.recipe.addEventListener("change", showRecipe);
  form.elements.mode.addEventListener("change", showMode);
  form.addEventListener("input", forget);
  form.addEventListener("submit", plan);
  form.addEventListener("dragover", over);
  form.addEventListener("drop", drop);
  form.addEventListener("dragleave", (event) => form.contains(event.relatedTarget) || form.classList.remove("dropping"));
  part("spec-file").addEventListener("change", (event) => event.target.files[0] && takeSpec(event.target.files[0]));
  part("submit").addEventListener("click", submit);
  part("sample").addEventListener("click", sample);
  part("tell").addEventListener("click", tell);
  for (const button of form.querySelectorAll("[data-copy]")) {
    button.addEventListener("click", () => navigator.clipboard.writeText(part(`as-${button.dataset.copy}`).textContent));
  }
  showRecipe();
}

function priorityField() {
  const [place] = fieldsOf({ properties: { priority: { type: "integer", minimum: -100, maximum: 100, default: 0, description: "Higher goes first." } } });
  const control = place.querySelector("input");
  control.name = "priority";
  delete control.dataset.field;
  return place;
}

if (form) begin().catch((error) => fail(error));
