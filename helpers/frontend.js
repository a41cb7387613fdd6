// What every front end begins with: taking the fallback's place, nodes, keys, and asking the kernel.
// `frontend.module` puts it before a front end's own file, which defines `render`.

const WAIT_MS = 600; // a kernel that is free has answered long before

function make(tag, className, parent) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (parent) parent.append(node);
  return node;
}

function draw(tag, attributes, parent) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (parent) parent.append(node);
  return node;
}

// Plain keys are for the widget: in a notebook the arrow keys would change the cell and a letter would delete it.
function keepKeys(node) {
  node.addEventListener("keydown", (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.altKey) event.stopPropagation();
  });
}

// A live region is read aloud when it changes, so it has to be on the page before it says anything.
function liveRegion(className, parent, role = "status") {
  const node = make("div", className, parent);
  node.setAttribute("role", role);
  node.setAttribute("aria-live", role === "status" ? "polite" : "assertive");
  return node;
}

// Asks the kernel, and says where no answer comes. `say(text)` shows a sentence to the student.
//   send(content)   asks; whether it could be sent
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
        console.warn(error); // the page still has this widget, and the kernel that had it is gone
        say(`The kernel behind this is gone. ${again[0].toUpperCase()}${again.slice(1)}.`);
        return false;
      }
      waiting = setTimeout(() => say(`Waiting for the kernel. It is busy, or it was restarted: then ${again}.`), WAIT_MS);
      return true;
    },
  };
}

// JupyterLab tells the page of every widget in the kernel, shown or not, and this runs once for each. The notebook holds
// the piece as its static fallback; while the kernel has the widget, what `render` draws takes the place of every such fallback.
// So a notebook that is opened again without its kernel, here or anywhere, shows the fallback, and nothing looks for a widget.
function initialize({ model }) {
  const mark = `.unet-fallback-${model.get("fallback_id")}`;
  const views = new Map(); // the output that holds a fallback -> how to go back to it

  function show(fallback) {
    const part = fallback.classList.contains("unet-part"); // of an output that holds several
    const output = (!part && fallback.closest(".jp-OutputArea-output")) || fallback; // Python may renew what is in it
    if (views.has(output)) return;
    output.querySelector(".unet-note")?.remove();
    const el = document.createElement("div");
    el.className = part ? "unet-live" : "jp-OutputArea-output unet-live";
    el.style.cssText = part ? fallback.style.cssText : "";
    el.style.padding = "2px 6px"; // room for the focus ring, which the output would cut off
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
    const isFallback = (node) => node.nodeType === Node.ELEMENT_NODE && (node.matches(mark) || node.querySelector(mark));
    if (records.some((record) => [...record.addedNodes].some(isFallback))) showAll();
  }

  function goBack(why) {
    for (const [output, back] of [...views]) {
      back();
      const note = make("p", "unet-note", output);
      note.setAttribute("role", "status");
      note.style.cssText = "border-left: 4px solid #0072B2; margin: 0.6em 0; padding: 0.1em 0.9em";
      note.textContent = why;
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
