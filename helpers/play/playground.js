// The front end of every playground. It draws the scene that Python computed and sends what the student sets.
// It knows pictures, plots and controls, and nothing of convolutions, losses or thresholds.

const PANEL = 230; // the width of a picture on the page, in pixels, about
const CLOSEST = 8; // a side of the window at the highest zoom, in pixels of the picture
const ALL = { zoom: 1, left: 0, top: 0 };
const LINES = [
  { colour: "#0072B2", dash: "", marker: "circle" },
  { colour: "#D55E00", dash: "7 4", marker: "square" },
  { colour: "#009E73", dash: "2 3", marker: "triangle" },
  { colour: "#E69F00", dash: "7 3 2 3", marker: "diamond" },
];

function render({ model, el }) {
  const root = make("section", "unet-front unet-playground", el, { ariaLabel: model.get("title") });
  const title = make("p", "unet-head", root, { textContent: model.get("title") });
  const working = liveRegion("unet-playground-working", title);
  const form = make("div", "unet-playground-controls unet-row", root);
  const lens = make("div", "unet-playground-controls unet-row", root);
  const stage = make("div", "unet-playground-rows", root);
  const wiper = make("div", "unet-playground-wipe", root);
  const legend = make("p", "unet-row unet-small", root);
  const facts = make("ul", "unet-playground-facts unet-facts", root);
  const said = liveRegion("unet-heard", root); // only what is new is put into it
  const note = liveRegion("unet-playground-note unet-aside", root, "alert");
  const requests = requestQueue(model, root, note);
  const inputs = new Map(); // control name -> its input: `show(value)`, and of a range `limit(control)` and `move(by)`
  let shownIn = []; // shows the window of the zoom: pictures, wipe and the words for it
  for (const control of model.get("controls")) {
    inputs.set(control.name, control.kind === "grid" ? gridInput(control) : rangeInput(control));
  }
  keepKeys(root);

  // ---- controls ----

  function rangeInput(control) {
    const label = make("label", "unet-playground-control", form);
    make("span", "", label, { textContent: control.label });
    const input = make("input", "", label, { type: "range" });
    const shown = make("span", "unet-playground-value unet-number", label); // no <output>: it would speak beside the live region
    const limit = ({ min, max, step }) => Object.assign(input, { min, max, step });
    const show = (value) => {
      input.value = value;
      shown.textContent = `${Number(value.toPrecision(6))}${control.unit ? " " + control.unit : ""}`;
      input.ariaValueText = shown.textContent;
    };
    const move = (by) => {
      const value = Math.min(input.max, Math.max(input.min, Number(input.value) + by));
      show(value);
      return value;
    };
    input.addEventListener("input", () => requests.wish({ [control.name]: move(0) }));
    limit(control);
    show(control.value);
    return { show, limit, move };
  }

  function gridInput(control) {
    const group = make("fieldset", "unet-playground-grid", form);
    make("legend", "", group, { textContent: control.label });
    const table = make("div", "", group);
    table.style.gridTemplateColumns = `repeat(${control.value[0].length}, auto)`;
    const numbers = control.value.map((row, r) =>
      row.map((_, c) => {
        const ariaLabel = `row ${r + 1}, column ${c + 1}`;
        return make("input", "", table, { type: "number", step: "any", ariaLabel });
      }),
    );
    table.addEventListener("input", () => {
      const values = numbers.map((row) => row.map((number) => number.valueAsNumber));
      if (values.flat().every(Number.isFinite)) requests.wish({ [control.name]: values });
    });
    const show = (values) =>
      numbers.flat().forEach((number, k) => {
        const value = values.flat()[k];
        if (number.valueAsNumber !== value) number.value = Number(value.toPrecision(4));
      });
    show(control.value);
    return { show };
  }

  // ---- from Python to the page ----

  function showWorking() {
    const what = model.get("working");
    working.textContent = what && ` · working: ${what}`;
    if (what) requests.begun();
  }

  function showValues() {
    if (!requests.isSettled()) return; // the student is further on
    for (const [name, value] of Object.entries(model.get("values"))) inputs.get(name).show(value);
  }

  // What a slider may reach can depend on another one.
  function showLimits() {
    for (const control of model.get("controls")) inputs.get(control.name).limit?.(control);
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
    Object.assign(stage, { role: "group", ariaLabel: scene.alt });
    stage.replaceChildren(...rows);
    if (focused && root.contains(focused)) focused.focus({ preventScroll: true });
    legend.replaceChildren(...scene.legend.map((layer) => keyOf({ ...layer, box: true })));
    legend.hidden = scene.legend.length === 0;
    showLens();
    showWipe();
    showLooking();
  }

  function showFacts() {
    const before = [...facts.children].map((item) => item.textContent);
    facts.replaceChildren();
    for (const fact of model.get("facts")) make("li", "", facts, { innerHTML: fact });
    const now = [...facts.children].map((item) => item.textContent);
    if (before.length) said.textContent = now.filter((fact) => !before.includes(fact)).join(" ");
  }

  function picture(panel, kept) {
    const figure = make("figure", "unet-playground-picture");
    const caption = make("figcaption", "", figure, { textContent: panel.title });
    const scale = scaleOf(panel);
    const key = panel.drags.join(" ");
    const holder = (key && kept.get(key)) || make("div", "unet-stack");
    holder.replaceChildren();
    figure.append(holder);
    fill(holder, panel, sourcesOf(panel), scale);
    if (key && !kept.has(key)) makeDraggable(holder, panel, key);
    if (key) make("p", "unet-playground-hint unet-small", caption, { textContent: "Drag it, or use the arrow keys." });
    holder.pixels = panel.width;
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
    const ariaLabel = `${panel.title}. Arrow keys move the shape, with Shift by ten pixels.`;
    Object.assign(holder, { role: "application", ariaLabel });
    const move = (rows, columns) =>
      requests.wish({ [down]: inputs.get(down).move(rows), [right]: inputs.get(right).move(columns) });
    holder.addEventListener("keydown", (event) => {
      const step = arrowStep(event);
      if (!step) return;
      event.preventDefault();
      move(...step);
    });
    holder.addEventListener("pointerdown", () => holder.focus({ preventScroll: true }));
    dragged(holder, (event, from) => {
      const side = holder.getBoundingClientRect().width / holder.pixels;
      const rows = Math.trunc((event.clientY - from.y) / side);
      const columns = Math.trunc((event.clientX - from.x) / side);
      if (rows || columns) move(rows, columns);
      return { x: from.x + columns * side, y: from.y + rows * side };
    });
  }

  // Calls `moved(event, from)` while `node` is dragged; it may return where the next step counts from.
  function dragged(node, moved) {
    let from = null;
    node.addEventListener("pointerdown", (event) => {
      from = { x: event.clientX, y: event.clientY };
      node.setPointerCapture(event.pointerId);
    });
    node.addEventListener("pointermove", (event) => {
      if (from) from = moved(event, from) ?? { x: event.clientX, y: event.clientY };
    });
    for (const end of ["pointerup", "pointercancel"]) node.addEventListener(end, () => (from = null));
  }

  // ---- zoom: all pictures through one window, which needs no kernel ----

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
    const isFirst = shownIn.length === 1;
    holder.tabIndex = isFirst ? 0 : -1; // one stop for all, since they move together
    if (isFirst) {
      const ariaLabel = `${panel.title}. Plus and minus zoom all pictures, arrow keys move them, 0 shows all.`;
      Object.assign(holder, { role: "application", ariaLabel });
    }
    const keys = { "+": () => zoom(2), "=": () => zoom(2), "-": () => zoom(0.5), 0: () => look(ALL) };
    for (const [key, [down, right]] of Object.entries(STEPS)) keys[key] = () => pan(right / 8, down / 8);
    holder.addEventListener("keydown", (event) => {
      if (!(event.key in keys) || hasModifier(event)) return;
      event.preventDefault();
      keys[event.key]();
    });
    holder.addEventListener(
      "wheel",
      (event) => {
        if (!event.ctrlKey && !holder.matches(":focus")) return; // whoever scrolls past it does not mean the picture
        event.preventDefault();
        const { left, top, width, height } = holder.getBoundingClientRect();
        zoom(event.deltaY < 0 ? 1.25 : 0.8, (event.clientX - left) / width, (event.clientY - top) / height);
      },
      { passive: false },
    );
    dragged(holder, (event, from) => {
      const box = holder.getBoundingClientRect();
      pan((from.x - event.clientX) / box.width, (from.y - event.clientY) / box.height);
    });
  }

  function showLens() {
    lens.replaceChildren();
    lens.hidden = !model.get("scene").zooms;
    if (lens.hidden) return;
    button("−", lens, () => zoom(0.5)).ariaLabel = "Zoom out";
    button("+", lens, () => zoom(2)).ariaLabel = "Zoom in";
    button("Show all", lens, () => look(ALL));
    const place = liveRegion("unet-playground-place unet-number", lens);
    make("span", "unet-playground-hint unet-small", lens).textContent =
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
    const holder = make("div", "unet-stack", figure);
    holder.style.aspectRatio = `${width} / ${height}`;
    holder.style.width = caption.style.width = `${width}px`;
    const canvases = [0, 1].map(() => holder.appendChild(canvasFor(width, height)));
    const line = make("div", "unet-playground-line", holder);
    const label = make("label", "unet-playground-control", figure);
    make("span", "", label, { textContent: "Line" });
    const slider = make("input", "", label, { type: "range", min: 0, max: 100, step: 1 });
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
      slider.ariaValueText = `${slider.value} % of the width is ${names[left]}, the rest ${names[right]}`;
    });
  }

  function sideOf(side, k, names, caption) {
    const label = make("label", "", caption);
    make("span", "", label, { textContent: `${side}: ` });
    if (names.length === 2) {
      const name = make("b", "", label);
      return (chosen) => (name.textContent = names[chosen]);
    }
    const select = make("select", "", label);
    names.forEach((name, n) => make("option", "", select, { value: n, textContent: name }));
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

  const unwatch = watch(model, {
    controls: showLimits,
    values: showValues,
    answered: showValues, // a control that asked for what cannot be goes back
    scene: showScene,
    facts: showFacts,
    looking: showLooking,
    working: showWorking,
  });
  showScene();
  showFacts();

  return () => {
    requests.stop();
    unwatch();
  };
}

