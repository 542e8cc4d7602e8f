// What went wrong in a job, what is alike together.

/** Groups of tasks that failed alike. */
export class Troubles {
  constructor(holder, job) {
    this.holder = holder;
    this.job = job;
  }

  async refresh() {
    const answer = await fetch(`/v1/jobs/${this.job}/tasks/troubles`).catch(() => null);
    if (!answer?.ok) return;
    const groups = await answer.json();
    if (groups.length) this.holder.replaceChildren(...groups.map((each) => this.group(each)));
  }

  group(each) {
    const part = document.createElement("details");
    const head = document.createElement("summary");
    const tasks = `${each.tasks.toLocaleString("en")} task${each.tasks === 1 ? "" : "s"}`;
    head.textContent = `${each.cause}, ${tasks}, ${
      each.given_up ? `${each.given_up.toLocaleString("en")} given up` : "tried again"}: ${each.sentence}`;
    const list = document.createElement("ul");
    list.append(...each.indices.map((index) => this.log(index)));
    const on = document.createElement("p");
    on.className = "quiet";
    on.textContent = `${each.titles.join(", ")}; on ${each.workers.join(", ")}`;
    part.append(head, on, list);
    return part;
  }

  log(index) {
    const line = document.createElement("li");
    const link = document.createElement("a");
    link.href = `/v1/jobs/${this.job}/tasks/${index}/log`;
    link.textContent = `log of task ${index}`;
    line.append(link);
    return line;
  }
}
