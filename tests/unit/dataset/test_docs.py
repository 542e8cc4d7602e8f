"""What the page about training shows runs as it stands."""

from __future__ import annotations

import pytest

from tests.support.datasets import write_dataset
from tests.support.snippets import run_snippet

pytest.importorskip("imagecodecs")


def test_the_numpy_snippet_reads_a_folder(tmp_path, monkeypatch, capsys):
    records = write_dataset(tmp_path / "datasets", views=2)
    monkeypatch.chdir(tmp_path)

    run_snippet("docs/train.md", under="NumPy")

    told = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in told] == [record.view.name for record in records]
    assert all("(48, 64, 3)" in line for line in told)
