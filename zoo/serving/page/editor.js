// JSME in a frame of its own: each change of the drawing is sent to the page as SMILES, and nothing else.
"use strict";

function jsmeOnLoad() {
  const editor = new JSApplet.JSME("editor", `${innerWidth}px`, `${innerHeight}px`, { options: "newlook,nocanonize,star" });
  const tell = () => parent.postMessage({ smiles: String(editor.smiles()) }, location.origin);
  editor.setCallBack("AfterStructureModified", tell);
  addEventListener("resize", () => editor.setSize(`${innerWidth}px`, `${innerHeight}px`));
}
