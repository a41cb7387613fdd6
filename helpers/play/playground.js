// The front end of every playground. It draws the scene that Python computed and sends what the student sets.
// It knows pictures, plots and controls, and nothing of convolutions, losses or thresholds.

const PANEL = 230; // pixels of the page that a picture is wide, about
const CLOSEST = 8; // pixels of a picture that the closest look still shows
const ALL = { zoom: 1, left: 0, top: 0 };
const LINES = [
  { colour: "#0072B2", dash: "", marker: "circle" },
  { colour: "#D55E00", dash: "7 4", marker: "square" },
  { colour: "#009E73", dash: "2 3", marker: "triangle" },
  { colour: "#E69F00", dash: "7 3 2 3", marker: "diamond" },
];

function render({ model, el }) {
  const root = make("section", "unet-front unet-playground", el);
  root.setAttribute("aria-label", model.get("title"));
  const title = make("p", "unet-playground-title", root);
  title.textContent = model.get("title");
  const working = liveRegion("unet-playground-working", title);
  const form = make("div", "unet-playground-controls", root);
  const lens = make("div", "unet-playground-controls", root);
  const stage = make("div", "unet-playground-rows", root);
  const wiper = make("div", "unet-playground-wipe", root);
  const legend = make("p", "unet-playground-legend", root);
  const facts = make("ul", "unet-playground-facts", root);
  const said = liveRegion("unet-heard", root); // only what is new is put into it
  const note = liveRegion("unet-playground-note", root, "alert");
  const kernel = kernelOf(model, (text) => (note.textContent = text));

  const setters = new Map(); // control name -> shows a value that came from Python
  const undo = [];
  let shownIn = []; // what has to be painted again when the student looks closer
  model.get("controls").forEach((control) => setters.set(control.name, controlFor(control)));

  // ---- from the student to Python: one request on its way, and after its answer the latest wish only ----

  let asked = 0; // number of the last request sent
  let wishes = null;

  function wish(values) {
    wishes = { ...wishes, ...values };
    if (model.get("answered") >= asked) send();
  }

  function send() {
    const set = wishes;
    wishes = null;
    asked = Math.max(asked, model.get("answered")) + 1; // another view may have asked since
    if (kernel.send({ set, number: asked })) root.setAttribute("aria-busy", "true");
  }

  function onAnswered() {
    if (model.get("answered") < asked) return; // of another view, or an older wish
    kernel.answered();
    note.textContent = model.get("problem");
    root.removeAttribute("aria-busy");
    if (wishes) send();
    else showValues(); // a control that asked for what cannot be goes back
  }

  function onWorking() {
    const what = model.get("working");
    working.textContent = what && ` · working: ${what}`;
    if (what) kernel.answered(); // it is busy with this, so nobody has to wonder
  }

  // ---- controls ----

  function controlFor(control) {
    if (control.kind === "grid") return gridControl(control);
    return rangeControl(control);
  }

  function rangeControl(control) {
    const label = make("label", "unet-playground-control", form);
    make("span", "", label).textContent = control.label;
    const input = make("input", "", label);
    Object.assign(input, { type: "range", min: control.min, max: control.max, step: control.step });
    const shown = make("span", "unet-playground-value", label); // no <output>: it would speak beside the live region
    const show = (value) => {
      input.value = value;
      shown.textContent = `${Number(value.toPrecision(6))}${control.unit ? " " + control.unit : ""}`;
      input.setAttribute("aria-valuetext", shown.textContent);
    };
    input.addEventListener("input", () => {
      show(Number(input.value));
      wish({ [control.name]: Number(input.value) });
    });
    // What a slider may reach can depend on another one.
    show.limit = ({ min, max, step }) => Object.assign(input, { min, max, step });
    show(control.value);
    return show;
  }

  function gridControl(control) {
    const group = make("fieldset", "unet-playground-grid", form);
    make("legend", "", group).textContent = control.label;
    const table = make("div", "", group);
    table.style.gridTemplateColumns = `repeat(${control.value[0].length}, auto)`;
    const inputs = control.value.map((row, r) =>
      row.map((_, c) => {
        const input = make("input", "", table);
        Object.assign(input, { type: "number", step: "any" });
        input.setAttribute("aria-label", `row ${r + 1}, column ${c + 1}`);
        input.addEventListener("input", () => {
          const values = inputs.map((line) => line.map((one) => one.valueAsNumber));
          if (values.flat().every(Number.isFinite)) wish({ [control.name]: values });
        });
        return input;
      }),
    );
    const show = (value) =>
      value.forEach((row, r) =>
        row.forEach((number, c) => {
          const input = inputs[r][c];
          if (input.valueAsNumber !== number) input.value = Number(number.toPrecision(4));
        }),
      );
    show(control.value);
    return show;
  }

  keepKeys(root);

  // ---- from Python to the page ----

  function showValues() {
    const values = model.get("values");
    if (model.get("answered") < asked || wishes) return; // the student is further on
    for (const [name, show] of setters) if (name in values) show(values[name]);
  }

  function showLimits() {
    for (const control of model.get("controls")) setters.get(control.name).limit?.(control);
  }

  function showScene() {
    const scene = model.get("scene");
    // A picture that can be dragged keeps its node, and with it the focus of whoever moves it by arrow keys.
    const kept = new Map([...stage.querySelectorAll("[data-drags]")].map((node) => [node.dataset.drags, node]));
    const focused = root.getRootNode().activeElement;
    shownIn = [];
    const rows = scene.rows.map((panels) => {
      const row = make("div", "unet-playground-row");
      row.style.setProperty("--playground-columns", panels.map(column).join(" "));
      row.classList.toggle("many", panels.length > 4);
      for (const panel of panels) row.append(panel.kind === "picture" ? picture(panel, kept) : plot(panel));
      return row;
    });
    stage.setAttribute("role", "group");
    stage.setAttribute("aria-label", scene.alt);
    stage.replaceChildren(...rows);
    if (focused && root.contains(focused)) focused.focus({ preventScroll: true });
    legend.replaceChildren(...scene.legend.map(legendEntry));
    legend.hidden = scene.legend.length === 0;
    lens.replaceChildren();
    showLens();
    showWipe();
    showLooking();
  }

  function showFacts() {
    const before = new Set([...facts.children].map((item) => item.innerHTML));
    const first = facts.children.length === 0;
    facts.replaceChildren();
    const changed = [];
    for (const fact of model.get("facts")) {
      const item = make("li", "", facts);
      item.innerHTML = fact;
      if (!before.has(item.innerHTML)) changed.push(item.textContent);
    }
    if (!first) said.textContent = changed.join(" ");
  }

  function picture(panel, kept) {
    const figure = make("figure", "unet-playground-picture");
    const caption = make("figcaption", "", figure);
    caption.textContent = panel.title;
    const scale = scaleOf(panel);
    const key = panel.drags.join(" ");
    const holder = (key && kept.get(key)) || make("div", "unet-playground-holder");
    holder.replaceChildren();
    figure.append(holder);
    fill(holder, panel, sourcesOf(panel), scale);
    if (key && !kept.has(key)) makeDraggable(holder, panel, key);
    if (key) make("p", "unet-playground-hint", caption).textContent = "Drag it, or use the arrow keys.";
    holder.perPixel = () => holder.getBoundingClientRect().width / panel.width;
    return figure;
  }

  // Puts the picture into its holder; one that zooms is painted again for each window.
  function fill(holder, panel, sources, scale) {
    const [width, height] = [panel.width, panel.height].map((side) => Math.round(side * scale));
    holder.style.aspectRatio = `${width} / ${height}`;
    holder.style.width = `${width}px`;
    const canvas = canvasFor(width, height);
    const marks = marksOf(panel, scale, width, height);
    holder.append(canvas, marks);
    paint(canvas, sources, ALL);
    if (!model.get("scene").zooms) return;
    shownIn.push((at) => {
      paint(canvas, sources, at);
      marks.setAttribute("viewBox", [at.left * width, at.top * height, width / at.zoom, height / at.zoom].join(" "));
    });
    makeZoomable(holder, panel);
  }

  function makeDraggable(holder, panel, key) {
    const [down, right] = panel.drags;
    holder.dataset.drags = key;
    holder.tabIndex = 0;
    holder.setAttribute("role", "application");
    holder.setAttribute("aria-label", `${panel.title}. Arrow keys move the shape, with Shift by ten pixels.`);
    const clamp = (name, value) => {
      const { min, max } = model.get("controls").find((control) => control.name === name);
      return Math.min(max, Math.max(min, value));
    };
    const at = {};
    const here = (name) => (name in at ? at[name] : model.get("values")[name]);
    const move = (rows, columns) => {
      at[down] = clamp(down, here(down) + rows);
      at[right] = clamp(right, here(right) + columns);
      setters.get(down)(at[down]);
      setters.get(right)(at[right]);
      wish({ [down]: at[down], [right]: at[right] });
    };
    const forget = () => {
      if (model.get("answered") >= asked && !wishes) for (const name of [down, right]) delete at[name];
    };
    model.on("change:answered", forget);
    undo.push(() => model.off("change:answered", forget));
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    holder.addEventListener("keydown", (event) => {
      if (!(event.key in steps)) return;
      event.preventDefault();
      const size = event.shiftKey ? 10 : 1;
      move(...steps[event.key].map((step) => step * size));
    });
    let from = null;
    holder.addEventListener("pointerdown", (event) => {
      from = { x: event.clientX, y: event.clientY };
      holder.setPointerCapture(event.pointerId);
      holder.focus({ preventScroll: true });
    });
    holder.addEventListener("pointermove", (event) => {
      if (!from) return;
      const per = holder.perPixel();
      const rows = Math.trunc((event.clientY - from.y) / per);
      const columns = Math.trunc((event.clientX - from.x) / per);
      if (!rows && !columns) return;
      from = { x: from.x + columns * per, y: from.y + rows * per };
      move(rows, columns);
    });
    for (const end of ["pointerup", "pointercancel"]) holder.addEventListener(end, () => (from = null));
  }

  // ---- looking closer: all pictures through one window, which the page keeps to itself, so that it needs no kernel ----

  function look(change) {
    const now = { ...model.get("looking"), ...change };
    const { width, height } = model.get("scene").rows[0][0];
    now.zoom = Math.min(Math.max(1, now.zoom), Math.max(1, Math.min(width, height) / CLOSEST));
    for (const side of ["left", "top"]) now[side] = Math.min(Math.max(0, now[side]), 1 - 1 / now.zoom);
    now.wipe = Math.min(Math.max(0, now.wipe), 1);
    model.set("looking", now); // tells the other views too
  }

  // `x` and `y` say which point of the window, from 0 to 1, stays where it is.
  function zoom(factor, x = 0.5, y = 0.5) {
    const { zoom: before, left, top } = model.get("looking");
    look({ zoom: before * factor });
    const { zoom: after } = model.get("looking");
    look({ left: left + x / before - x / after, top: top + y / before - y / after });
  }

  function pan(x, y) {
    const { zoom: times, left, top } = model.get("looking");
    look({ left: left + x / times, top: top + y / times });
  }

  function makeZoomable(holder, panel) {
    holder.dataset.zooms = "";
    const first = !shownIn.some((show) => show.hasKeys);
    holder.tabIndex = first ? 0 : -1; // one stop for all, since they move together
    if (first) {
      shownIn[shownIn.length - 1].hasKeys = true;
      holder.setAttribute("role", "application");
      holder.setAttribute("aria-label", `${panel.title}. Plus and minus zoom all pictures, arrow keys move them, 0 shows all.`);
    }
    const keys = {
      "+": () => zoom(2), "=": () => zoom(2), "-": () => zoom(0.5), 0: () => look(ALL),
      ArrowUp: () => pan(0, -0.125), ArrowDown: () => pan(0, 0.125),
      ArrowLeft: () => pan(-0.125, 0), ArrowRight: () => pan(0.125, 0),
    };
    holder.addEventListener("keydown", (event) => {
      if (!(event.key in keys) || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      keys[event.key]();
    });
    holder.addEventListener(
      "wheel",
      (event) => {
        if (!event.ctrlKey && !holder.matches(":focus")) return; // whoever scrolls past it does not mean the picture
        event.preventDefault();
        const box = holder.getBoundingClientRect();
        zoom(event.deltaY < 0 ? 1.25 : 0.8, (event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
      },
      { passive: false },
    );
    dragged(holder, (event, from) => {
      const box = holder.getBoundingClientRect();
      pan((from.x - event.clientX) / box.width, (from.y - event.clientY) / box.height);
    });
  }

  function dragged(node, moved) {
    let from = null;
    node.addEventListener("pointerdown", (event) => {
      from = { x: event.clientX, y: event.clientY };
      node.setPointerCapture(event.pointerId);
    });
    node.addEventListener("pointermove", (event) => {
      if (!from) return;
      moved(event, from);
      from = { x: event.clientX, y: event.clientY };
    });
    for (const end of ["pointerup", "pointercancel"]) node.addEventListener(end, () => (from = null));
  }

  function showLens() {
    lens.hidden = !model.get("scene").zooms;
    if (lens.hidden) return;
    const button = (text, name, act) => {
      const node = make("button", "", lens);
      node.type = "button";
      node.textContent = text;
      node.setAttribute("aria-label", name);
      node.addEventListener("click", act);
    };
    button("−", "Zoom out", () => zoom(0.5));
    button("+", "Zoom in", () => zoom(2));
    button("Show all", "Show all", () => look(ALL));
    const place = liveRegion("unet-playground-place", lens);
    make("span", "unet-playground-hint", lens).textContent =
      "Drag a picture to move all of them. Or click one: + and − or the wheel zoom, arrow keys move, 0 shows all.";
    shownIn.push(({ zoom: times, left, top }) => {
      const { width, height } = model.get("scene").rows[0][0];
      const span = (start, side) => `${Math.round(start * side)} to ${Math.round((start + 1 / times) * side) - 1}`;
      place.textContent = `${Number(times.toPrecision(2))}×: rows ${span(top, height)}, columns ${span(left, width)}`;
    });
  }

  // Two pictures in one place: one on the left of a line, one on the right of it.
  function showWipe() {
    const { rows, wipes } = model.get("scene");
    const names = Object.keys(wipes);
    wiper.replaceChildren();
    wiper.hidden = names.length === 0;
    if (wiper.hidden) return;
    const pictures = names.map((name) => rows[wipes[name][0]][wipes[name][1]]);
    const sources = pictures.map(sourcesOf);
    const scale = (2 * PANEL) / pictures[0].width;
    const [width, height] = [pictures[0].width, pictures[0].height].map((side) => Math.round(side * scale));

    const figure = make("figure", "unet-playground-picture", wiper);
    const caption = make("figcaption", "unet-playground-sides", figure);
    const sides = ["Left", "Right"].map((side, k) => sideOf(side, k, names, caption));
    const holder = make("div", "unet-playground-holder", figure);
    holder.style.aspectRatio = `${width} / ${height}`;
    holder.style.width = caption.style.width = `${width}px`;
    const canvases = [0, 1].map(() => holder.appendChild(canvasFor(width, height)));
    const line = make("div", "unet-playground-line", holder);
    const label = make("label", "unet-playground-control", figure);
    make("span", "", label).textContent = "Line";
    const slider = make("input", "", label);
    Object.assign(slider, { type: "range", min: 0, max: 100, step: 1 });
    slider.addEventListener("input", () => look({ wipe: Number(slider.value) / 100 }));
    holder.dataset.wipes = "";
    const toPointer = (event) => {
      const box = holder.getBoundingClientRect();
      look({ wipe: (event.clientX - box.left) / box.width });
    };
    holder.addEventListener("pointerdown", toPointer);
    dragged(holder, toPointer);

    shownIn.push((at) => {
      const [left, right] = at.pair;
      sides.forEach((show, k) => show(at.pair[k]));
      paint(canvases[0], sources[right], at);
      paint(canvases[1], sources[left], at);
      canvases[1].style.clipPath = `inset(0 ${100 * (1 - at.wipe)}% 0 0)`;
      line.style.left = `${100 * at.wipe}%`;
      slider.value = Math.round(100 * at.wipe);
      slider.setAttribute("aria-valuetext", `${slider.value} % of the width is ${names[left]}, the rest ${names[right]}`);
    });
  }

  function sideOf(side, k, names, caption) {
    const label = make("label", "", caption);
    make("span", "", label).textContent = `${side}: `;
    if (names.length === 2) {
      const name = make("b", "", label);
      return (chosen) => (name.textContent = names[chosen]);
    }
    const select = make("select", "", label);
    names.forEach((name, n) => Object.assign(make("option", "", select), { value: n, textContent: name }));
    select.addEventListener("change", () => {
      const pair = [...model.get("looking").pair];
      pair[k] = Number(select.value);
      look({ pair });
    });
    return (chosen) => (select.value = chosen);
  }

  function showLooking() {
    for (const show of shownIn) show(model.get("looking"));
  }

  const watched = {
    "change:controls": showLimits,
    "change:values": showValues,
    "change:scene": showScene,
    "change:facts": showFacts,
    "change:answered": onAnswered,
    "change:looking": showLooking,
    "change:working": onWorking,
  };
  for (const [event, handler] of Object.entries(watched)) model.on(event, handler);
  asked = model.get("answered");
  showScene();
  showFacts();

  return () => {
    kernel.stop();
    for (const [event, handler] of Object.entries(watched)) model.off(event, handler);
    for (const step of undo) step();
  };
}

// ---- pictures ----

// Pictures grow narrower where a row is full; a plot soon could not be read.
function column(panel) {
  return panel.kind === "picture" ? `minmax(0, ${Math.round(panel.width * scaleOf(panel))}px)` : `minmax(250px, ${BOX.width}px)`;
}

function scaleOf(panel) {
  return Math.max(PANEL / panel.width, panel.numbers.length ? 34 : 0);
}

function canvasFor(width, height) {
  const ratio = window.devicePixelRatio || 1;
  return Object.assign(make("canvas", ""), { width: width * ratio, height: height * ratio });
}

// What a picture is painted from: its pixels, and the areas of its layers in their colours.
function sourcesOf(panel) {
  const count = panel.width * panel.height;
  const pixels = bytes(panel.pixels);
  const image = new Uint8ClampedArray(4 * count).fill(255);
  for (let k = 0; k < count; k += 1) {
    for (let c = 0; c < 3; c += 1) image[4 * k + c] = panel.channels === 1 ? pixels[k] : pixels[3 * k + c];
  }
  const areas = panel.layers.map((layer) => {
    const mask = bytes(layer.mask);
    const colour = [1, 3, 5].map((k) => parseInt(layer.colour.slice(k, k + 2), 16));
    const area = new Uint8ClampedArray(4 * count);
    for (let k = 0; k < count; k += 1) if (mask[k]) area.set([...colour, 255], 4 * k);
    return { hatch: layer.hatch, canvas: canvasOf(area, panel) };
  });
  return { image: canvasOf(image, panel), areas };
}

function canvasOf(rgba, { width, height }) {
  const canvas = Object.assign(make("canvas", ""), { width, height });
  canvas.getContext("2d").putImageData(new ImageData(rgba, width, height), 0, 0);
  return canvas;
}

// Paints the part of a picture that is seen through the window `at`.
function paint(canvas, { image, areas }, at) {
  const context = canvas.getContext("2d");
  const part = [at.left * image.width, at.top * image.height, image.width / at.zoom, image.height / at.zoom];
  const whole = [0, 0, canvas.width, canvas.height];
  context.imageSmoothingEnabled = false;
  context.drawImage(image, ...part, ...whole);
  for (const { hatch, canvas: area } of areas) {
    context.globalAlpha = 0.6;
    context.drawImage(area, ...part, ...whole);
    context.globalAlpha = 1;
    if (hatch) context.drawImage(hatched(area, part, whole, hatch), 0, 0);
  }
}

function hatched(area, part, whole, hatch) {
  const canvas = Object.assign(make("canvas", ""), { width: whole[2], height: whole[3] });
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.drawImage(area, ...part, ...whole);
  context.globalCompositeOperation = "source-in"; // the hatch only where the area is
  context.fillStyle = context.createPattern(tile(hatch, window.devicePixelRatio || 1), "repeat");
  context.fillRect(...whole);
  return canvas;
}

function tile(hatch, ratio) {
  const side = Math.round(7 * ratio);
  const canvas = make("canvas", "");
  canvas.width = side;
  canvas.height = side;
  const context = canvas.getContext("2d");
  context.lineWidth = ratio;
  context.beginPath();
  if (hatch === ".") {
    context.arc(side / 2, side / 2, 1.1 * ratio, 0, 7);
    context.fill();
    return canvas;
  }
  for (const shift of [-side, 0, side]) {
    context.moveTo(shift - 1, side + 1);
    context.lineTo(shift + side + 1, -1);
    if (hatch === "x") {
      context.moveTo(shift - 1, -1);
      context.lineTo(shift + side + 1, side + 1);
    }
  }
  context.stroke();
  return canvas;
}

function marksOf(panel, scale, width, height) {
  const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
  for (const frame of panel.frames) {
    draw("rect", {
      x: frame.left * scale, y: frame.top * scale, width: frame.width * scale, height: frame.height * scale,
      fill: "none", stroke: frame.colour, "stroke-width": frame.wide ? 3 : 1.6,
      "stroke-dasharray": frame.dashed ? "5 4" : "",
    }, svg);
  }
  for (const [row, column] of panel.rings) {
    draw("circle", {
      cx: (column + 0.5) * scale, cy: (row + 0.5) * scale, r: Math.max(6, 0.7 * scale), fill: "none", stroke: "#E69F00",
      "stroke-width": 2,
    }, svg);
  }
  const pixels = bytes(panel.pixels);
  panel.numbers.forEach((row, r) =>
    row.forEach((text, c) => {
      const k = panel.channels * (r * panel.width + c);
      const [red, green, blue] = panel.channels === 1 ? [pixels[k], pixels[k], pixels[k]] : pixels.slice(k, k + 3);
      const light = 0.299 * red + 0.587 * green + 0.114 * blue > 140;
      draw("text", {
        x: (c + 0.5) * scale, y: (r + 0.5) * scale, "text-anchor": "middle", "dominant-baseline": "central",
        "font-size": Math.min(12, 0.34 * scale), fill: light ? "black" : "white",
      }, svg).textContent = text;
    }),
  );
  return svg;
}

function legendEntry(layer) {
  const entry = make("span", "unet-playground-key");
  const box = make("canvas", "", entry);
  box.width = 28;
  box.height = 14;
  const context = box.getContext("2d");
  context.globalAlpha = 0.75;
  context.fillStyle = layer.colour;
  context.fillRect(0, 0, 28, 14);
  context.globalAlpha = 1;
  if (layer.hatch) {
    context.fillStyle = context.createPattern(tile(layer.hatch, 1), "repeat");
    context.fillRect(0, 0, 28, 14);
  }
  entry.append(" " + layer.name);
  return entry;
}

function bytes(view) {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

// ---- plots ----

const BOX = { width: 300, height: 230, left: 58, right: 10, top: 8, bottom: 40 };
const SMALL = 0.01; // a symlog axis is linear below

function plot(panel) {
  const figure = make("figure", "unet-playground-plot");
  make("figcaption", "", figure).textContent = panel.title;
  const svg = draw("svg", { viewBox: `0 0 ${BOX.width} ${BOX.height}`, "aria-hidden": "true" }, figure);
  const heights = [...Object.values(panel.lines).flat(), ...panel.bars.flatMap((bar) => bar[1])];
  const x = axis(panel.xscale, extent(panel.x, panel.bars.length ? halfStep(panel.x) : 0), BOX.left, BOX.width - BOX.right);
  const y = axis(panel.yscale, panel.ylim || padded(heights, panel), BOX.height - BOX.bottom, BOX.top);
  ticks(svg, x, y, panel);
  if (panel.baseline !== null) {
    const level = { y1: y(panel.baseline), y2: y(panel.baseline), stroke: "currentColor", "stroke-opacity": 0.4 };
    draw("line", { x1: BOX.left, x2: BOX.width - BOX.right, ...level }, svg);
  }
  panel.bars.forEach((bar, k) => bars(svg, panel, bar, k, x, y));
  Object.entries(panel.lines).forEach(([, values], k) => line(svg, panel.x, values, LINES[k], x, y));
  panel.marks.forEach(([at]) =>
    draw("line", {
      x1: x(at), x2: x(at), y1: BOX.top, y2: BOX.height - BOX.bottom, stroke: "#D55E00", "stroke-width": 1.6,
      "stroke-dasharray": "6 4",
    }, svg),
  );
  panel.stars.forEach(([at, value]) =>
    draw("path", { d: star(x(at), y(value), 8), fill: "#E69F00", stroke: "currentColor" }, svg),
  );
  figure.append(plotLegend(panel));
  return figure;
}

function axis(scale, [low, high], from, to) {
  const straight = (value) => from + ((value - low) / (high - low || 1)) * (to - from);
  if (scale === "linear") return Object.assign(straight, { low, high, scale });
  const bend = scale === "log"
    ? (value) => Math.log10(Math.max(value, Number.MIN_VALUE))
    : (value) => Math.sign(value) * Math.log10(1 + Math.abs(value) / SMALL);
  const [a, b] = [bend(low), bend(high)];
  return Object.assign((value) => from + ((bend(value) - a) / (b - a || 1)) * (to - from), { low, high, scale });
}

function tickValues({ low, high, scale }) {
  if (scale === "linear") {
    const rough = (high - low) / 5;
    const power = 10 ** Math.floor(Math.log10(rough || 1));
    const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough);
    const found = [];
    for (let v = Math.ceil(low / step) * step; v <= high + step * 1e-6; v += step) {
      found.push(Math.abs(v) < step * 1e-6 ? 0 : Number(v.toPrecision(6)));
    }
    return found;
  }
  const decades = [];
  for (let p = -9; p <= 9; p += 1) decades.push(10 ** p);
  const values = scale === "log" ? decades : [0, ...decades.filter((d) => d >= SMALL).flatMap((d) => [d, -d])];
  const inside = values.filter((v) => v >= low && v <= high).sort((a, b) => a - b);
  const every = Math.ceil(inside.length / 6);
  return inside.filter((_, k) => k % every === 0);
}

function ticks(svg, x, y, panel) {
  const bottom = BOX.height - BOX.bottom;
  const group = draw("g", { stroke: "currentColor", "stroke-opacity": 0.6 }, svg);
  draw("path", { d: `M${BOX.left},${BOX.top}V${bottom}H${BOX.width - BOX.right}`, fill: "none" }, group);
  for (const value of tickValues(x)) {
    draw("line", { x1: x(value), x2: x(value), y1: bottom, y2: bottom + 4 }, group);
    label(svg, x(value), bottom + 16, value, "middle");
  }
  for (const value of tickValues(y)) {
    draw("line", { x1: BOX.left - 4, x2: BOX.left, y1: y(value), y2: y(value) }, group);
    label(svg, BOX.left - 7, y(value) + 4, value, "end");
  }
  const middle = (BOX.top + bottom) / 2;
  text(svg, (BOX.left + BOX.width - BOX.right) / 2, BOX.height - 6, panel.xlabel, "middle");
  const turned = text(svg, 12, middle, panel.ylabel, "middle");
  turned.setAttribute("transform", `rotate(-90 12 ${middle})`);
}

function line(svg, xs, ys, { colour, dash, marker }, x, y) {
  const low = Math.min(y.low, y.high);
  const points = xs.map((at, k) => [x(at), y(Math.min(Math.max(ys[k], low), y.high))]);
  draw("polyline", {
    points: points.map((p) => p.join(",")).join(" "), fill: "none", stroke: colour, "stroke-width": 2,
    "stroke-dasharray": dash,
  }, svg);
  const every = Math.max(1, Math.floor(xs.length / 8));
  points.filter((_, k) => k % every === 0).forEach(([cx, cy]) => {
    draw("path", { d: shape(marker, cx, cy), fill: colour }, svg);
  });
}

function bars(svg, panel, [, heights, colour, hatch], k, x, y) {
  const half = halfStep(panel.x);
  const floor = BOX.height - BOX.bottom;
  panel.x.forEach((at, n) => {
    if (!(heights[n] > 0)) return;
    const [left, right, top] = [x(at - half), x(at + half), y(heights[n])];
    const inset = k * 2; // rows of bars lie behind each other; the inset shows the hind one's edge
    const box = { x: left + inset, y: top, width: Math.max(1, right - left - 2 * inset), height: Math.max(0, floor - top) };
    draw("rect", { ...box, fill: colour, "fill-opacity": 0.7, stroke: "currentColor", "stroke-width": 0.7 }, svg);
    if (hatch) draw("rect", { ...box, fill: `url(#${pattern(svg, hatch)})` }, svg);
  });
}

function pattern(svg, hatch) {
  const id = "unet-hatch-" + Math.random().toString(36).slice(2);
  const node = draw("pattern", { id, width: 6, height: 6, patternUnits: "userSpaceOnUse" }, svg);
  if (hatch[0] === ".") draw("circle", { cx: 3, cy: 3, r: 1, fill: "currentColor" }, node);
  else draw("path", { d: "M-1,7L7,-1", stroke: "currentColor", "stroke-width": 0.8 }, node);
  return id;
}

function plotLegend(panel) {
  const list = make("p", "unet-playground-legend");
  const entries = [
    ...Object.keys(panel.lines).map((name, k) => ({ name, ...LINES[k] })),
    ...panel.bars.map(([name, , colour, hatch]) => ({ name, colour, hatch, box: true })),
    ...panel.marks.map(([, name]) => ({ name, colour: "#D55E00", dash: "6 4" })),
    ...panel.stars.map(([, , name]) => ({ name, star: true })),
  ].filter((entry) => entry.name);
  if (entries.length < 2) return list;
  for (const entry of entries) {
    const key = make("span", "unet-playground-key", list);
    const svg = draw("svg", { viewBox: "0 0 28 14", width: 28, height: 14, "aria-hidden": "true" }, key);
    if (entry.star) draw("path", { d: star(14, 7, 6), fill: "#E69F00", stroke: "currentColor" }, svg);
    else if (entry.box) {
      draw("rect", { x: 1, y: 1, width: 26, height: 12, fill: entry.colour, "fill-opacity": 0.7, stroke: "currentColor" }, svg);
      if (entry.hatch) draw("rect", { x: 1, y: 1, width: 26, height: 12, fill: `url(#${pattern(svg, entry.hatch)})` }, svg);
    } else {
      draw("line", { x1: 0, x2: 28, y1: 7, y2: 7, stroke: entry.colour, "stroke-width": 2, "stroke-dasharray": entry.dash }, svg);
      if (entry.marker) draw("path", { d: shape(entry.marker, 14, 7), fill: entry.colour }, svg);
    }
    key.append(" " + entry.name);
  }
  return list;
}

function shape(marker, x, y) {
  const r = 3.4;
  if (marker === "circle") return `M${x - r},${y}a${r},${r} 0 1 0 ${2 * r},0a${r},${r} 0 1 0 ${-2 * r},0Z`;
  if (marker === "square") return `M${x - r},${y - r}h${2 * r}v${2 * r}h${-2 * r}Z`;
  if (marker === "triangle") return `M${x},${y - r - 1}L${x + r + 1},${y + r}H${x - r - 1}Z`;
  return `M${x},${y - r - 1}L${x + r + 1},${y}L${x},${y + r + 1}L${x - r - 1},${y}Z`;
}

function star(x, y, r) {
  const points = [];
  for (let k = 0; k < 10; k += 1) {
    const angle = (Math.PI * k) / 5 - Math.PI / 2;
    const radius = k % 2 ? 0.45 * r : r;
    points.push(`${x + radius * Math.cos(angle)},${y + radius * Math.sin(angle)}`);
  }
  return "M" + points.join("L") + "Z";
}

function extent(values, margin) {
  return [Math.min(...values) - margin, Math.max(...values) + margin];
}

function halfStep(xs) {
  return xs.length > 1 ? (xs[1] - xs[0]) / 2 : 0.5;
}

function padded(values, panel) {
  if (panel.yscale === "log") {
    const positive = values.filter((v) => v > 0);
    return positive.length ? [Math.min(...positive) / 1.5, Math.max(...positive) * 1.5] : [0.1, 1];
  }
  const [low, high] = extent(values, 0);
  const room = 0.05 * (high - low || 1);
  return [panel.bars.length ? Math.min(0, low) : low - room, high + room];
}

function label(svg, x, y, value, anchor) {
  const size = Math.abs(value);
  const short = size && (size < 1e-3 || size >= 1e5) ? value.toExponential(0) : String(value);
  return text(svg, x, y, short.replace("-", "−"), anchor);
}

function text(svg, x, y, content, anchor) {
  const node = draw("text", { x, y, "text-anchor": anchor, "font-size": 11, fill: "currentColor" }, svg);
  node.textContent = content;
  return node;
}

export default { initialize, render };
