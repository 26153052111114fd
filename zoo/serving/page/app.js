// The page: what is asked, how far it is, and where the results are shown.

import { Refused, get, post, query, remove, upload } from "./api.js";
import { openDetails } from "./details.js";
import { $, make } from "./parts.js";
import { Table } from "./table.js";

const EXAMPLE = "smiles,name\nCC(=O)Oc1ccccc1C(=O)O,aspirin\nCn1cnc2c1c(=O)n(C)c(=O)n2C,caffeine\nCC(C)Cc1ccc(cc1)C(C)C(=O)O,ibuprofen\nc1ccccc,mistyped\n";
const NEIGHBORS = 3;
const TABS = ["paste", "file", "draw"];
let runs = [];
let limits = {};
let current = null;
let stopping = new AbortController();
const table = new Table((row, job) => openDetails(row, job, runs));

function say(text) {
  $("message").textContent = text;
  $("message").hidden = !text;
}

function report(error) {
  if (error instanceof Refused && error.status === 401) {
    $("login").hidden = false;
    $("ask").hidden = true;
    $("token").focus();
    return;
  }
  say(error.message);
}

async function start() {
  try {
    ({ runs, limits } = await get("/api/runs"));
  } catch (error) {
    report(error);
    return;
  }
  $("login").hidden = true;
  $("ask").hidden = false;
  $("runs").replaceChildren(make("legend", {}, "Models"), ...runs.map((run, number) => showRun(run, number === 0)));
  $("limits").textContent = `Up to ${limits.max_rows.toLocaleString("en")} rows, ${limits.max_megabytes} MB, ${limits.max_atoms} atoms in a molecule.`;
  const names = [...new Set(runs.flatMap((run) => run.uncertainty))].filter((name) => name !== "calibrated");
  $("uncertainty").append(...names.map((name) => make("option", { value: name }, name.replace("_", " "))));
  $("uncertainty-option").hidden = !names.length;
  $("domain-option").hidden = !runs.some((run) => run.domain);
  $("coverage-option").hidden = !runs.some((run) => run.intervals);
}

function showRun(run, checked) {
  const box = make("input", { type: "checkbox", name: "run", value: run.name, checked });
  const of = run.tasks.slice(0, 4).join(", ") + (run.tasks.length > 4 ? `, ... (${run.tasks.length})` : "");
  const text = `${run.members ? `${run.members} models` : run.model}${run.data ? ` on ${run.data}` : ""}: ${of}`;
  const card = run.card ? make("a", { href: `/api/runs/${encodeURIComponent(run.name)}/card`, target: "_blank", rel: "noopener" }, "card") : null;
  return make("div", { class: "run" }, make("label", {}, box, make("b", {}, ` ${run.name}`), make("span", { class: "soft" }, ` ${text}`)), card);
}

function choose(name) {
  for (const each of TABS) {
    const tab = $(`tab-${each}`);
    tab.setAttribute("aria-selected", String(each === name));
    tab.tabIndex = each === name ? 0 : -1;
    $(each).hidden = each !== name;
  }
  if (name === "draw" && !$("frame").firstChild) {
    $("frame").append(make("iframe", { src: "/static/editor.html", title: "Editor of structures" }));
  }
}

function takeText() {
  const text = $("text").value.trim();
  if (!text) return null;
  const first = text.split("\n", 1)[0];
  const name = /[,;\t]/.test(first) ? "pasted.csv" : "pasted.smi";
  return new File([`${text}\n`], name);
}

async function predict(event) {
  event.preventDefault();
  say("");
  const file = $("file").hidden ? takeText() : $("upload").files[0];
  const chosen = [...document.querySelectorAll("input[name=run]:checked")].map((box) => box.value);
  if (!file) return say($("file").hidden ? "Put some molecules there first." : "Choose a file first.");
  if (!chosen.length) return say("Choose a model first.");
  if (file.size > limits.max_megabytes * 1e6) return say(`This file has more than ${limits.max_megabytes} MB: split it.`);
  const domain = $("domain").checked;
  const how = { name: file.name, run: chosen, domain, neighbors: domain ? NEIGHBORS : 0, coverage: $("coverage").value, uncertainty: $("uncertainty").value };
  await forget();
  stopping = new AbortController();
  busy(true);
  try {
    tell("Uploading", 0);
    current = await upload(`/api/jobs${query(how)}`, file, (share) => tell("Uploading", share), stopping.signal);
    await follow();
  } catch (error) {
    if (error.message) report(error);
  } finally {
    busy(false);
  }
}

