"""Threads follow the affinity mask and the cgroup's quota, on fabricated trees of /proc and /sys."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import types
from pathlib import Path

import pytest
import torch

from helpers.threads import QuickestThreads, available_cpus, limit_threads

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def sixteen_processors(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(16)), raising=False)


def tree(root: Path, cgroup: str, files: dict[str, str]) -> Path:
    """A root with /proc/self/cgroup and the given files under /sys/fs/cgroup."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(cgroup)
    for path, text in files.items():
        file = root / "sys/fs/cgroup" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


CFS = "cpu,cpuacct/docker/9f/cpu.cfs_"
BOTH = {CFS + "quota_us": "500000\n", CFS + "period_us": "100000\n"}
ABOVE = {"cpu/cpu.cfs_quota_us": "50000\n", "cpu/cpu.cfs_period_us": "25000\n", "cpu/job/cpu.cfs_quota_us": "-1\n"}


@pytest.mark.parametrize(
    ("cgroup", "files", "expected"),
    [
        pytest.param("0::/\n", {"cpu.max": "200000 100000\n"}, 2, id="v2, a container's own group"),
        pytest.param("0::/\n", {"cpu.max": "max 100000\n"}, 16, id="v2, no quota"),
        pytest.param("0::/a/b\n", {"a/b/cpu.max": "max 100000\n", "a/cpu.max": "300000 100000\n"}, 3, id="v2, above"),
        pytest.param("0::/a\n", {"a/cpu.max": "800000 100000\n", "cpu.max": "400000 100000\n"}, 4, id="v2, smallest"),
        pytest.param("0::/docker/9f\n", {"cpu.max": "150000 100000\n"}, 2, id="v2, the host's path; 1.5 is 2"),
        pytest.param("0::/../x\n", {"x/cpu.max": "100000 100000\n"}, 1, id="v2, a path out of the namespace"),
        pytest.param("0::/\n", {"cpu.max": "10000 100000\n"}, 1, id="v2, a tenth of a processor is 1"),
        pytest.param("0::/\n", {"cpu.max": "2500000 100000\n"}, 16, id="v2, a quota above the mask"),
        pytest.param("0::/\n", {"cpu.max": "nonsense\n"}, 16, id="v2, unreadable"),
        pytest.param("4:memory:/x\n3:cpu,cpuacct:/docker/9f\n0::/\n", BOTH, 5, id="v1, named by both controllers"),
        pytest.param("1:cpu:/job\n", ABOVE, 2, id="v1, above; -1 is no quota"),
        pytest.param("2:cpuset:/\n1:cpuacct:/\n", {"cpuacct/cpu.cfs_quota_us": "1\n"}, 16, id="v1, no cpu controller"),
    ],
)
def test_the_smallest_quota_counts(tmp_path, cgroup, files, expected):
    assert available_cpus(tree(tmp_path, cgroup, files)) == expected


def test_the_mask_counts_where_it_is_smaller(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {3})
    assert available_cpus(tree(tmp_path, "0::/\n", {"cpu.max": "400000 100000\n"})) == 1


def test_a_system_without_masks_and_groups(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert available_cpus(tmp_path) == 6
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert available_cpus(tmp_path) == 1


@pytest.fixture
def environment(monkeypatch):
    """No variable set, four processors, and a stand-in for an imported torch: the numbers that it was told."""
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(name, "")  # so that monkeypatch puts back what was there
        monkeypatch.delenv(name)
    monkeypatch.setattr("helpers.threads.available_cpus", lambda: 4)
    told = [64]
    stand_in = types.SimpleNamespace(set_num_threads=told.append, get_num_threads=lambda: told[-1])
    monkeypatch.setitem(sys.modules, "torch", stand_in)
    return told


def test_an_imported_torch_is_told_once(environment):
    assert limit_threads() == limit_threads() == 4
    assert environment == [64, 4]
    assert os.environ["OMP_NUM_THREADS"] == os.environ["MKL_NUM_THREADS"] == "4"


def test_what_the_user_has_set_wins(environment, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setenv("MKL_NUM_THREADS", "1")
    assert limit_threads() == 3
    assert environment == [64, 3]
    assert os.environ["MKL_NUM_THREADS"] == "1"


@pytest.mark.parametrize(("value", "expected"), [("2,1", 2), ("0", 4), ("many", 4), (" 8 ", 8)])
def test_a_variable_that_is_a_list_or_no_number(environment, monkeypatch, value, expected):
    monkeypatch.setenv("OMP_NUM_THREADS", value)
    assert limit_threads() == expected


def test_torch_follows_when_it_is_imported_later_and_nothing_else_is_imported():
    code = (
        "import os, sys; os.sched_getaffinity = lambda pid: {0}\n"
        "from importlib.util import module_from_spec, spec_from_file_location as spec\n"
        f"threads = spec('threads', {str(ROOT / 'helpers' / 'threads.py')!r})\n"
        "module = module_from_spec(threads); threads.loader.exec_module(module)\n"
        "assert module.limit_threads() == 1 and 'torch' not in sys.modules\n"
        "import torch; print(torch.get_num_threads())"
    )
    env = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    assert subprocess.check_output([sys.executable, "-c", code], text=True, env=env).strip() == "1"


@pytest.mark.parametrize("quicker", [1, 2])
def test_the_quicker_number_of_threads_is_found_and_the_one_before_put_back(quicker):
    before, used = torch.get_num_threads(), []
    threads = QuickestThreads(2, again=1000)
    for _ in range(20):
        with threads.step():
            used.append(torch.get_num_threads())
            time.sleep(0.001 if used[-1] == quicker else 0.02)
        assert torch.get_num_threads() == before
    assert threads.chosen == quicker
    assert set(used[:6]) == {1, 2}
    assert set(used[6:]) == {quicker}


def test_it_is_tried_anew_after_a_while():
    threads, slow = QuickestThreads(2, again=0.0), 2
    for k in range(24):
        slow = 2 if k < 12 else 1
        with threads.step():
            time.sleep(0.02 if torch.get_num_threads() == slow else 0.001)
    assert threads.chosen == 2


def test_a_number_that_is_hopeless_is_tried_once_only():
    """On a machine that others use, one step with two threads can take seconds."""
    threads, used = QuickestThreads(2, again=1000), []
    for _ in range(8):
        with threads.step():
            used.append(torch.get_num_threads())
            time.sleep(0.005 if used[-1] == 1 else 0.1)
    assert used == [1, 1, 1, 2, 1, 1, 1, 1]


def test_other_work_gets_the_quicker_number_also_during_a_trial():
    threads, before = QuickestThreads(2, again=1000), torch.get_num_threads()
    for took in (0.005, 0.005, 0.005, 0.1):
        with threads.step():
            time.sleep(took)
        with threads.same():
            assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before


def test_one_number_leaves_nothing_to_choose():
    threads = QuickestThreads(2, least=2)
    for _ in range(4):
        with threads.step():
            assert torch.get_num_threads() == 2
