"""The bench of a folder of pictures: one real run, small, and what the page says of it."""

import time

import pytest
import torch

from autograde.bench import folder, page, training


@pytest.fixture(scope="module")
def found():
    return folder.main(number=8, seconds=1, rounds=1)


def test_reading_loading_and_waiting_are_measured(found):
    assert found["pictures"] == 8
    assert found["steps"] > 0
    assert found["times longer"] > 0
    assert 0 <= found["waited"] < 1


def test_a_loader_that_is_slow_is_waited_for():
    class Slow:
        def __init__(self, pairs):
            self.pairs = pairs

        def __len__(self):
            return 4000  # too many to keep

        def __getitem__(self, k):
            time.sleep(0.05)
            return self.pairs[k % len(self.pairs)]

    pairs = [(torch.rand(1, 256, 256), torch.randint(0, 2, (256, 256))) for _ in range(2)]
    assert folder.waiting(Slow(pairs), pairs, seconds=2)["waited"] > 0.3


def test_the_page_has_it_once_it_is_measured(found, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "STORED", tmp_path / "benchmarks.json")
    monkeypatch.setattr(page, "PAGE", tmp_path / "benchmarks.md")
    training.store()
    page.write_page()
    assert "A folder of pictures" not in page.PAGE.read_text()
    training.store(folder={**found, "seconds": {"read": 5.0, "load": 8.0}, "times longer": 1.6, "waited": 0.031})
    page.write_page()
    text = page.PAGE.read_text()
    assert "8.0 s: 1.6 times as long" in text
    assert "waited for\n3.1% of its time" in text
