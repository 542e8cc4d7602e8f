// Assets of the library that a new job takes: ticked on the page of assets, named in the address.

/** What the address says is to be taken. */
export class Taken {
  constructor() {
    const said = new URL(location).searchParams.getAll("with");
    this.sha256s = [...new Set(said.flatMap((each) => each.split(",")))].filter(Boolean);
    this.assets = [];
    this.roles = new Map();
  }

  async load() {
    for (const sha256 of this.sha256s) {
      const answer = await fetch(`/v1/assets/shelf?find=${encodeURIComponent(sha256)}&limit=1`)
        .catch(() => null);
      const [asset] = answer?.ok ? (await answer.json()).items : [];
      if (asset?.in_library) this.assets.push(asset);
    }
  }

  /** Show in the fields of a recipe's roles which asset goes where; the first that fits takes it. */
  offer(roles, place) {
    this.roles.clear();
    for (const asset of this.assets) {
      const fits = (role) => role.suffixes.some((end) => asset.name.toLowerCase().endsWith(end));
      const held = roles.filter((role) => asset.roles.includes(role.name));
      const role = held.find(fits) ?? roles.find(fits);
      if (role) this.roles.set(asset.sha256, role.name);
    }
    for (const input of place.querySelectorAll("[data-role]")) {
      const names = this.files().filter((file) => file.role === input.dataset.role);
      if (!names.length) continue;
      input.required = false;
      const told = document.createElement("span");
      told.dataset.taken = "";
      told.textContent = `From the library: ${names.map((file) => file.name).join(", ")}`;
      input.closest("[data-drop]").querySelector("h3").after(told);
    }
  }

  files() {
    return this.assets.filter((asset) => this.roles.has(asset.sha256)).map((asset) => ({
      role: this.roles.get(asset.sha256),
      name: asset.name,
      sha256: asset.sha256,
      size_bytes: asset.size_bytes,
    }));
  }

  /** Return assets with the credits and files that the library knows of those that are taken. */
  async whole(named, ask) {
    const files = this.files();
    if (!files.length) return named;
    const known = await ask("POST", "/v1/assets/again", { files });
    return named.map((asset) => {
      const found = known.find((each) => each.sha256 === asset.sha256 && each.role === asset.role);
      return found ? { ...found, id: asset.id } : asset;
    });
  }
}