// ---- pictures ----

// Pictures grow narrower where a row is full; a plot soon could not be read.
function column(panel) {
  if (panel.kind === "plot") return `minmax(250px, ${BOX.width}px)`;
  return `minmax(0, ${Math.round(panel.width * scaleOf(panel))}px)`;
}

function scaleOf(panel) {
  return Math.max(PANEL / panel.width, panel.numbers.length ? 34 : 0);
}

function canvasFor(width, height) {
  const ratio = window.devicePixelRatio || 1;
  return make("canvas", "", null, { width: width * ratio, height: height * ratio });
}

// What a picture is painted from: its pixels, and the areas of its layers in their colours.
function sourcesOf(panel) {
  const areas = panel.layers.map(({ mask, colour, hatch }) => ({ hatch, canvas: areaOf(mask, colour, panel) }));
  return { image: canvasOf(panel.pixels, panel, panel.channels), areas };
}

function areaOf(mask, colour, { width, height }) {
  const canvas = make("canvas", "", null, { width, height });
  const context = canvas.getContext("2d");
  const shape = new ImageData(width, height);
  bytes(mask).forEach((inside, k) => (shape.data[4 * k + 3] = 255 * inside));
  context.putImageData(shape, 0, 0);
  Object.assign(context, { globalCompositeOperation: "source-in", fillStyle: colour });
  context.fillRect(0, 0, width, height);
  return canvas;
}

