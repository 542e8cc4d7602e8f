"""What docs/export.md says: each command runs, and each snippet reads what it wrote."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest
from typer.testing import CliRunner

from farm.cli.main import make_app
from farm.dataset.export.registry import FORMATS
from tests.support.datasets import write_dataset
from tests.support.sentences import write_sentences
from tests.support.sequences import write_sequences
from tests.unit.dataset.export.scenes.shared import write_whole

PAGE = (Path(__file__).parents[4] / "docs/export.md").read_text(encoding="utf-8")
SECTION = re.compile(
    r"^## ([\w-]+)\n\n```\n(farm dataset export [^\n]*)\n```\n```python\n(.*?)```", re.M | re.S
)
HEAVY = ("tensorflow_datasets",)

# Of the libraries that read.
pytestmark = pytest.mark.filterwarnings("ignore::Warning")


def test_every_format_has_a_section():
    assert [section[0] for section in SECTION.findall(PAGE)] == list(FORMATS)


def test_the_readme_counts_the_formats():
    readme = (Path(__file__).parents[4] / "README.md").read_text(encoding="utf-8")

    assert f"[{len(FORMATS)} formats](docs/export.md)" in readme


@pytest.mark.parametrize("section", SECTION.findall(PAGE), ids=lambda section: section[0])
def test_the_snippet_reads_what_the_command_wrote(section, tmp_path, monkeypatch):
    _name, command, snippet = section
    monkeypatch.chdir(tmp_path)
    write_dataset(tmp_path / "datasets/one", views=2, passes=("rgb", "mask", "depth"))
    write_sentences(tmp_path / "tabletop", views=2)
    write_sequences(tmp_path / "renders", sequences=1)
    write_whole(tmp_path / "object", views=4)
    if find_spec("datasets"):
        import datasets

        monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
        monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")

    done = CliRunner().invoke(make_app(), command.split()[1:])

    assert done.exit_code == 0, done.output
    code = compile(snippet, "docs/export.md", "exec")
    if any(module in snippet and find_spec(module) is None for module in HEAVY):
        pytest.skip("TensorFlow is not installed")
    exec(code, {})
