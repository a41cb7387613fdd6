"""What a JupyterHub needs to hold this course as an nbgrader class: `python course.py hub-config` writes it.

One set of files for everybody on the hub, and one for the instructor. nbgrader's form grader does not open inside
JupyterLab ("refused to connect": its pages forbid to be framed), so its menu is off, and the hub's home page has a link
that opens it in a tab of its own, for instructors.
"""

from __future__ import annotations

import json
from pathlib import Path

from autograde.build_cache import ROOT
from autograde.files import write
from autograde.nbgrader_course import config

PLACE = ROOT / "dist" / "hub"
EXCHANGE = "/srv/nbgrader/exchange"
# Of nbgrader's plugins of JupyterLab, those that are for instructors.
FOR_INSTRUCTORS = ("course-list", "create-assignment", "formgrader")

EVERYBODY = """\
# For everybody on the hub. Written by `python course.py hub-config`; goes into /etc/jupyter.
c = get_config()  # noqa: F821
c.CourseDirectory.course_id = {course_id!r}
c.Exchange.root = {exchange!r}
"""

INSTRUCTOR = """\
# For the instructor alone. Written by `python course.py hub-config`; goes into ~/.jupyter.
c = get_config()  # noqa: F821
c.CourseDirectory.root = {course!r}  # below the folder in which the instructor's JupyterLab starts
"""

HUB = """\
# For the hub. Written by `python course.py hub-config`; add to jupyterhub_config.py:
#     load_subconfig({path!r})
c = get_config()  # noqa: F821
c.Spawner.default_url = "/lab"
c.JupyterHub.template_paths = [{templates!r}]
c.JupyterHub.template_vars = {{"formgraders": {instructors!r}}}
"""

HOME = """\
{% extends "templates/home.html" %}
{% block main %}
{% if user.name in formgraders %}
<div class="container text-center">
  <p>
    <a id="formgrader" class="btn btn-lg btn-secondary" target="_blank" rel="noopener"
       href="{{ base_url }}user-redirect/formgrader">Form grader of the class</a>
  </p>
</div>
{% endif %}
{{ super() }}
{% endblock %}
"""


def write_config(instructors: list[str], course: str, exchange: str = EXCHANGE, place: Path = PLACE) -> list[str]:
    """Write the files into `place`, and return what is left to do, a line each.

    Args:
        instructors: their names on the hub.
        course: the nbgrader course folder on the hub's machine, an absolute path.
        exchange: the folder through which work goes, the same for everybody.

    Raises:
        ValueError: no instructor is named, or a path is not absolute.
    """
    if not instructors:
        raise ValueError("No instructor is named. The form grader's link is for them: --instructor NAME.")
    for what, path in (("course", course), ("exchange", exchange)):
        if not path.startswith("/"):
            raise ValueError(f"--{what} is {path!r}. It must be a whole path on the hub's machine, such as {EXCHANGE}.")
    off = {f"@jupyter/nbgrader:{plugin}": True for plugin in FOR_INSTRUCTORS}
    course_id = config(place).CourseDirectory.course_id
    templates = place.resolve() / "hub" / "templates"
    files = {
        "etc/nbgrader_config.py": EVERYBODY.format(course_id=course_id, exchange=exchange),
        "etc/labconfig/page_config.json": json.dumps({"disabledExtensions": off}, indent=1) + "\n",
        "instructor/nbgrader_config.py": INSTRUCTOR.format(course=course),
        "hub/templates/home.html": HOME,
        "hub/build_unet_config.py": HUB.format(
            path=str(place.resolve() / "hub" / "build_unet_config.py"),
            templates=str(templates),
            instructors=instructors,
        ),
    }
    for name, text in files.items():
        write(place / name, text)
    return [
        f"{place} holds what the hub needs. As root, on its machine:",
        f"  install -d -m 0777 {exchange}",
        f"  mkdir -p /etc/jupyter && cp -r {place}/etc/. /etc/jupyter/",
        f"  the line load_subconfig({str(place.resolve() / 'hub' / 'build_unet_config.py')!r}) in jupyterhub_config.py",
        f"For each instructor ({', '.join(instructors)}):",
        f"  mkdir -p ~/.jupyter && cp {place}/instructor/nbgrader_config.py ~/.jupyter/",
        "The course, with its extras lab and class, must be installed where the hub starts its users' servers.",
    ]