// Paints what the window `at` shows of a picture.
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
  const canvas = make("canvas", "", null, { width: whole[2], height: whole[3] });
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
  const canvas = make("canvas", "", null, { width: side, height: side });
  const context = canvas.getContext("2d");
  context.lineWidth = ratio;
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
      const [red, green = red, blue = red] = pixels.slice(k, k + panel.channels);
      const light = 0.299 * red + 0.587 * green + 0.114 * blue > 140;
      draw("text", {
        x: (c + 0.5) * scale, y: (r + 0.5) * scale, "text-anchor": "middle", "dominant-baseline": "central",
        "font-size": Math.min(12, 0.34 * scale), fill: light ? "black" : "white",
      }, svg).textContent = text;
    }),
  );
  return svg;
}

// ---- plots ----

const BOX = { width: 300, height: 230, left: 58, right: 290, top: 8, bottom: 190 }; // the drawing, and its edges
const SMALL = 0.01; // a symlog axis is linear below

function plot(panel) {
  const figure = make("figure", "unet-playground-plot");
  make("figcaption", "", figure, { textContent: panel.title });
  const svg = draw("svg", { viewBox: `0 0 ${BOX.width} ${BOX.height}`, "aria-hidden": "true" }, figure);
  const heights = [...Object.values(panel.lines).flat(), ...panel.bars.flatMap((bar) => bar[1])];
  const x = axis(panel.xscale, extent(panel.x, panel.bars.length ? halfStep(panel.x) : 0), BOX.left, BOX.right);
  const y = axis(panel.yscale, panel.ylim || padded(heights, panel), BOX.bottom, BOX.top);
  ticks(svg, x, y, panel);
  if (panel.baseline !== null) {
    const d = `M${BOX.left},${y(panel.baseline)}H${BOX.right}`;
    draw("path", { d, stroke: "currentColor", "stroke-opacity": 0.4 }, svg);
  }
  panel.bars.forEach((bar, k) => bars(svg, panel, bar, k, x, y));
  Object.values(panel.lines).forEach((values, k) => line(svg, panel.x, values, LINES[k], x, y));
  for (const [at] of panel.marks) {
    const d = `M${x(at)},${BOX.top}V${BOX.bottom}`;
    draw("path", { d, stroke: "#D55E00", "stroke-width": 1.6, "stroke-dasharray": "6 4" }, svg);
  }
  for (const [at, value] of panel.stars) {
    draw("path", { d: star(x(at), y(value), 8), fill: "#E69F00", stroke: "currentColor" }, svg);
  }
  figure.append(plotLegend(panel));
  return figure;
}

