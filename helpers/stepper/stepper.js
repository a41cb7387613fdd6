// The page has all five steps from the beginning, so stepping works while the kernel is busy, and after it is gone.

const KEYS = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
const ABOVE = 2; // rows that stay visible above the first marked line

function render({ model, el }) {
  const steps = model.get("steps");
  const view = Math.random().toString(36).slice(2); // ids of this view
  const fileOf = (step) => [...new Set(step.files.map((piece) => piece.file))].join(", ");
  const titleOf = (k) => `unet.py ${k}/${steps.length} · ${steps[k - 1].title}`;

  const root = make("section", "unet-front unet-boxed unet-steps", el);
  root.setAttribute("aria-label", "The U-Net in steps");
  const bar = make("div", "unet-steps-bar", root);
  const back = button("‹ Back", bar, () => go(model.get("current") - 1));
  const next = button("Next ›", bar, () => go(model.get("current") + 1));
  const list = make("ol", "unet-steps-list", bar);
  list.setAttribute("aria-label", "Steps");
  const jumps = steps.map((step, k) => button(`${k + 1} ${step.title}`, make("li", "", list), () => go(k + 1)));
  const title = make("p", "unet-steps-title", root);
  const sentence = make("p", "", root);
  const columns = make("div", "unet-steps-columns", root);
  const code = make("div", "unet-steps-code", columns);
  code.tabIndex = 0; // so that the keyboard can scroll it
  code.setAttribute("role", "region");
  const graph = make("figure", "unet-steps-graph", columns);
  const details = make("details", "", root);
  make("summary", "", details).textContent = "The shapes as a table";
  const table = make("table", "", details);
  make("caption", "", table).textContent = model.get("small");
  const said = liveRegion("unet-heard", root);

  function button(label, parent, act) {
    const node = make("button", "", parent);
    node.type = "button";
    node.textContent = label;
    node.addEventListener("click", act);
    return node;
  }

  function go(wanted) {
    const k = Math.min(Math.max(wanted, 1), steps.length);
    if (k === model.get("current")) return;
    model.set("current", k);
    try {
      model.send({}); // throws where the kernel is gone; `save_changes` would only log an error
    } catch (error) {
      console.warn(error); // nobody to tell; the page steps on its own
      return;
    }
    model.save_changes();
  }

  function show() {
    const k = model.get("current");
    const step = steps[k - 1];
    title.textContent = titleOf(k);
    sentence.innerHTML = step.sentence;
    // not `disabled`: a button that is, loses the focus of whoever has just pressed it
    back.setAttribute("aria-disabled", String(k === 1));
    next.setAttribute("aria-disabled", String(k === steps.length));
    jumps.forEach((jump, n) => {
      if (n + 1 === k) jump.setAttribute("aria-current", "step");
      else jump.removeAttribute("aria-current");
    });
    code.setAttribute("aria-label", `Code of ${fileOf(step)}`);
    code.replaceChildren(...step.files.flatMap((piece, n) => pieceOf(piece, step, step.files[n - 1])));
    showMarked();
    const ids = /id="title-([0-9a-f]+)"/.exec(step.graph)[1]; // the same picture in two views needs two sets of ids
    graph.innerHTML = step.graph.replaceAll(ids, `${ids}-${view}`);
    const caption = make("figcaption", "", graph);
    caption.textContent = step.strong.length
      ? `In the graph, with thick lines: ${step.strong.join(", ")}.`
      : "Nothing in the graph is stressed: the loss comes after the output.";
    table.querySelector("tbody")?.remove();
    table.append(rowsOf(step));
  }

  function pieceOf(piece, step, before) {
    const head = make("p", "unet-steps-file");
    head.textContent = before && before.file === piece.file ? "⋯" : piece.file;
    const lines = make("pre", "");
    for (const [number, text, marked] of piece.lines) {
      const row = make("span", "unet-steps-line", lines);
      make("span", "unet-steps-sign", row).textContent = marked ? "▸" : "";
      make("span", "unet-steps-number", row).textContent = number;
      const written = make(marked ? "mark" : "span", "unet-steps-text", row);
      if (marked) make("span", "unet-heard", written).textContent = "in question: ";
      const indent = text.length - text.trimStart().length;
      written.style.setProperty("--indent", `${indent}ch`);
      written.append(text.trimStart());
      row.classList.toggle("unet-steps-marked", marked);
      for (const [file, line, , shapes] of step.shapes) {
        if (file !== piece.file || line !== number) continue;
        for (const one of shapes.split("; ")) {
          const note = make("span", "unet-steps-shapes", lines);
          note.style.setProperty("--indent", `${indent}ch`);
          note.textContent = `→ ${one}`;
        }
      }
    }
    return [head, lines];
  }

  function rowsOf(step) {
    const body = make("tbody", "");
    for (const [, line, text, shapes] of step.shapes) {
      const row = make("tr", "", body);
      heading("row", line, row);
      make("code", "", make("td", "", row)).textContent = text;
      make("td", "", row).textContent = shapes;
    }
    return body;
  }

  function heading(scope, text, row) {
    const head = make("th", "", row);
    head.scope = scope;
    head.textContent = text;
  }

  // Scrolls the code and nothing else: `scrollIntoView` would move the notebook, too.
  function showMarked() {
    const first = code.querySelector(".unet-steps-marked");
    code.scrollTop = first.offsetTop - ABOVE * first.offsetHeight;
  }

  function onCurrent() {
    show();
    const step = steps[model.get("current") - 1];
    const marked = step.files.flatMap((piece) => piece.lines.filter((line) => line[2]).map((line) => line[0]));
    said.textContent = `${title.textContent}. ${sentence.textContent} Lines in question: ${marked.join(", ")}.`;
  }

  const row = make("tr", "", make("thead", "", table));
  for (const name of ["line", "code", "shapes there"]) heading("col", name, row);
  root.addEventListener("keydown", (event) => {
    if (!(event.key in KEYS) || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    event.preventDefault();
    go(model.get("current") + KEYS[event.key]);
  });
  keepKeys(root);
  model.on("change:current", onCurrent);
  show();
  requestAnimationFrame(showMarked); // before, the node is on no page and nothing has a height

  return () => model.off("change:current", onCurrent);
}

export default { initialize, render };
