"""The gallery and its HTML: a fragment for a notebook, and a self-contained page.

It has few colours of its own, so it follows the theme, light or dark; kinds of pixels differ in colour (Okabe-Ito) and
pattern. Whatever comes from a bundle or a comment is escaped. No scripts.
"""

from __future__ import annotations

import base64
import html
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.share import archive, pictures
from helpers.share.measure import METRICS, in_words

STYLE = """
.unet-gallery { line-height: 1.5; }
.unet-gallery table { border-collapse: collapse; margin: 0.5em 0 1em; }
.unet-gallery th, .unet-gallery td {
  padding: 0.3em 0.9em 0.3em 0; border-bottom: 1px solid rgb(128 128 128 / 50%); text-align: left; vertical-align: top;
}
.unet-gallery td.number { font-variant-numeric: tabular-nums; white-space: nowrap; }
.unet-gallery .scroll { overflow-x: auto; }
.unet-gallery .wall { display: flex; flex-wrap: wrap; gap: 1em 0.8em; margin: 0.5em 0 1.5em; }
.unet-gallery figure { margin: 0; width: 11.5em; }
.unet-gallery figure img { display: block; width: 100%; image-rendering: pixelated; }
.unet-gallery figcaption { overflow-wrap: anywhere; }
.unet-gallery .legend img { vertical-align: -0.2em; margin: 0 0.4em 0 1.2em; }
.unet-gallery img { outline: 1px solid rgb(128 128 128 / 50%); }
.unet-gallery blockquote {
  margin: 0.5em 0; padding: 0.1em 0 0.1em 0.8em; border-left: 3px solid rgb(128 128 128 / 60%);
}
.unet-gallery blockquote p { margin: 0.2em 0; white-space: pre-wrap; overflow-wrap: anywhere; max-width: 45em; }
.unet-gallery small { opacity: 0.8; }
"""
_PAGE_STYLE = """
:root { color-scheme: light dark; }
body { font-family: system-ui, sans-serif; max-width: 75em; margin: 2em auto; padding: 0 1em; }
"""
# No script and nothing from elsewhere, even if a bundle smuggles it in.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


@dataclass(frozen=True)
class Picture:
    """A PNG, what it shows in words, and its caption."""

    png: bytes
    alt: str
    caption: str


@dataclass(frozen=True)
class Gallery:
    """The bundles of a folder, measured. Shows itself in Jupyter.

    Attributes:
        leaderboard: a dict for each bundle, best mean Dice first: `"rank"`; `"name"`; `"network"`; `"parameters"`;
            `"dice"`, `"iou"` and `"boundary"`, each `{"mean", "std"}` over the images, measured here; `"claimed"`, the
            same from its card; `"claimed_on"`, which images that was; `"comments"`.
        refused: the reason for each file that is no sound bundle, by file name.
        measured_on: `{"dataset", "split", "images", "classes"}`; no classes if the data set does not name them.
        pictures: for each image on the page its `"image"`, `"truth"` and, by bundle, `"masks"`, as `Picture`s.
    """

    leaderboard: list[dict[str, Any]]
    refused: dict[str, str]
    measured_on: dict[str, Any]
    pictures: list[dict[str, Any]]

    def _repr_html_(self) -> str:
        return fragment(self)

    def __repr__(self) -> str:
        lines = [f"{'':>3} {'name':<20} {'Dice':<16} {'IoU':<16} claimed Dice"]
        for row in self.leaderboard:
            cells = (in_words(row["dice"]), in_words(row["iou"]), in_words(row["claimed"]["dice"]))
            lines.append(f"{row['rank']:>3} {row['name']:<20} {cells[0]:<16} {cells[1]:<16} {cells[2]}")
        return "\n".join([*lines, *(f"refused: {reason}" for reason in self.refused.values())])

    def export(self, path: str | Path) -> Path:
        """Write a self-contained page without scripts; `ShareError` if it cannot be written."""
        path = Path(path)
        archive.write(path, whole(self).encode())
        return path


