// What all front ends share: nodes, keys, traits, requests to the kernel, and taking the fallback's place.
// `frontend.module` puts it before a front end's own file, which defines `render`.

const WAIT_MS = 600; // an idle kernel answers long before
const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }; // rows, columns

function make(tag, className, parent, properties) {
  const node = Object.assign(document.createElement(tag), properties);
  if (className) node.className = className;
  if (parent) parent.append(node);
  return node;
}

function button(label, parent, act) {
  const node = make("button", "", parent, { type: "button", textContent: label });
  node.addEventListener("click", act);
  return node;
}

function draw(tag, attributes, parent) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (parent) parent.append(node);
  return node;
}

function bytes(view) {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

// Puts other HTML into a node; what is unfolded there stays so.
function replaceHtml(node, html) {
  const open = Boolean(node.querySelector("details")?.open);
  node.innerHTML = html;
  node.querySelector("details")?.toggleAttribute("open", open);
}

// A canvas of one pixel per picture pixel, from grey values (one channel) or colours (three) as bytes.
function canvasOf(values, { width, height }, channels = 3) {
  const image = new ImageData(width, height);
  const pixels = bytes(values);
  for (let k = 0; k < width * height; k += 1) {
    for (let c = 0; c < 3; c += 1) image.data[4 * k + c] = pixels[channels * k + (c % channels)];
    image.data[4 * k + 3] = 255;
  }
  const canvas = make("canvas", "", null, { width, height });
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

function hasModifier(event) {
  return event.ctrlKey || event.metaKey || event.altKey;
}

// Plain keys are for the widget: in a notebook the arrow keys would change the cell and a letter would delete it.
function keepKeys(node) {
  node.addEventListener("keydown", (event) => {
    if (!hasModifier(event)) event.stopPropagation();
  });
}

// The rows and columns that an arrow key moves by, with Shift ten times as many; nothing for any other key.
function arrowStep(event) {
  if (hasModifier(event)) return undefined;
  return STEPS[event.key]?.map((step) => step * (event.shiftKey ? 10 : 1));
}

// A live region is read aloud when it changes, so it has to be on the page before it says anything.
function liveRegion(className, parent, role = "status") {
  return make("div", className, parent, { role, ariaLive: role === "status" ? "polite" : "assertive" });
}

// Calls each handler when its trait changes, until the returned function is called.
function watch(model, handlers) {
  const each = (act) => Object.entries(handlers).forEach(([trait, handler]) => act(`change:${trait}`, handler));
  each((event, handler) => model.on(event, handler));
  return () => each((event, handler) => model.off(event, handler));
}

// Asks the kernel, and tells the student through `say(text)` when no answer comes.
//   send(content)   returns whether it could be sent
//   answered()      the answer has come
//   stop()          the view is going away
function kernelOf(model, say, again = "run this cell again") {
  let waiting;
  const answered = () => clearTimeout(waiting);
  return {
    answered,
    stop: answered,
    send(content) {
      clearTimeout(waiting);
      try {
        model.send(content);
      } catch (error) {
        console.warn(error); // the widget is still on the page, its kernel gone
        say(`The kernel behind this is gone. ${again[0].toUpperCase()}${again.slice(1)}.`);
        return false;
      }
      const busy = `Waiting for the kernel. It is busy, or it was restarted: then ${again}.`;
      waiting = setTimeout(() => say(busy), WAIT_MS);
      return true;
    },
  };
}

// Numbered requests to Python, one under way at a time. What is wished meanwhile goes into the next one, the latest
// value of each name. Python answers with two traits: `answered`, the number, and `problem`, in words, shown in `note`.
//   wish(values)   sends them, now or in the next request
//   begun()        Python is working on a request of any view
//   isSettled()    whether nothing is under way or waiting, so that the traits are what the student wished
//   isMine()       whether this view sent the request answered last
//   stop()         the view is going away
function requestQueue(model, root, note) {
  const kernel = kernelOf(model, (text) => (note.textContent = text));
  let sent = 0; // the number of this view's last request
  let wishes = null; // the next request

  const isUnderWay = () => model.get("answered") < sent;
  const showBusy = (busy) => root.setAttribute("aria-busy", String(busy));

  function send() {
    const number = Math.max(sent, model.get("answered")) + 1; // another view may have sent some since
    if (kernel.send({ ...wishes, number })) {
      sent = number;
      showBusy(true);
    }
    wishes = null;
  }

  const unwatch = watch(model, {
    answered() {
      if (isUnderWay()) return; // the answer is another view's
      kernel.answered();
      showBusy(false);
      note.textContent = model.get("problem");
      if (wishes) send();
    },
  });

  return {
    wish(values) {
      wishes = { ...wishes, ...values };
      if (!isUnderWay()) send();
    },
    begun() {
      kernel.answered();
      note.textContent = "";
      showBusy(true);
    },
    isSettled: () => !wishes && !isUnderWay(),
    isMine: () => sent > 0 && model.get("answered") === sent,
    stop() {
      kernel.stop();
      unwatch();
    },
  };
}

// JupyterLab creates every widget of the kernel on the page, shown or not, and calls this once for each. The notebook
// holds the static fallback of the piece; while the kernel has the widget, what `render` draws replaces each such
// fallback. So a notebook opened again without its kernel shows the fallback, and nothing looks for a widget.
function initialize({ model }) {
  const mark = `.unet-fallback-${model.get("fallback_id")}`;
  const views = new Map(); // the output that holds a fallback -> what brings it back

  function show(fallback) {
    const part = fallback.classList.contains("unet-part"); // one of several in its output
    const output = (!part && fallback.closest(".jp-OutputArea-output")) || fallback; // Python may renew its content
    if (views.has(output)) return;
    output.querySelector(".unet-note")?.remove();
    const el = make("div", part ? "unet-live" : "jp-OutputArea-output unet-live");
    el.style.cssText = part ? fallback.style.cssText : "";
    el.style.padding = "2px 6px"; // room for the focus ring
    const stop = render({ model, el });
    output.style.display = "none";
    output.after(el);
    views.set(output, () => {
      stop();
      el.remove();
      output.style.display = "";
      views.delete(output);
    });
  }

  function showAll() {
    document.querySelectorAll(mark).forEach(show);
  }

  function onPageChanged(records) {
    for (const [output, back] of [...views]) if (!output.isConnected) back();
    const isFallback = (node) => node.matches?.(mark) || node.querySelector?.(mark);
    if (records.some((record) => [...record.addedNodes].some(isFallback))) showAll();
  }

  function goBack(why) {
    for (const [output, back] of [...views]) {
      back();
      const note = make("p", "unet-note", output, { role: "status", textContent: why });
      note.style.cssText = "border-left: 4px solid #0072B2; margin: 0.6em 0; padding: 0.1em 0.9em";
    }
  }

  async function onConnection() {
    const { comm_live } = await model.widget_manager.get_model(model.get("fallback_id"));
    if (comm_live) showAll();
    else if (model.get("needs_kernel")) goBack("The kernel was restarted. Run this cell again to use this.");
  }

  const observer = new MutationObserver(onPageChanged);
  observer.observe(document.body, { childList: true, subtree: true });
  model.on("comm_live_update", onConnection);
  showAll();

  return () => {
    observer.disconnect();
    goBack("This was closed. Run this cell again to use it.");
  };
}
