"""Where students' code runs: a process that can compute, and nothing else. Linux only."""
