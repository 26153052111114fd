// The table of results: one page of rows at a time, which the server sorts.

import { get } from "./api.js";
import { $, format, make, picture } from "./parts.js";

const SIZE = 25;
const MOST_GIVEN = 3;
const NEIGHBOR = /^neighbor_\d+/;

// Columns of a run as they are shown: an interval is one column, neighbours are in the details.
function columnsOf(names) {
  const alone = names.filter((name) => name.startsWith("predicted_")).length === 1;
  const title = (word, name) => (alone ? word : `${word} ${name}`);
  return names
    .filter((name) => !NEIGHBOR.test(name) && !name.startsWith("upper_") && name !== "reason" && name !== "in_domain")
    .map((name) => {
      if (name.startsWith("lower_")) {
        const upper = `upper_${name.slice(6)}`;
        return { name, title: title("interval", name.slice(6)), number: true,
                 show: (row) => (row[name] === null ? "—" : `${format(row[name])} to ${format(row[upper])}`) };
      }
      if (name === "nearest_similarity") return { name, title: "similarity", number: true, show: (row) => domain(row) };
      const [, kind, rest] = /^(predicted|sd|class|set)_(.*)$/.exec(name) ?? ["", "", name];
      return { name, title: ["predicted", ""].includes(kind) ? rest : title(kind === "sd" ? "±" : kind, rest),
               number: !["class", "set"].includes(kind), main: kind === "predicted", show: (row) => format(row[name]) };
    });
}

function domain(row) {
  if (row.nearest_similarity === null || row.nearest_similarity === undefined) return "—";
  const inside = row.in_domain;
  const words = inside ? "inside" : "outside";
  return make("span", {}, `${format(row.nearest_similarity)} `,
              make("span", { class: `mark ${inside ? "good" : "care"}`, title: `${words} the applicability domain` }, words));
}

export class Table {
  constructor(open) {
    this.open = open;
    this.job = null;
    $("back").onclick = () => this.turn(-SIZE);
    $("next").onclick = () => this.turn(SIZE);
    $("failed").onchange = () => this.show(this.job);
  }

  async show(job) {
    this.job = job;
    this.offset = 0;
    this.sort = null;
    await this.load();
  }

  async turn(step) {
    this.offset = Math.max(0, this.offset + step);
    await this.load();
    document.querySelector(".scroll").scrollTop = 0;
  }

  async load() {
    const { job, sort, offset } = this;
    const page = await get(`/api/jobs/${job.job}/rows`, {
      offset, limit: SIZE, failed: $("failed").checked, run: sort?.run, sort: sort?.name, descending: sort?.descending ?? false,
    });
    this.page = page;
    this.draw();
  }

  draw() {
    const { job, page, offset } = this;
    const runs = Object.entries(job.columns).map(([run, names]) => ({ run, columns: columnsOf(names) }));
    const given = job.given.filter((name) => page.rows.some((row) => row.given[name] !== row.molecule)).slice(0, MOST_GIVEN);
    $("table").tHead.replaceChildren(...this.head(runs, given));
    $("table").tBodies[0].replaceChildren(...page.rows.map((row) => this.row(row, runs, given)));
    const last = Math.min(offset + SIZE, page.total);
    $("where").textContent = page.total ? `${offset + 1} to ${last} of ${page.total.toLocaleString("en")}` : "no rows";
    $("back").disabled = offset === 0;
    $("next").disabled = last >= page.total;
    $("pager").hidden = page.total <= SIZE;
  }

  head(runs, given) {
    const first = ["", "structure", ...given].map((text) => this.plain(text, runs));
    const columns = runs.flatMap(({ run, columns }) => columns.map((column) => this.sorter(run, column)));
    const last = this.plain("SMILES", runs);
    if (runs.length < 2) return [make("tr", {}, ...first, ...columns, last)];
    const groups = runs.map(({ run, columns }) => make("th", { scope: "colgroup", colSpan: columns.length, class: "group" }, run));
    return [make("tr", {}, ...first, ...groups, last), make("tr", {}, ...columns)];
  }

  plain(text, runs) {
    return make("th", { scope: "col", rowSpan: runs.length > 1 ? 2 : 1 }, text);
  }

  sorter(run, column) {
    const now = this.sort?.run === run && this.sort?.name === column.name ? this.sort : null;
    const button = make("button", { type: "button", class: "link" }, column.title, now ? (now.descending ? " ↓" : " ↑") : "");
    button.onclick = () => {
      this.sort = now && !now.descending ? null : { run, name: column.name, descending: !now };
      this.offset = 0;
      this.load();
    };
    const order = now ? (now.descending ? "descending" : "ascending") : "none";
    return make("th", { scope: "col", class: column.number ? "num" : "", "aria-sort": order }, button);
  }

  row(row, runs, given) {
    const failed = Object.values(row.runs).every((each) => each.reason);
    const opener = make("button", { type: "button", class: "look", title: "Atoms that matter, neighbours", disabled: failed });
    opener.setAttribute("aria-label", `Details of row ${row.row}`);
    opener.onclick = () => this.open(row, this.job);
    opener.append(failed ? make("span", { class: "none" }, "—") : picture(row.molecule, 120, 84));
    const cells = runs.flatMap(({ run, columns }) => {
      const values = row.runs[run];
      if (values.reason) return [make("td", { class: "reason", colSpan: columns.length }, values.reason)];
      return columns.map((column) => make("td", { class: `${column.number ? "num" : ""} ${column.main ? "lead" : ""}` }, column.show(values)));
    });
    return make("tr", {},
      make("td", { class: "num soft" }, String(row.row)), make("td", {}, opener),
      ...given.map((name) => make("td", { class: "given" }, format(row.given[name]))),
      ...cells, make("td", {}, make("code", { title: row.molecule }, row.molecule)));
  }
}
