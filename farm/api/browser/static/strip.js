// The newest pictures of a job, as they arrive.

const MOST = 24;

/** A strip of pictures; those that came since stand at the front. */
export class Strip {
  constructor(holder, job) {
    this.holder = holder;
    this.job = job;
    this.shown = 0;
  }

  /** Show what is new, unless somebody looks at what is there. */
  async refresh() {
    const answer = await fetch(`/v1/jobs/${this.job}/newest`).catch(() => null);
    if (!answer?.ok || this.isLookedAt()) return;
    for (const each of (await answer.json()).reverse()) {
      if (each.number > this.shown) this.add(each);
    }
    while (this.holder.children.length > MOST) this.holder.lastElementChild.remove();
  }

  isLookedAt() {
    const { holder } = this;
    return holder.matches(":hover") || holder.contains(document.activeElement) && holder.scrollLeft > 0;
  }

  add(glimpse) {
    this.shown = glimpse.number;
    this.holder.querySelector("[data-none]")?.remove();
    const figure = document.createElement("figure");
    const image = document.createElement("img");
    image.src = `/v1/jobs/${this.job}/newest/${glimpse.number}`;
    image.alt = `${glimpse.title}, ${glimpse.caption}`;
    const words = document.createElement("figcaption");
    words.textContent = glimpse.title;
    figure.append(image, words);
    this.holder.prepend(figure);
  }
}
