// One row in detail: the atoms that its prediction comes from, and the nearest training molecules.

import { post } from "./api.js";
import { $, format, make, picture } from "./parts.js";

const MOST_NEIGHBORS = 10;
let asked = 0;

export function openDetails(row, job, runs) {
  const names = Object.keys(row.runs).filter((run) => !row.runs[run].reason);
  $("details-title").textContent = row.given.name ? `${row.given.name} (row ${row.row})` : `Row ${row.row}`;
  $("details-smiles").textContent = row.molecule;
  const choice = chooser("Model", names);
  const update = () => {
    const run = runs.find((each) => each.name === choice.value);
    const task = run.tasks.length > 1 ? chooser("Task", run.tasks) : null;
    $("details-choice").replaceChildren(...(names.length > 1 ? [choice.parentNode] : []), ...(task ? [task.parentNode] : []));
    const load = () => explain(row, run, task?.value);
    if (task) task.onchange = load;
    load();
    showNumbers(row.runs[run.name]);
    showNeighbors(row.runs[run.name], run);
  };
  choice.onchange = update;
  update();
  $("details").showModal();
}

function chooser(title, names) {
  const select = make("select", {}, ...names.map((name) => make("option", { value: name }, name)));
  make("label", {}, `${title} `, select);
  return select;
}

async function explain(row, run, task) {
  const number = ++asked;
  const plain = () => $("why").replaceChildren(picture(row.molecule, 360, 270));
  plain();
  if (!run.explains || run.features.length) {
    $("caption").textContent = "this model's predictions cannot be explained here";
    return;
  }
  $("caption").textContent = "asking which atoms matter ...";
  try {
    const found = await post("/api/explain", { molecule: row.molecule, run: run.name, ...(task ? { task } : {}) });
    if (number !== asked) return;
    const image = make("img", { alt: `contributions of the atoms to ${found.task}`, src: `data:image/png;base64,${found.picture}` });
    $("why").replaceChildren(image);
    $("caption").replaceChildren(
      found.caption, make("br"), make("span", { class: "mark good" }, "green"), " atoms raise it, ",
      make("span", { class: "mark bad" }, "red"), ` ones lower it (${found.method.replace("_", " ")})`);
  } catch (error) {
    if (number === asked) $("caption").textContent = error.message;
  }
}

function showNumbers(values) {
  const shown = Object.entries(values).filter(([name]) => !/^neighbor_\d+|^reason$/.test(name));
  $("numbers").replaceChildren(make("dl", {}, ...shown.flatMap(([name, value]) =>
    [make("dt", {}, name.replace("_", " ")), make("dd", {}, format(value))])));
}

function showNeighbors(values, run) {
  const cells = [];
  for (let number = 1; number <= MOST_NEIGHBORS; number += 1) {
    const smiles = values[`neighbor_${number}`];
    if (!smiles) break;
    const labels = run.tasks.slice(0, 3).map((task) => [task, values[`neighbor_${number}_${task}`]]).filter(([, value]) => value !== null && value !== undefined);
    cells.push(make("figure", {}, picture(smiles, 180, 126), make("figcaption", {},
      make("b", {}, `similarity ${format(values[`neighbor_${number}_similarity`])}`),
      ...labels.flatMap(([task, value]) => [make("br"), `${task}: ${format(value)}`]), make("br"), make("code", {}, smiles))));
  }
  $("neighbors").replaceChildren(...(cells.length ? [make("h3", {}, "Nearest training molecules"), make("div", { class: "gallery" }, ...cells)] : []));
}