async function follow() {
  let wait = 150;
  while (current && ["waiting", "running"].includes(current.state)) {
    const { done, total, state } = current;
    tell(state === "waiting" ? "Reading the file" : `Predicting: ${done.toLocaleString("en")} of ${total.toLocaleString("en")} rows`, total ? done / total : null);
    await new Promise((resolve) => setTimeout(resolve, wait));
    wait = Math.min(wait * 1.3, 1500);
    if (!current) return;
    current = await get(`/api/jobs/${current.job}`);
  }
  if (!current) return;
  if (current.state === "failed") return say(current.error);
  if (current.state === "cancelled") return say("Cancelled.");
  await showResults();
}

async function showResults() {
  const { job, total, failed, notes } = current;
  $("summary").textContent = `${total.toLocaleString("en")} rows` + (failed ? `, ${failed.toLocaleString("en")} without a prediction${runs.length > 1 ? " of some model" : ""}` : ", all predicted");
  $("notes").replaceChildren(...notes.slice(0, 5).map((note) => make("li", {}, note)));
  $("failed").checked = false;
  $("failed-option").hidden = !failed;
  $("download").href = `/api/jobs/${job}/table.csv`;
  $("results").hidden = false;
  await table.show(current);
  $("results").scrollIntoView({ behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
}

function tell(text, share) {
  $("stage").textContent = text;
  if (share === null) $("bar").removeAttribute("value");
  else $("bar").value = share;
}

function busy(on) {
  $("progress").hidden = !on;
  $("go").disabled = on;
  if (on) $("results").hidden = true;
}

async function forget() {
  const old = current;
  current = null;
  stopping.abort();
  if (old) await remove(`/api/jobs/${old.job}`).catch(() => {});
}

$("ask").onsubmit = predict;
$("cancel").onclick = async () => {
  await forget();
  say("Cancelled.");
};
$("example").onclick = () => {
  $("text").value = EXAMPLE;
};
$("login").onsubmit = async (event) => {
  event.preventDefault();
  say("");
  try {
    await post("/api/login", { token: $("token").value });
    await start();
  } catch (error) {
    say(error.message);
  }
};
$("close").onclick = () => $("details").close();
for (const [place, name] of TABS.entries()) {
  $(`tab-${name}`).onclick = () => choose(name);
  $(`tab-${name}`).onkeydown = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = TABS[(place + step + TABS.length) % TABS.length];
    choose(next);
    $(`tab-${next}`).focus();
  };
}
for (const kind of ["dragover", "dragleave", "drop"]) {
  $("drop").addEventListener(kind, (event) => {
    event.preventDefault();
    $("drop").classList.toggle("over", kind === "dragover");
    if (kind === "drop" && event.dataTransfer.files.length) $("upload").files = event.dataTransfer.files;
  });
}
addEventListener("message", (event) => {
  const frame = $("frame").firstChild;
  if (!frame || event.source !== frame.contentWindow || typeof event.data?.smiles !== "string") return;
  $("drawn").textContent = event.data.smiles.slice(0, 2000);
  $("take").disabled = !event.data.smiles;
});
$("take").onclick = () => {
  const text = $("text").value;
  $("text").value = `${text}${text && !text.endsWith("\n") ? "\n" : ""}${$("drawn").textContent}\n`;
  choose("paste");
  $("text").focus();
};
addEventListener("pagehide", () => {
  if (current && ["waiting", "running"].includes(current.state)) remove(`/api/jobs/${current.job}`).catch(() => {});
});
start();
