"""What every playground owes the page it stands on: one screen, pictures and words that can be read, and no jumps."""

import pytest
from pieces import PIECES
from playwright.sync_api import Locator, expect

pytestmark = pytest.mark.browser

PLAYGROUNDS = list(PIECES)[list(PIECES).index("kernel") :]
WIDTHS = (420, 700, 836, 922, 1476)

# What is amiss with a playground, in words; sizes in CSS pixels.
AMISS = """(root, width) => {
  const amiss = [];
  const box = node => node.getBoundingClientRect();
  const shown = node => node.checkVisibility();
  const all = where => [...root.querySelectorAll(where)].filter(shown);
  const say = (what, node, ...sizes) =>
    amiss.push(`${what}: ${node.tagName} ${node.textContent.trim().slice(0, 40)} ${sizes.map(Math.round)}`);
  if (box(root.parentElement).width !== width) say("not that wide", root, box(root).width);
  if (width > 700 && box(root).height > 600) say("too high", root, box(root).height);
  for (const picture of all(".unet-stack")) if (box(picture).width < 140) say("small", picture, box(picture).width);

  const words = all("*").filter(node => [...node.childNodes].some(child => child.nodeType === 3 && child.data.trim()));
  for (const node of words) {
    const matrix = node.getScreenCTM?.();
    const size = parseFloat(getComputedStyle(node).fontSize) * (matrix ? Math.hypot(matrix.a, matrix.b) : 1);
    if (size < 10) say("small print, in tenths of a pixel", node, 10 * size);
  }

  const inside = (node, frame) => {
    const [a, b] = [box(node), box(frame)];
    const room = [a.left - b.left, b.right - a.right, a.top - b.top, b.bottom - a.bottom];
    if (a.width && a.height && Math.min(...room) < -1) say("outside", node, ...room);
  };
  for (const node of all(":not(.unet-heard, option, svg *)")) inside(node, root);
  for (const text of all("svg text")) inside(text, text.closest("svg"));
  for (const node of all("figcaption, label, p, li, .unet-playground-stage, .unet-playground-row"))
    if (node.scrollWidth > node.clientWidth + 1) say("wider than its place", node, node.scrollWidth, node.clientWidth);
  for (const caption of all("figcaption")) {
    const range = document.createRange();
    range.selectNodeContents(caption);
    if (box(range).height > caption.clientHeight) say("higher than its place", caption, box(range).height);
  }
  const parts = [...root.children].filter(node => box(node).height > 1);
  parts.forEach((a, k) => parts.slice(k + 1).forEach(b => {
    const [p, q] = [box(a), box(b)];
    const apart = p.right <= q.left || q.right <= p.left || p.bottom <= q.top + 1 || q.bottom <= p.top + 1;
    if (!apart) say(`under ${b.className}`, a);
  }));

  const rows = all(".unet-playground-row");
  for (const row of rows) {
    const tops = [...row.children].map(panel => Math.round(box(panel.lastElementChild).top));
    if (new Set(tops).size > 1) say("pictures that begin on different lines", row, ...tops);
  }
  const last = rows.at(-1);
  const isShort = last.children.length === 1 && box(last.firstElementChild).width < 0.6 * box(root).width;
  if (isShort && rows.some(row => row.children.length > 1)) say("orphan", last);
  return amiss;
}"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_playground_fits_its_page_at_every_width(run_notebook, dark):
    notebook = run_notebook(*[PIECES[name] for name in PLAYGROUNDS], dark=dark)
    page, found = notebook.page, {}
    expect(page.locator(".unet-playground")).to_have_count(len(PLAYGROUNDS))
    screen = page.context.new_cdp_session(page)
    for scale in (1, 2):
        size = {"width": 1900, "height": 1000, "deviceScaleFactor": scale, "mobile": False}
        screen.send("Emulation.setDeviceMetricsOverride", size)
        for width in WIDTHS:
            place(page.locator(".unet-live"), width)
            for name, root in zip(PLAYGROUNDS, page.locator(".unet-playground").all(), strict=True):
                for amiss in root.evaluate(AMISS, width):
                    found.setdefault(f"{name}, {width}: {amiss}", []).append(scale)
    assert not found, "\n".join(f"{what} at scale {scales}" for what, scales in found.items())


def test_nothing_moves_while_a_slider_is_dragged(run_notebook):
    notebook = run_notebook(*[PIECES[name] for name in PLAYGROUNDS])
    mouse = notebook.page.mouse
    place(notebook.page.locator(".unet-live"), 836)
    for cell, name in enumerate(PLAYGROUNDS):
        root = notebook.output(cell).locator(".unet-playground")
        for slider in root.get_by_role("slider").all():
            slider.scroll_into_view_if_needed()
            before, value = boxes(root), slider.input_value()
            left, top, width, height = (slider.bounding_box()[side] for side in ("x", "y", "width", "height"))
            fraction = slider.evaluate("it => (it.value - it.min) / (it.max - it.min)")
            x, y = left + 8 + (width - 16) * fraction, top + height / 2
            step = width / (16 if fraction < 0.5 else -16)
            mouse.move(x, y)
            mouse.down()
            for k in range(1, 6):
                mouse.move(x + k * step, y)
                expect(root).not_to_have_attribute("aria-busy", "true", timeout=30_000)
                assert boxes(root) == before, (name, slider.evaluate("it => it.labels[0].textContent"), k)
            mouse.up()
            assert slider.input_value() != value


def place(live: Locator, width: int) -> None:
    """Make the places of all pieces so wide, and wait until they are drawn anew."""
    live.evaluate_all(
        """async (all, width) => {
          const style = { width: `${width}px`, flex: "none", boxSizing: "border-box" };
          for (const node of all) Object.assign(node.style, style);
          for (let k = 0; k < 3; k += 1) await new Promise(requestAnimationFrame);
        }""",
        width,
    )


def boxes(root: Locator) -> list[list[int]]:
    """Where sliders and pictures are."""
    return root.locator("input, .unet-stack, figure > svg").evaluate_all(
        """all => all.map(node => {
          const { left, top, width, height } = node.getBoundingClientRect();
          return [left, top, width, height].map(Math.round);
        })"""
    )
