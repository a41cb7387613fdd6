"""A real nbgrader course, built once for all tests of this folder."""

import pytest

from autograde import build


@pytest.fixture(scope="session")
def course(tmp_path_factory):
    """The course folder, freshly built, with its gradebook."""
    folder = tmp_path_factory.mktemp("course")
    build.build(notebooks=folder / "notebooks", course=folder, plan_file=folder / "plan.json")
    return folder
