"""Sphinx's settings for the site; `autograde/site.py` puts this file beside the pages that it makes."""

import importlib.util
import shutil
from pathlib import Path

project = "Build U-Net, piece by piece"
extensions = ["myst_nb", "sphinx.ext.mathjax", "sphinx.ext.githubpages"]

nb_execution_mode = "off"  # they have run before, in the course's own environment
nb_merge_streams = True
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
exclude_patterns = ["requirements.txt"]

html_theme = "sphinx_book_theme"
html_title = project
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_favicon = "_static/icon.svg"
html_copy_source = False
html_show_copyright = False
html_context = {"default_mode": "auto"}
html_theme_options = {
    "footer_content_items": ["extra-footer.html"],
    "extra_footer": "Text and figures: CC BY 4.0. Code: MIT licence.",
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
    "use_download_button": False,
    "use_fullscreen_button": False,
}

# Of MathJax, what a page loads; its menu would load more.
_packed = importlib.util.find_spec("sphinx-mathjax-offline")
assert _packed is not None
assert _packed.submodule_search_locations is not None
_mathjax = Path(_packed.submodule_search_locations[0]) / "static" / "mathjax"
_here = Path(__file__).parent / "_static" / "mathjax"
shutil.copytree(_mathjax / "output/chtml/fonts/woff-v2", _here / "output/chtml/fonts/woff-v2", dirs_exist_ok=True)
shutil.copy(_mathjax / "tex-chtml.js", _here)
mathjax_path = "mathjax/tex-chtml.js"
mathjax3_config = {"options": {"enableMenu": False, "enableAssistiveMml": True}}
