// The front end of the architecture graph. It shows the picture that Python drew, tells Python which part or pixel was
// selected, and shows the card or the field that comes back. It knows nothing of networks.

const PANEL = 270; // sides of output and image on the page, in pixels
const MAP = 150; // side of a feature map
const LATE_MS = 150; // an answer that comes earlier needs no "working"

function render({ model, el }) {
  const root = make("section", "unet-front unet-graph", el);
  const network = make("p", "unet-head", root);
  const picture = make("div", "unet-graph-picture", root);
  const sentences = make("div", "", root);
  const legend = make("p", "unet-small", root);
  make("p", "unet-small", root, {
    textContent: "Select a part: click it, or go to the picture with Tab, move with the arrow keys, and press Enter.",
  });
  const card = make("div", "unet-graph-card unet-aside", root);
  const note = liveRegion("unet-graph-note unet-aside", root, "alert");
  const pixel = make("div", "unet-graph-pixel", root);
  const state = make("p", "", root);
  const table = make("div", "unet-small", root);
  const said = liveRegion("unet-heard", root);
  const suffix = "-" + Math.random().toString(36).slice(2); // keeps the ids of two views apart
  const requests = requestQueue(model, root, note);
  let late;

  function onBusy() {
    clearTimeout(late);
    const show = (text) => cross && (cross.working.textContent = text);
    if (!model.get("busy")) return show("");
    requests.begun();
    late = setTimeout(() => show("working …"), LATE_MS);
  }

  // ---- the picture: one tab stop, arrow keys from part to part ----

  function showDrawing() {
    const drawing = model.get("drawing");
    const focused = root.getRootNode().activeElement;
    const was = picture.contains(focused) ? focused.dataset.part : null;
    const stop = picture.querySelector('[tabindex="0"]')?.dataset.part;
    root.ariaLabel = drawing.title;
    network.textContent = drawing.network;
    picture.innerHTML = drawing.svg.replace(/\b(?:title|about|hatch|head)-[0-9a-f]{8}\b/g, `$&${suffix}`);
    const next = partOf(was || stop) || parts()[0];
    if (next) makeTabStop(next);
    if (was && next) next.focus({ preventScroll: true });
    sentences.replaceChildren();
    for (const sentence of drawing.said) make("p", "", sentences, { innerHTML: `<b>!</b> ${sentence}` });
    state.innerHTML = drawing.state;
    legend.innerHTML = drawing.legend;
    replaceHtml(table, drawing.table);
    showSelected();
    showOutput();
  }

  function parts() {
    const order = Object.keys(model.get("drawing").neighbours);
    const place = (part) => order.indexOf(part.dataset.part);
    return [...picture.querySelectorAll("[role=button]")].sort((a, b) => place(a) - place(b));
  }

  function partOf(name) {
    return parts().find((part) => part.dataset.part === name);
  }

  function makeTabStop(next) {
    for (const part of parts()) part.tabIndex = part === next ? 0 : -1;
  }

  function goTo(name) {
    makeTabStop(partOf(name));
    partOf(name).focus({ preventScroll: true });
  }

  picture.addEventListener("keydown", (event) => {
    const part = event.target.closest("[data-part]");
    if (!part || hasModifier(event)) return;
    const ends = { Home: parts()[0], End: parts().at(-1) };
    const next = model.get("drawing").neighbours[part.dataset.part][event.key] || ends[event.key]?.dataset.part;
    if (event.key === "Enter" || event.key === " ") requests.wish({ select: part.dataset.part });
    else if (next) goTo(next);
    else if (!(event.key in STEPS)) return;
    event.preventDefault();
  });

  picture.addEventListener("click", (event) => {
    const part = event.target.closest("[data-part]");
    if (!part) return;
    goTo(part.dataset.part);
    requests.wish({ select: part.dataset.part });
  });

  function showSelected() {
    const selected = model.get("selected");
    for (const part of picture.querySelectorAll("[data-part]")) {
      const isSelected = part.dataset.part === selected;
      part.classList.toggle("selected", isSelected);
      if (part.role) part.ariaPressed = String(isSelected);
    }
  }

  // ---- the card of the selected part ----

  function showCard() {
    const shown = model.get("card");
    card.replaceChildren();
    card.hidden = !shown.head;
    if (!shown.head) return;
    make("p", "unet-head", card, { textContent: shown.head });
    for (const line of [shown.text, ...shown.facts]) if (line) make("p", "", card, { innerHTML: line });
    if (shown.maps.length) {
      make("p", "", card, { textContent: `${shown.maps_title}:` });
      const row = make("div", "unet-graph-maps unet-row", card);
      for (const map of shown.maps) figure(map, MAP, row);
    }
    if (requests.isMine()) said.textContent = [shown.head, card.children[1]?.textContent].join(". ");
  }

  // ---- a pixel of the output, and what it sees ----

  let cross = null; // the elements of the output panel, and `draw`, which shows an output in it
  let at = null; // [row, column] of the cross, ahead of Python while a key is held down
  let channel = null; // of the output; null is the highest at each pixel

  function showOutput() {
    const output = model.get("output");
    const none = model.get("drawing").no_output;
    pixel.hidden = !output.rgb && !none;
    if (!output.rgb) {
      cross = at = null;
      pixel.replaceChildren();
      if (none) make("p", "", pixel, { textContent: none });
      return;
    }
    if (!cross || !pixel.contains(cross.holder)) makeOutput();
    cross.draw(output);
    showPixel();
  }

  function makeOutput() {
    pixel.replaceChildren();
    const how = "Click one, or go there with Tab and move the cross with the arrow keys, with Shift by ten.";
    make("p", "", pixel, { textContent: `What does a pixel of the output see? ${how}` });
    const working = liveRegion("unet-graph-working", pixel);
    const bar = make("label", "unet-small", pixel);
    bar.append("Channel of the output ");
    const select = make("select", "", bar);
    select.addEventListener("change", () => {
      channel = select.value === "" ? null : Number(select.value);
      if (at) requests.wish({ pixel: at, channel });
    });
    const row = make("div", "unet-row", pixel);
    const frame = make("figure", "", row);
    const caption = make("figcaption", "", frame);
    const holder = make("div", "unet-stack", frame, { tabIndex: 0 });
    const facts = make("div", "unet-graph-facts unet-aside", pixel);
    cross = { holder, row, facts, working, draw };

    function draw(output) {
      caption.textContent = output.title;
      fill(holder, output, PANEL, "");
      bar.hidden = output.channels < 2;
      if (select.options.length !== output.channels + 1) {
        select.replaceChildren();
        for (let k = -1; k < output.channels; k += 1) {
          const [value, textContent] = k < 0 ? ["", "the highest at the pixel"] : [k, k];
          make("option", "", select, { value, textContent });
        }
        channel = null;
      }
      placeCross();
    }

    const move = (row, column) => {
      const { height, width } = model.get("output");
      at = [Math.min(height - 1, Math.max(0, row)), Math.min(width - 1, Math.max(0, column))];
      placeCross();
      requests.wish({ pixel: at, channel });
    };
    holder.addEventListener("keydown", (event) => {
      const step = arrowStep(event);
      if (!step) return;
      event.preventDefault();
      const { height, width } = model.get("output");
      if (at) move(at[0] + step[0], at[1] + step[1]);
      else move(Math.floor(height / 2), Math.floor(width / 2)); // the first key goes to the middle
    });
    holder.addEventListener("click", (event) => {
      const { height, width } = model.get("output");
      const box = holder.getBoundingClientRect();
      const [row, column] = [(event.clientY - box.top) / box.height, (event.clientX - box.left) / box.width];
      move(Math.floor(row * height), Math.floor(column * width));
    });
  }

  function placeCross() {
    const { title, height, width } = model.get("output");
    const place = at ? `The cross is at row ${at[0]}, column ${at[1]}. ` : "";
    const ariaLabel = `${title}. ${place}Arrow keys move the cross, with Shift by ten pixels.`;
    Object.assign(cross.holder, { role: "application", ariaLabel });
    cross.holder.querySelector("svg")?.remove();
    if (!at) return;
    const svg = marks(cross.holder, width, height);
    const [y, x] = [at[0] + 0.5, at[1] + 0.5];
    const arm = 0.05 * Math.max(height, width) + 0.5;
    outlined(svg, "path", { d: `M${x - arm} ${y}H${x + arm}M${x} ${y - arm}V${y + arm}` }, "");
  }

  function showPixel() {
    if (!cross) return;
    const shown = model.get("pixel");
    for (const old of cross.row.querySelectorAll("figure:not(:first-child)")) old.remove();
    cross.facts.replaceChildren();
    if (!shown.title) {
      if (requests.isSettled() && !model.get("problem")) at = null; // drawn anew
      placeCross();
      return;
    }
    if (requests.isSettled()) at = [shown.row, shown.column];
    placeCross();
    for (const input of shown.inputs) {
      const holder = figure(input, PANEL, cross.row);
      if (!("top" in input.frame)) continue;
      const { top: y, left: x, width, height } = input.frame;
      outlined(marks(holder, input.width, input.height), "rect", { x, y, width, height }, "5 3");
    }
    make("p", "unet-head", cross.facts, { textContent: shown.title });
    for (const fact of shown.facts) make("p", "", cross.facts, { innerHTML: fact });
    if (requests.isMine()) said.textContent = cross.facts.textContent;
  }

  keepKeys(root);
  const unwatch = watch(model, {
    drawing: showDrawing,
    selected: showSelected,
    card: showCard,
    output: showOutput,
    pixel: showPixel,
    busy: onBusy,
  });
  const first = model.get("pixel");
  if (first.title) at = [first.row, first.column];
  showDrawing();
  showCard();
  note.textContent = model.get("problem");

  return () => {
    requests.stop();
    unwatch();
  };
}

