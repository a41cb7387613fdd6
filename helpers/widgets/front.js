// What every front end begins with: nodes, keys, and asking the kernel. `front.module` puts it before a front end's own file.

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
