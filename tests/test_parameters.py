"""What a notebook's parameters cell declares can be entered, and nothing else."""

from __future__ import annotations

import nbformat

from incamail_lib.notebooks import enter, every_model, parameters_of, read_model


def test_every_declared_parameter_can_be_entered() -> None:
    """One grammar: the names that the batch allows are those that a workplace fills in."""
    for path in every_model():
        notebook = read_model(path)
        names = parameters_of(notebook)
        value = 'a "quoted" value, it\'s \U0001f4e7'
        enter(notebook, dict.fromkeys(names, value))
        source = "\n".join(cell.source for cell in notebook.cells)
        assert source.count(f" = {value!a}  #") == len(names) > 0
        assert parameters_of(notebook) == names


def test_a_line_of_another_form_is_left_alone() -> None:
    """A line without its help, or with a second sign of equality, is no parameter."""
    source = 'language: str = "en"  # help\nother: str = "x"\nodd: str = a == b  # help'
    cell = nbformat.v4.new_code_cell(source, metadata={"tags": ["parameters"]})
    notebook = nbformat.v4.new_notebook(cells=[cell])
    assert parameters_of(notebook) == {"language"}
    enter(notebook, {"language": "fr", "other": "y", "odd": "z"})
    assert notebook.cells[0].source == source.replace('"en"', "'fr'")
