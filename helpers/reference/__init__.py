"""Reference implementations: the right answers, written to be read.

The lessons quote them, the checks compare with them, and a later lesson takes from here what an earlier one left open.
"""
