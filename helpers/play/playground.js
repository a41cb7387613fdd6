// The front end of every playground. It draws the scene that Python computed and sends what the student sets.
// It knows pictures, plots and controls, and nothing of convolutions, losses or thresholds.

// In pixels of the page: what is shown has to fit on one screen, with the controls that change it.
const SCREEN = 580; // the height of a piece on a page that is not narrow
const SIDE = 264; // the width of the controls where they stand beside the pictures
const NARROW = 700;
const GAP = 16;
const LARGEST = { wide: 330, narrow: 260 }; // the height of a panel
const LEAST = { picture: 140, plot: 252, wipe: 200 }; // the widths below which a panel could not be read
const ENOUGH = 1.15; // times `LEAST`: on a narrow page the lowest layout is taken of those that large
const WIPES = [200, 230, 260, 300, 340];
const CLOSEST = 8; // a side of the window at the highest zoom, in pixels of the picture
const ALL = { zoom: 1, left: 0, top: 0 };

function render({ model, el }) {
  const root = make("section", "unet-front unet-playground", el, { ariaLabel: model.get("title") });
  const title = make("p", "unet-head", root, { textContent: model.get("title") });
  const working = liveRegion("unet-playground-working", title);
  const form = make("div", "unet-playground-controls unet-row", root);
  const lens = make("div", "unet-playground-controls unet-row", root);
  const stage = make("div", "unet-playground-stage", root);
  const legend = make("p", "unet-row unet-small", root);
  const facts = make("div", "unet-playground-facts", root);
  const first = make("ul", "unet-facts", facts);
  const more = make("details", "", facts);
  make("summary", "", more, { textContent: "More numbers" });
  const rest = make("ul", "unet-facts", more);
  const said = liveRegion("unet-heard", root); // only what is new is put into it
  const note = liveRegion("unet-playground-note unet-aside", root, "alert");
  const requests = requestQueue(model, root, note);
  const inputs = new Map(); // control name -> its input: `show(value)`, and of a range `limit(control)` and `move(by)`
  let layout = {}; // see `fitted`
  let shownIn = []; // shows the window of the zoom: pictures, wipe and the words for it
  for (const control of model.get("controls")) {
    inputs.set(control.name, control.kind === "grid" ? gridInput(control) : rangeInput(control));
  }
  const hint = make("p", "unet-playground-hint unet-small", form, {
    textContent: "Drag in the picture, or use its arrow keys.",
  });
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
      shown.textContent = `${Number(value.toPrecision(6))}${control.unit ? " " + control.unit : ""}`.replace("-", "−");
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
    if (!root.clientWidth) return; // not on the page yet
    const scene = model.get("scene");
    // A picture that can be dragged keeps its node, and with it the focus of whoever moves it by arrow keys.
    const kept = new Map([...stage.querySelectorAll("[data-drags]")].map((node) => [node.dataset.drags, node]));
    const focused = root.getRootNode().activeElement;
    shownIn = [];
    legend.replaceChildren(...scene.legend.map(keyOf));
    legend.hidden = scene.legend.length === 0;
    const panels = scene.rows.flat();
    hint.hidden = !panels.some((panel) => panel.drags?.length);
    showLens();
    const { rows, widths, captions, wiped } = fitted(scene);
    const nodes = panels.map((panel, k) => panelOf(panel, widths[k], kept));
    nodes.forEach((node, k) => (node.style.width = `${widths[k]}px`));
    Object.assign(stage, { role: "group", ariaLabel: scene.alt });
    const grid = make("div");
    rows.forEach((row, r) => {
      const node = make("div", "unet-playground-row", grid);
      node.style.setProperty("--playground-caption", `${captions[r]}px`);
      node.append(...row.map((k) => nodes[k]));
    });
    stage.replaceChildren(grid);
    if (wiped) stage.append(wipe(wiped, captions[0]));
    if (focused && root.contains(focused)) focused.focus({ preventScroll: true });
    showLooking();
  }

  // Of a long list the first three stand, the rest is folded.
  function showFacts() {
    const listed = () => [...facts.querySelectorAll("li")].map((item) => item.textContent);
    const [before, given] = [listed(), model.get("facts")];
    const standing = given.length > 4 ? 3 : 4;
    for (const list of [first, rest]) list.replaceChildren();
    given.forEach((fact, k) => make("li", "", k < standing ? first : rest, { innerHTML: fact }));
    more.hidden = given.length <= standing;
    if (before.length) said.textContent = listed().filter((fact) => !before.includes(fact)).join(" ");
  }

  // Where the panels stand. It is worked out anew where the page or the kind of panels is another, and not for other
  // values: nothing may move while somebody drags.
  function fitted(scene) {
    const width = root.clientWidth;
    const shapes = shapesOf(scene, root);
    const key = JSON.stringify([width, shapes.map((row) => row.map(({ kind, aspect }) => [kind, aspect.toFixed(1)]))]);
    if (key === layout.key) return layout;
    stage.replaceChildren();
    const taken = (isBeside) => {
      root.classList.toggle("beside", isBeside);
      return root.offsetHeight; // of title, controls and words
    };
    const hasWipe = Object.keys(scene.wipes).length > 0;
    const line = 1.2 * parseFloat(getComputedStyle(root).fontSize);
    const laid = (wide, high) => fit(shapes, hasWipe, wide, width > NARROW ? Math.max(SCREEN - high, 280) : Infinity, line);
    let isBeside = width > NARROW && taken(true) <= SCREEN;
    let found = laid(width, taken(false));
    const beside = isBeside && laid(width - SIDE - GAP, title.offsetHeight + GAP);
    isBeside = isBeside && beside.least > found.least;
    if (isBeside) found = beside;
    root.classList.toggle("beside", isBeside);
    layout = { key, ...found };
    return layout;
  }

  function panelOf(panel, width, kept) {
    return panel.kind === "picture" ? picture(panel, width, kept) : plot(panel);
  }

  function picture(panel, shownWidth, kept) {
    const figure = make("figure", "unet-playground-picture");
    make("figcaption", "", figure, { textContent: panel.title });
    const scale = shownWidth / panel.width;
    const key = panel.drags.join(" ");
    const holder = (key && kept.get(key)) || make("div", "unet-stack");
    holder.replaceChildren();
    figure.append(holder);
    fill(holder, panel, sourcesOf(panel), scale);
    if (key && !kept.has(key)) makeDraggable(holder, panel, key);
    holder.pixels = panel.width;
    return figure;
  }

  // Puts the picture into its holder; one that zooms is painted again for each window.
  function fill(holder, panel, sources, scale) {
    const [width, height] = [panel.width, panel.height].map((side) => Math.round(side * scale));
    holder.style.aspectRatio = `${width} / ${height}`;
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
    const isFirst = panel === model.get("scene").rows[0][0];
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
    if (Object.keys(model.get("scene").wipes).length) lens.append(lineInput());
    make("span", "unet-playground-hint unet-small", lens).textContent =
      "Drag a picture to move all of them. Or click one: + and − or the wheel zoom, arrow keys move, 0 shows all.";
    shownIn.push(({ zoom: times, left, top }) => {
      const { width, height } = model.get("scene").rows[0][0];
      const span = (start, side) => `${Math.round(start * side)} to ${Math.round((start + 1 / times) * side) - 1}`;
      place.textContent = `${Number(times.toPrecision(2))}×: rows ${span(top, height)}, columns ${span(left, width)}`;
    });
  }

  // Where the line between the two pictures of the wipe is.
  function lineInput() {
    const names = Object.keys(model.get("scene").wipes);
    const label = make("label", "unet-playground-control");
    make("span", "", label, { textContent: "Line" });
    const slider = make("input", "", label, { type: "range", min: 0, max: 100, step: 1 });
    slider.addEventListener("input", () => look({ wipe: Number(slider.value) / 100 }));
    shownIn.push(({ wipe: at, pair: [left, right] }) => {
      slider.value = Math.round(100 * at);
      slider.ariaValueText = `${slider.value} % of the width is ${names[left]}, the rest ${names[right]}`;
    });
    return label;
  }

  // Two pictures in one place: one on the left of a line, one on the right of it.
  function wipe(width, captionHigh) {
    const { rows, wipes } = model.get("scene");
    const names = Object.keys(wipes);
    const pictures = names.map((name) => rows[wipes[name][0]][wipes[name][1]]);
    const sources = pictures.map(sourcesOf);
    const height = Math.round((width * pictures[0].height) / pictures[0].width);

    const figure = make("figure", "unet-playground-picture unet-playground-wipe");
    figure.style.width = `${width}px`;
    figure.style.setProperty("--playground-caption", `${captionHigh}px`);
    const caption = make("figcaption", "unet-playground-sides", figure);
    const sides = ["Left", "Right"].map((side, k) => sideOf(side, k, names, caption));
    const holder = make("div", "unet-stack", figure);
    holder.style.aspectRatio = `${width} / ${height}`;
    const canvases = [0, 1].map(() => holder.appendChild(canvasFor(width, height)));
    const line = make("div", "unet-playground-line", holder);
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
    });
    return figure;
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
  showFacts();
  const sized = new ResizeObserver(() => {
    if (root.clientWidth && !layout.key?.startsWith(`[${root.clientWidth},`)) showScene();
  });
  sized.observe(root);

  return () => {
    sized.disconnect();
    requests.stop();
    unwatch();
  };
}