// A function from values to places on the page, and what it maps.
function axis(scale, [low, high], from, to) {
  const bend = {
    linear: (value) => value,
    log: (value) => Math.log10(Math.max(value, Number.MIN_VALUE)),
    symlog: (value) => Math.sign(value) * Math.log10(1 + Math.abs(value) / SMALL),
  }[scale];
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
  const decades = Array.from({ length: 19 }, (_, k) => 10 ** (k - 9));
  const values = scale === "log" ? decades : [0, ...decades.filter((d) => d >= SMALL).flatMap((d) => [d, -d])];
  const inside = values.filter((v) => v >= low && v <= high).sort((a, b) => a - b);
  const every = Math.ceil(inside.length / 6);
  return inside.filter((_, k) => k % every === 0);
}

function ticks(svg, x, y, panel) {
  const group = draw("g", { stroke: "currentColor", "stroke-opacity": 0.6, fill: "none" }, svg);
  draw("path", { d: `M${BOX.left},${BOX.top}V${BOX.bottom}H${BOX.right}` }, group);
  for (const value of tickValues(x)) {
    draw("path", { d: `M${x(value)},${BOX.bottom}v4` }, group);
    label(svg, x(value), BOX.bottom + 16, value, "middle");
  }
  for (const value of tickValues(y)) {
    draw("path", { d: `M${BOX.left},${y(value)}h-4` }, group);
    label(svg, BOX.left - 7, y(value) + 4, value, "end");
  }
  const middle = (BOX.top + BOX.bottom) / 2;
  text(svg, (BOX.left + BOX.right) / 2, BOX.height - 6, panel.xlabel, "middle");
  text(svg, 12, middle, panel.ylabel, "middle").setAttribute("transform", `rotate(-90 12 ${middle})`);
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
  panel.x.forEach((at, n) => {
    if (!(heights[n] > 0)) return;
    const [left, right, top] = [x(at - half), x(at + half), y(heights[n])];
    const inset = k * 2; // series of bars lie behind each other; the inset shows the hind one's edge
    const [width, height] = [Math.max(1, right - left - 2 * inset), Math.max(0, BOX.bottom - top)];
    box(svg, { x: left + inset, y: top, width, height }, colour, hatch);
  });
}

