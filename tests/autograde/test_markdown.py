"""Tables of the README whose rows are measured one at a time."""

import pytest

from autograde import evidence, located
from autograde.markdown import Published


@pytest.mark.parametrize("table", [evidence.TABLE, located.TABLE], ids=lambda table: table.mark)
def test_the_readme_has_what_was_measured(table):
    assert table.rows()
    assert table.is_in_the_readme()


def test_a_row_that_is_measured_again_takes_its_place(tmp_path):
    table = Published("sets", ("set", "named"), tmp_path / "sets.json", tmp_path / "README.md")
    table.readme.write_text("Before.\n<!-- sets -->\n<!-- /sets -->\nAfter.\n")
    for name, named in (("a", "1 of 2"), ("b", "0 of 1"), ("a", "2 of 2")):
        table.publish((name, named))
    assert table.rows() == [["a", "2 of 2"], ["b", "0 of 1"]]
    assert table.is_in_the_readme()
    text = table.readme.read_text()
    assert (text.count("| a |"), text.startswith("Before."), text.endswith("After.\n")) == (1, True, True)


def test_a_readme_without_a_place_for_it_is_one_sentence(tmp_path):
    table = Published("sets", ("set", "named"), tmp_path / "sets.json", tmp_path / "README.md")
    table.readme.write_text("Nothing.")
    with pytest.raises(ValueError, match="no lines <!-- sets -->"):
        table.publish(("a", "1 of 2"))
    assert not table.stored.exists()