def whole(gallery: Gallery) -> str:
    """A page of its own."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Gallery: {_escaped(_where(gallery.measured_on))}</title>\n<style>{_PAGE_STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n<h1>Gallery</h1>\n{fragment(gallery)}</main>\n</body>\n</html>\n"
    )


def fragment(gallery: Gallery) -> str:
    """The HTML within a page or below a notebook's cell."""
    parts = [f'<style>{STYLE}</style>\n<div class="unet-gallery">', "<h2>Leaderboard</h2>", _leaderboard(gallery)]
    if gallery.refused:
        parts += ["<h2>Not in the gallery</h2>", "<ul>"]
        parts += [*(f"<li>{_escaped(reason)}</li>" for reason in gallery.refused.values()), "</ul>"]
    if gallery.leaderboard:
        parts += ["<h2>Masks</h2>", _legend(gallery)]
        parts += [_wall(wall, gallery) for wall in gallery.pictures]
        parts += ["<h2>Comments</h2>", _comments(gallery)]
    return "\n".join([*parts, "</div>\n"])


def _leaderboard(gallery: Gallery) -> str:
    on = _where(gallery.measured_on)
    images = gallery.measured_on["images"]
    said = (
        f"<p>Measured here on {_escaped(on)}: mean ± standard deviation over {images} "
        f"{'image' if images == 1 else 'images'}. <em>Claimed</em> is what a bundle's card says of itself, on "
        "images of its author's choice. A dash: for some image there was no border to measure from.</p>"
    )
    if not gallery.leaderboard:
        return f"{said}\n<p>No bundle could be measured.</p>"
    head = ["", "name", *METRICS.values(), "claimed Dice", "network", "parameters"]
    rows = []
    for row in gallery.leaderboard:
        claimed = f"{in_words(row['claimed']['dice'])}<br><small>{_escaped(_where(row['claimed_on']))}</small>"
        cells = [
            f"<td class='number'>{row['rank']}</td>",
            f"<th scope='row'>{_escaped(row['name'])}</th>",
            *(f"<td class='number'>{in_words(row[m], 2 if m == 'boundary' else 3)}</td>" for m in METRICS),
            f"<td class='number'>{claimed}</td>",
            f"<td><code>{_escaped(row['network'])}</code></td>",
            f"<td class='number'>{row['parameters']:,}</td>",
        ]
        rows.append(f"<tr>{''.join(cells)}</tr>")
    titles = "".join(f"<th scope='col'>{title}</th>" for title in head)
    table = "\n".join([f"<thead><tr>{titles}</tr></thead>\n<tbody>", *rows, "</tbody></table></div>"])
    return f"{said}\n<div class='scroll' role='region' aria-label='Scores' tabindex='0'><table>\n{table}"


def _legend(gallery: Gallery) -> str:
    kinds = [kind for kind in pictures.KINDS if kind != "other class" or len(gallery.measured_on["classes"]) != 2]
    swatches = (f'<img alt="" src="{_uri(pictures.swatch(kind))}">{kind}' for kind in kinds)
    return f"<p class='legend'>Pixels:{' '.join(swatches)}</p>"


def _wall(wall: dict[str, Any], gallery: Gallery) -> str:
    figures = [_figure(wall["image"]), _figure(wall["truth"])]
    figures += [_figure(wall["masks"][row["name"]], row["name"]) for row in gallery.leaderboard]
    return f"<h3>Image {wall['index']}</h3>\n<div class='wall'>\n" + "\n".join(figures) + "\n</div>"


def _figure(picture: Picture, name: str = "") -> str:
    caption = (f"<strong>{_escaped(name)}</strong><br>" if name else "") + _escaped(picture.caption)
    image = f'<img alt="{_escaped(picture.alt)}" src="{_uri(picture.png)}">'
    return f"<figure>{image}<figcaption>{caption}</figcaption></figure>"


def _comments(gallery: Gallery) -> str:
    parts = []
    for row in gallery.leaderboard:
        if not row["comments"]:
            continue
        parts.append(f"<h3>{_escaped(row['name'])}</h3>")
        for said in row["comments"]:
            # bdi keeps an author's right-to-left marks inside
            parts.append(
                f"<blockquote><p><bdi>{_escaped(said.text)}</bdi></p>"
                f"<small><bdi>{_escaped(said.author)}</bdi>, {_escaped(said.written)} UTC</small></blockquote>"
            )
    return "\n".join(parts) or "<p>None yet: <code>comment(folder, name, author, text)</code> leaves one.</p>"


def _where(of: dict[str, Any]) -> str:
    return f"{of['dataset']}, {of['split']}"


def _uri(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def _escaped(words: str) -> str:
    return html.escape(str(words), quote=True)