function box(svg, place, colour, hatch) {
  draw("rect", { ...place, fill: colour, "fill-opacity": 0.7, stroke: "currentColor", "stroke-width": 0.7 }, svg);
  if (hatch) draw("rect", { ...place, fill: `url(#${pattern(svg, hatch)})` }, svg);
}

function pattern(svg, hatch) {
  const id = "unet-hatch-" + Math.random().toString(36).slice(2);
  const node = draw("pattern", { id, width: 6, height: 6, patternUnits: "userSpaceOnUse" }, svg);
  if (hatch[0] === ".") draw("circle", { cx: 3, cy: 3, r: 1, fill: "currentColor" }, node);
  const lines = "M-1,7L7,-1" + (hatch[0] === "x" ? "M-1,-1L7,7" : "");
  if (hatch[0] !== ".") draw("path", { d: lines, stroke: "currentColor", "stroke-width": 0.8 }, node);
  return id;
}

function plotLegend(panel) {
  const list = make("p", "unet-row unet-small");
  const entries = [
    ...Object.keys(panel.lines).map((name, k) => ({ name, ...LINES[k] })),
    ...panel.bars.map(([name, , colour, hatch]) => ({ name, colour, hatch, box: true })),
    ...panel.marks.map(([, name]) => ({ name, colour: "#D55E00", dash: "6 4" })),
    ...panel.stars.map(([, , name]) => ({ name, star: true })),
  ].filter((entry) => entry.name);
  if (entries.length > 1) list.append(...entries.map(keyOf));
  return list;
}

// An entry of a legend: a star, a box of a colour and a hatch, or a line of a colour, a dash and a marker.
function keyOf(entry) {
  const key = make("span", "unet-playground-key");
  const svg = draw("svg", { viewBox: "0 0 28 14", width: 28, height: 14, "aria-hidden": "true" }, key);
  if (entry.star) draw("path", { d: star(14, 7, 6), fill: "#E69F00", stroke: "currentColor" }, svg);
  else if (entry.box) box(svg, { x: 1, y: 1, width: 26, height: 12 }, entry.colour, entry.hatch);
  else draw("path", { d: "M0,7H28", stroke: entry.colour, "stroke-width": 2, "stroke-dasharray": entry.dash }, svg);
  if (entry.marker) draw("path", { d: shape(entry.marker, 14, 7), fill: entry.colour }, svg);
  key.append(" " + entry.name);
  return key;
}

function shape(marker, x, y) {
  const r = 3.4;
  if (marker === "circle") return `M${x - r},${y}a${r},${r} 0 1 0 ${2 * r},0a${r},${r} 0 1 0 ${-2 * r},0Z`;
  if (marker === "square") return `M${x - r},${y - r}h${2 * r}v${2 * r}h${-2 * r}Z`;
  if (marker === "triangle") return `M${x},${y - r - 1}L${x + r + 1},${y + r}H${x - r - 1}Z`;
  return `M${x},${y - r - 1}L${x + r + 1},${y}L${x},${y + r + 1}L${x - r - 1},${y}Z`;
}

function star(x, y, r) {
  const points = Array.from({ length: 10 }, (_, k) => {
    const angle = (Math.PI * k) / 5 - Math.PI / 2;
    const radius = k % 2 ? 0.45 * r : r;
    return `${x + radius * Math.cos(angle)},${y + radius * Math.sin(angle)}`;
  });
  return `M${points.join("L")}Z`;
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