// ---- pictures ----

// The panels' kinds, their width by height, and the length of their titles.
function shapesOf({ rows }, root) {
  const context = make("canvas").getContext("2d");
  const { fontSize, fontFamily } = getComputedStyle(root);
  context.font = `${0.92 * parseFloat(fontSize)}px ${fontFamily}`;
  const shape = ({ kind, width, height, svg, title }) => {
    const [wide, high] = kind === "plot" ? svg.match(/viewBox="0 0 (\S+) ([^"]+)"/).slice(1) : [width, height];
    return { kind, aspect: wide / high, title: context.measureText(title).width };
  };
  return rows.map((row) => row.map(shape));
}

// Panels into rows, in their order, so that the one that is smallest for its kind is as large as can be. Pictures that
// stand below each other stay so. A wipe stands beside all rows, or on a narrow page below them.
function fit(given, hasWipe, width, height, line) {
  const isPaired = given.length > 1 && given.flat().every(({ kind }) => kind === "picture");
  const shapes = given.flat();
  const groups = isPaired ? given.length : 1;
  const columns = shapes.length / groups;
  const isNarrow = height === Infinity;
  const [{ aspect }] = shapes;
  let best = { least: 0 };
  for (let breaks = 0; breaks < 2 ** (columns - 1); breaks += 1) {
    const parts = [[]];
    for (let c = 0; c < columns; c += 1) {
      if (c && (breaks >> (c - 1)) & 1) parts.push([]);
      parts.at(-1).push(c);
    }
    const rows = parts.flatMap((part) => [...Array(groups).keys()].map((g) => part.map((c) => g * columns + c)));
    const isAlone = parts.at(-1).length === 1 && parts.some((part) => part.length > 1);
    const limits = { height, line: hasWipe ? Math.max(line, 24) : line, largest: LARGEST[isNarrow ? "narrow" : "wide"] };
    const found = (wide) => sized(rows, shapes, wide, limits);
    const candidates = hasWipe ? WIPES.map((wiped) => ({ ...found(width - wiped - GAP), wiped })) : [found(width)];
    if (hasWipe && isNarrow) candidates.push({ ...found(width), wiped: limits.largest, isBelow: true });
    for (const candidate of candidates) {
      const { wiped, isBelow, captions, widths } = candidate;
      if (wiped) {
        const high = captions[0] + wiped / aspect;
        candidate.least = high > height ? 0 : Math.min(candidate.least, wiped / LEAST.wipe);
        candidate.high = isBelow ? candidate.high + high : Math.max(candidate.high, high);
      }
      if (isAlone && widths.at(-1) < 0.7 * width) candidate.least *= 0.7; // an orphan
      const isEnough = isNarrow && Math.min(candidate.least, best.least) >= ENOUGH;
      if (isEnough ? candidate.high < best.high : candidate.least > best.least) best = candidate;
    }
  }
  return best;
}

