"""Workers: what is lost with one is done again, and what loses them each time is named."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from autograde.workers import DaskWorkers, Job, NoScheduler, Workers


def number(path: str) -> int:
    """Its process, after it has noted that it was called."""
    with Path(path).open("a") as file:
        file.write("x")
    return os.getpid()


def ends(path: str, times: int) -> str:
    """End the worker the first few times."""
    with Path(path).open("a") as file:
        file.write("x")
    if Path(path).stat().st_size <= times:
        os.kill(os.getpid(), signal.SIGKILL)
    return "done"


@pytest.mark.parametrize("times", [1, 9])
def test_a_job_whose_worker_was_lost_is_done_again_and_in_the_end_given_up(tmp_path, times):
    done = []
    with Workers(2) as workers:
        for k in range(6):
            workers.do(Job(number, (str(tmp_path / f"{k}"),), done.append, f"{k}"))
        workers.do(Job(ends, (str(tmp_path / "ends"), times), done.append, "the one"))
        workers.finish()
        assert len([x for x in done if isinstance(x, int)]) == 6
        assert done.count("done") == (times == 1)
        assert workers.lost == ([] if times == 1 else ["the one"])


def test_leaving_early_ends_the_workers(tmp_path):
    with Workers(1) as workers:
        seen = []
        workers.do(Job(number, (str(tmp_path / "a"),), seen.append, "a"))
        workers.finish()
        workers.add(Job(time.sleep, (60,), seen.append, "b"))
    end = time.monotonic() + 10
    while Path(f"/proc/{seen[0]}").exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert not Path(f"/proc/{seen[0]}").exists()


def test_where_no_scheduler_answers_it_says_so(closed):
    with (
        pytest.raises(NoScheduler, match="No Dask scheduler answers at"),
        DaskWorkers(1, closed.replace("http", "tcp")),
    ):
        pass


@pytest.fixture
def scheduler(tmp_path):
    """The address of a scheduler with one worker."""
    file = tmp_path / "scheduler.json"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": tmp_path}
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
    started = [subprocess.Popen([*command, "--no-dashboard", "--scheduler-file", str(file)], **quiet)]
    command = [sys.executable, "-m", "distributed.cli.dask_worker", "--scheduler-file", str(file)]
    started.append(subprocess.Popen([*command, "--nthreads", "1", "--no-dashboard"], **quiet))
    while not file.exists():
        time.sleep(0.05)
    yield json.loads(file.read_text())["address"]
    for process in reversed(started):
        process.terminate()
        process.wait()


def test_a_scheduler_does_what_may_leave_this_machine(scheduler, tmp_path):
    seen = {}
    with DaskWorkers(1, scheduler) as workers:
        here = Job(number, (str(tmp_path / "a"),), lambda got: seen.update(here=got), "a")
        workers.do(here)
        workers.do(Job(os.getpid, (), lambda got: seen.update(there=got), "b", anywhere=True))
        workers.finish()
        local = [process.pid for process in workers._pool._processes.values()]
    assert seen["here"] in local
    assert seen["there"] not in local
