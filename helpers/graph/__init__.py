"""The architecture graph: the U of blocks, drawn from the network that really ran."""

from helpers.graph.graph import ArchitectureGraph

__all__ = ["ArchitectureGraph"]