// ---- pictures ----

function figure(picture, side, parent) {
  const node = make("figure", "", parent);
  make("figcaption", "", node, { textContent: picture.title });
  const holder = make("div", "unet-stack", node);
  fill(holder, picture, side, picture.alt);
  return holder;
}

function fill(holder, picture, side, alt) {
  const { width, height } = picture;
  holder.style.width = `${Math.round(side * Math.min(1, width / height))}px`;
  holder.style.aspectRatio = `${width} / ${height}`;
  holder.querySelector("canvas")?.remove();
  const canvas = canvasOf(picture.rgb, picture);
  holder.prepend(canvas);
  Object.assign(canvas, alt ? { role: "img", ariaLabel: alt } : { ariaHidden: "true" });
}

function marks(holder, width, height) {
  return draw("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", "aria-hidden": "true" }, holder);
}

// Vermilion within white within black stands out on any picture.
function outlined(svg, tag, attributes, dash) {
  for (const [stroke, width] of [["black", 5], ["white", 3.6], ["#D55E00", 2]]) {
    draw(tag, {
      ...attributes, fill: "none", stroke, "stroke-width": width, "vector-effect": "non-scaling-stroke",
      "stroke-dasharray": stroke[0] === "#" ? dash : "",
    }, svg);
  }
}

export default { initialize, render };
