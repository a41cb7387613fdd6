// The front end of the architecture graph. It shows the picture that Python drew, tells Python which part or pixel was
// selected, and shows the card or the field that comes back. It knows nothing of networks.

const PANEL = 270; // pixels of the page that output and image are wide
const MAP = 150; // and a feature map
const LATE_MS = 150; // an answer that comes earlier needs no word that it is on its way
const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

function render({ model, el }) {
  const root = make("section", "unet-front unet-graph", el);
  const network = make("p", "unet-graph-head", root);
  const picture = make("div", "unet-graph-picture", root);
  const sentences = make("div", "", root);
  const legend = make("p", "unet-graph-small", root);
  const hint = make("p", "unet-graph-small", root);
  hint.textContent = "Select a part: click it, or go to the picture with Tab, move with the arrow keys, and press Enter.";
  const card = make("div", "unet-graph-card", root);
  const note = liveRegion("unet-graph-note", root, "alert");
  const pixel = make("div", "unet-graph-pixel", root);
  const state = make("p", "", root);
  const table = make("div", "unet-graph-small", root);
  const said = liveRegion("unet-heard", root);
  const suffix = "-" + Math.random().toString(36).slice(2); // ids of another view are others
  const kernel = kernelOf(model, (text) => (note.textContent = text));

  // ---- from the student to Python: one request on its way, and after its answer the latest wish only ----

  let asked = model.get("answered"); // number of the last request sent
  let wishes = null;
  let channel = null; // of the output; null is the highest at each pixel

  function wish(values) {
    wishes = { ...wishes, ...values };
    if (model.get("answered") >= asked) send();
  }

  function send() {
    const content = wishes;
    wishes = null;
    asked = Math.max(asked, model.get("answered")) + 1; // another view may have asked since
    if (kernel.send({ ...content, number: asked })) busy(true);
    else asked = model.get("answered");
  }

  function onAnswered() {
    if (model.get("answered") < asked) return; // of another view, or an older wish
    kernel.answered();
    busy(false);
    note.textContent = model.get("problem");
    if (wishes) send();
    else if (cross) placeCross();
  }

  function onBusy() {
    if (!model.get("busy")) return;
    kernel.answered(); // it has begun
    note.textContent = "";
    busy(true);
  }

  let late;

  function busy(is) {
    root.setAttribute("aria-busy", String(is));
    clearTimeout(late);
    const say = (text) => cross && (cross.working.textContent = text);
    if (is) late = setTimeout(() => say("working …"), LATE_MS);
    else say("");
  }

  // ---- the picture: one tab stop, arrow keys from part to part ----

  function showDrawing() {
    const drawing = model.get("drawing");
    const was = picture.contains(focused()) ? focused().dataset.part : null;
    const stop = tabStop();
    root.setAttribute("aria-label", drawing.title);
    network.textContent = drawing.network;
    picture.innerHTML = drawing.svg.replace(/\b(?:title|about|hatch|head)-[0-9a-f]{8}\b/g, `$&${suffix}`);
    for (const part of parts()) part.setAttribute("tabindex", "-1");
    const next = partOf(was || stop) || parts()[0];
    if (next) next.setAttribute("tabindex", "0");
    if (was && next) next.focus({ preventScroll: true });
    sentences.replaceChildren();
    for (const sentence of drawing.said) make("p", "", sentences).innerHTML = `<b>!</b> ${sentence}`;
    state.innerHTML = drawing.state;
    legend.innerHTML = drawing.legend;
    const open = table.querySelector("details")?.open;
    table.innerHTML = drawing.table;
    if (open && table.querySelector("details")) table.querySelector("details").open = true;
    showSelected();
    showOutput();
  }

  function parts() {
    const drawn = [...picture.querySelectorAll("[role=button]")];
    const order = Object.keys(model.get("drawing").neighbours);
    return drawn.sort((a, b) => order.indexOf(a.dataset.part) - order.indexOf(b.dataset.part));
  }

  function partOf(name) {
    return parts().find((part) => part.dataset.part === name);
  }

  function tabStop() {
    return picture.querySelector('[tabindex="0"]')?.dataset.part;
  }

  function goTo(name) {
    for (const part of parts()) part.setAttribute("tabindex", part.dataset.part === name ? "0" : "-1");
    partOf(name).focus({ preventScroll: true });
  }

  function focused() {
    return root.getRootNode().activeElement;
  }

  picture.addEventListener("keydown", (event) => {
    const part = event.target.closest("[data-part]");
    if (!part || event.ctrlKey || event.metaKey || event.altKey) return;
    const all = parts();
    const ends = { Home: all[0], End: all[all.length - 1] };
    const next = model.get("drawing").neighbours[part.dataset.part][event.key] || ends[event.key]?.dataset.part;
    if (event.key === "Enter" || event.key === " ") wish({ select: part.dataset.part });
    else if (next) goTo(next);
    else if (!(event.key in STEPS)) return;
    event.preventDefault();
  });

  picture.addEventListener("click", (event) => {
    const part = event.target.closest("[data-part]");
    if (!part) return;
    goTo(part.dataset.part);
    wish({ select: part.dataset.part });
  });

  function showSelected() {
    const selected = model.get("selected");
    for (const part of picture.querySelectorAll("[data-part]")) {
      const is = part.dataset.part === selected;
      part.classList.toggle("selected", is);
      if (part.getAttribute("role")) part.setAttribute("aria-pressed", String(is));
    }
  }

  // ---- the card of the selected part ----

  function showCard() {
    const shown = model.get("card");
    card.replaceChildren();
    card.hidden = !shown.head;
    if (!shown.head) return;
    make("p", "unet-graph-head", card).textContent = shown.head;
    if (shown.text) make("p", "", card).innerHTML = shown.text;
    for (const fact of shown.facts) make("p", "", card).innerHTML = fact;
    if (shown.maps.length) {
      make("p", "", card).textContent = `${shown.maps_title}:`;
      const row = make("div", "unet-graph-maps", card);
      for (const map of shown.maps) figure(map, MAP, row);
    }
    if (isMine()) said.textContent = [shown.head, card.children[1]?.textContent].join(". ");
  }

  function isMine() {
    return model.get("answered") === asked && asked > 0;
  }

  // ---- a pixel of the output, and what it sees ----

  let cross = null; // the output panel: where the cross stands, and how it is moved
  let at = null; // [row, column], ahead of Python while a key is held down

  function showOutput() {
    const output = model.get("output");
    const none = model.get("drawing").no_output;
    pixel.hidden = !output.rgb && !none;
    if (!output.rgb) {
      cross = at = null;
      pixel.replaceChildren();
      if (none) make("p", "", pixel).textContent = none;
      return;
    }
    if (!cross || !pixel.contains(cross.holder)) makeOutput();
    cross.draw(output);
    showPixel();
  }

  function makeOutput() {
    pixel.replaceChildren();
    const how = make("p", "", pixel);
    how.textContent =
      "What does a pixel of the output see? Click one, or go there with Tab and move the cross with the arrow keys, " +
      "with Shift by ten.";
    const working = liveRegion("unet-graph-working", pixel);
    const bar = make("label", "unet-graph-small", pixel);
    bar.append("Channel of the output ");
    const select = make("select", "", bar);
    select.addEventListener("change", () => {
      channel = select.value === "" ? null : Number(select.value);
      if (at) wish({ pixel: at, channel });
    });
    const row = make("div", "unet-graph-panels", pixel);
    const frame = make("figure", "", row);
    const caption = make("figcaption", "", frame);
    const holder = make("div", "unet-graph-holder", frame);
    holder.tabIndex = 0;
    holder.setAttribute("role", "application");
    const facts = make("div", "unet-graph-facts", pixel);
    cross = { holder, row, facts, working, draw };

    function draw(output) {
      caption.textContent = output.title;
      fill(holder, output, PANEL, "");
      bar.hidden = output.channels < 2;
      if (select.options.length !== output.channels + 1) {
        select.replaceChildren();
        for (let k = -1; k < output.channels; k += 1) {
          const option = make("option", "", select);
          option.value = k < 0 ? "" : k;
          option.textContent = k < 0 ? "the highest at the pixel" : k;
        }
        channel = null;
      }
      placeCross();
    }

    const move = (to) => {
      const { height, width } = model.get("output");
      at = [Math.min(height - 1, Math.max(0, to[0])), Math.min(width - 1, Math.max(0, to[1]))];
      placeCross();
      wish({ pixel: at, channel });
    };
    holder.addEventListener("keydown", (event) => {
      if (!(event.key in STEPS) || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      const { height, width } = model.get("output");
      const size = event.shiftKey ? 10 : 1;
      const step = STEPS[event.key].map((one) => one * size);
      move(at ? [at[0] + step[0], at[1] + step[1]] : [Math.floor(height / 2), Math.floor(width / 2)]); // first: the middle
    });
    holder.addEventListener("click", (event) => {
      const { height, width } = model.get("output");
      const box = holder.getBoundingClientRect();
      move([
        Math.floor(((event.clientY - box.top) / box.height) * height),
        Math.floor(((event.clientX - box.left) / box.width) * width),
      ]);
    });
  }

  function placeCross() {
    const { title, height, width } = model.get("output");
    const place = at ? `The cross is at row ${at[0]}, column ${at[1]}. ` : "";
    cross.holder.setAttribute("aria-label", `${title}. ${place}Arrow keys move the cross, with Shift by ten pixels.`);
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
      if (!wishes && model.get("answered") >= asked && !model.get("problem")) at = null; // drawn anew
      placeCross();
      return;
    }
    if (!wishes && model.get("answered") >= asked) at = [shown.row, shown.column];
    placeCross();
    for (const input of shown.inputs) {
      const holder = figure(input, PANEL, cross.row);
      if (!("top" in input.frame)) continue;
      const { top: y, left: x, width, height } = input.frame;
      outlined(marks(holder, input.width, input.height), "rect", { x, y, width, height }, "5 3");
    }
    make("p", "unet-graph-head", cross.facts).textContent = shown.title;
    for (const fact of shown.facts) make("p", "", cross.facts).innerHTML = fact;
    if (isMine()) said.textContent = cross.facts.textContent;
  }

  keepKeys(root);
  const watched = {
    "change:drawing": showDrawing,
    "change:selected": showSelected,
    "change:card": showCard,
    "change:output": showOutput,
    "change:pixel": showPixel,
    "change:busy": onBusy,
    "change:answered": onAnswered,
  };
  for (const [event, handler] of Object.entries(watched)) model.on(event, handler);
  const first = model.get("pixel");
  if (first.title) at = [first.row, first.column];
  showDrawing();
  showCard();
  note.textContent = model.get("problem");

  return () => {
    kernel.stop();
    clearTimeout(late);
    for (const [event, handler] of Object.entries(watched)) model.off(event, handler);
  };
}

// ---- pictures ----

function figure(picture, side, parent) {
  const node = make("figure", "", parent);
  make("figcaption", "", node).textContent = picture.title;
  const holder = make("div", "unet-graph-holder", node);
  fill(holder, picture, side, picture.alt);
  return holder;
}

// A canvas of one pixel a pixel, which the page enlarges.
function fill(holder, picture, side, alt) {
  const { width, height } = picture;
  holder.style.width = `${Math.round(side * Math.min(1, width / height))}px`;
  holder.style.aspectRatio = `${width} / ${height}`;
  holder.querySelector("canvas")?.remove();
  const canvas = make("canvas", "");
  holder.prepend(canvas);
  if (alt) {
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", alt);
  } else {
    canvas.setAttribute("aria-hidden", "true");
  }
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const view = picture.rgb;
  const rgb = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  for (let k = 0; k < width * height; k += 1) image.data.set([rgb[3 * k], rgb[3 * k + 1], rgb[3 * k + 2], 255], 4 * k);
  context.putImageData(image, 0, 0);
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