// The widths of the panels in these rows, and how small the smallest is: 1 where it can just be read.
function sized(rows, shapes, width, { height, line, largest }) {
  let captions = rows.map(() => line + 10);
  let widths, high;
  for (let pass = 0; pass < 3; pass += 1) {
    const highs = rows.map((row) => {
      const aspect = row.reduce((sum, k) => sum + shapes[k].aspect, 0);
      return Math.min(largest, (width - GAP * (row.length - 1)) / aspect);
    });
    const words = captions.reduce((sum, caption) => sum + caption, 0);
    const pictures = highs.reduce((sum, each) => sum + each, 0);
    const shrink = Math.min(1, Math.max(0, height - words) / pictures);
    high = words + shrink * pictures;
    widths = [];
    rows.forEach((row, r) => row.forEach((k) => (widths[k] = Math.floor(highs[r] * shrink * shapes[k].aspect))));
    const lines = rows.map((row) => Math.max(...row.map((k) => Math.ceil((1.1 * shapes[k].title) / widths[k]))));
    captions = captions.map((caption, r) => Math.max(caption, line * lines[r] + 10)); // for the next pass
  }
  return { rows, widths, captions, high, least: Math.min(...shapes.map(({ kind }, k) => widths[k] / LEAST[kind])) };
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
  const longest = Math.max(...panel.numbers.flat().map((text) => text.length));
  const font = Math.min(15, scale / (0.62 * longest + 0.3));
  if (font < 10) return svg;
  panel.numbers.forEach((row, r) =>
    row.forEach((text, c) => {
      const k = panel.channels * (r * panel.width + c);
      const [red, green = red, blue = red] = pixels.slice(k, k + panel.channels);
      const light = 0.299 * red + 0.587 * green + 0.114 * blue > 140;
      draw("text", {
        x: (c + 0.5) * scale, y: (r + 0.5) * scale, "text-anchor": "middle", "dominant-baseline": "central",
        "font-size": font, fill: light ? "black" : "white",
      }, svg).textContent = text;
    }),
  );
  return svg;
}

function plot(panel) {
  const figure = make("figure", "unet-playground-plot");
  make("figcaption", "", figure, { textContent: panel.title });
  const view = Math.random().toString(36).slice(2); // two views need two sets of ids
  figure.insertAdjacentHTML("beforeend", panel.svg.replaceAll("unet-hatch-", `$&${view}-`));
  return figure;
}

// An entry of the legend: what is painted on pictures in this colour and hatch.
function keyOf({ name, colour, hatch }) {
  const key = make("span", "unet-playground-key");
  const canvas = key.appendChild(canvasFor(28, 14));
  const context = canvas.getContext("2d");
  const ratio = window.devicePixelRatio || 1;
  for (const style of [colour, hatch && context.createPattern(tile(hatch, ratio), "repeat")].filter(Boolean)) {
    context.fillStyle = style;
    context.fillRect(0, 0, canvas.width, canvas.height);
  }
  key.append(name);
  return key;
}

export default { initialize, render };
