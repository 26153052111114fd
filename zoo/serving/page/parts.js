// Small parts of pages. Texts of users become text nodes and nothing else.

export const $ = (name) => document.getElementById(name);

export function make(tag, options = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(options)) {
    if (name === "class") node.className = value;
    else if (name in node) node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

export function picture(smiles, width, height) {
  const values = new URLSearchParams({ molecule: smiles, width, height });
  const image = make("img", { alt: "", loading: "lazy", width, height, class: "paper" });
  image.onerror = () => image.replaceWith(make("span", { class: "none", title: "no picture" }, "—"));
  image.src = `/api/structure.svg?${values}`;
  return image;
}

export function format(value) {
  if (value === null || value === undefined || value === "") return "—";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value !== "number") return String(value);
  const size = Math.abs(value);
  const text = size !== 0 && (size < 1e-3 || size >= 1e6) ? value.toExponential(2) : String(Number(value.toPrecision(4)));
  return text.replace("-", "−");
}
