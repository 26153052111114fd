// The interface, read from /openapi.json; requests can be tried from here.

import { get } from "./api.js";
import { $, make } from "./parts.js";

let schema = {};

function resolve(part) {
  return part?.$ref ? part.$ref.split("/").slice(1).reduce((place, name) => place[name], schema) : (part ?? {});
}

function typeOf(part) {
  const found = resolve(part);
  if (found.anyOf) return found.anyOf.map(typeOf).join(" or ");
  if (found.type === "array") return `list of ${typeOf(found.items)}`;
  return found.format === "binary" ? "file" : (found.type ?? "any");
}

function tabulate(rows) {
  const body = make("tbody", {}, ...rows.map((cells) => make("tr", {}, ...cells.map((cell, place) =>
    make("td", {}, place ? cell : make("code", {}, cell))))));
  const head = make("thead", {}, make("tr", {}, ...["name", "type", "default", "meaning"].map((text) => make("th", {}, text))));
  return make("div", { class: "scroll" }, make("table", {}, head, body));
}

const standard = (part) => (part.default === undefined || part.default === null ? "" : JSON.stringify(part.default));

function describe(operation) {
  const parts = [];
  if (operation.description) parts.push(...operation.description.split("\n\n").map((text) => make("p", {}, text.replaceAll("`", ""))));
  if (operation.parameters?.length) {
    parts.push(tabulate(operation.parameters.map((each) => [each.name, typeOf(each.schema), each.required ? "required" : standard(each.schema), each.description ?? ""])));
  }
  const body = resolve(operation.requestBody?.content?.["application/json"]?.schema);
  if (body.properties) {
    parts.push(tabulate(Object.entries(body.properties).map(([name, part]) =>
      [name, typeOf(part), body.required?.includes(name) ? "required" : standard(part), part.description ?? ""])));
  }
  return [parts, body];
}

function command(method, path, body, binary) {
  const here = `${location.origin}${path}`;
  if (binary) return `curl --data-binary @molecules.csv '${here}?name=molecules.csv'`;
  if (body.example) return `curl -H 'Content-Type: application/json' -d '${JSON.stringify(body.example)}' ${here}`;
  return `curl ${method === "get" ? "" : `-X ${method.toUpperCase()} `}${here}`;
}

function tryOut(method, path, body) {
  const text = make("textarea", { rows: 4, spellcheck: false, value: JSON.stringify(body.example ?? {}, null, 1), "aria-label": "Body of the request" });
  const output = make("pre", { hidden: true });
  const button = make("button", { type: "button" }, "Send");
  button.onclick = async () => {
    const options = method === "post" ? { method: "POST", headers: { "Content-Type": "application/json" }, body: text.value } : {};
    const answer = await fetch(path, options);
    const content = await answer.text();
    output.hidden = false;
    output.textContent = `${answer.status}\n${content.slice(0, 5000)}`;
  };
  return make("div", {}, method === "post" ? text : null, make("p", {}, button), output);
}

function show(path, method, operation) {
  const [parts, body] = describe(operation);
  const binary = Boolean(operation.requestBody?.content?.["application/octet-stream"]);
  const simple = !path.includes("{") && (body.example || (method === "get" && !operation.parameters));
  return make("details", { class: "operation" },
    make("summary", {}, make("span", { class: "method" }, method.toUpperCase()), make("code", {}, path), make("span", { class: "soft" }, operation.summary ?? "")),
    ...parts, make("pre", {}, command(method, path, body, binary)), simple ? tryOut(method, path, body) : null);
}

try {
  schema = await get("/openapi.json");
  $("about").textContent = `${schema.info.description} Version ${schema.info.version}.`;
  const groups = {};
  for (const [path, methods] of Object.entries(schema.paths)) {
    for (const [method, operation] of Object.entries(methods)) (groups[operation.tags?.[0] ?? "other"] ??= []).push(show(path, method, operation));
  }
  $("operations").append(...Object.entries(groups).flatMap(([tag, nodes]) => [make("h3", {}, tag), ...nodes]));
} catch (error) {
  $("message").hidden = false;
  $("message").textContent = error.message;
}
