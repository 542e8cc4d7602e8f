"""Training on a dataset that stays on the farm."""

from __future__ import annotations

from tests.integration.test_remote_dataset import finish, login, served  # noqa: F401  fixtures
from tests.support.snippets import run_snippet


def test_the_page_about_training_streams_from_a_farm(served, login):  # noqa: F811
    finish(served, tasks=2, dataset_name="chairs")
    seen = []

    run_snippet("docs/train.md", under="From the farm", step=lambda *batch: seen.append(batch))

    assert [(rgb.shape, mask.shape) for rgb, mask in seen] == [((2, 3, 64, 64), (2, 1, 64, 64))] * 2
    assert [round(float(mask[0].mean() * 255)) for _rgb, mask in seen] == [0, 40]
