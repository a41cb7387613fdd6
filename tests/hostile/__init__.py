"""A class of hostile and odd submissions, and what each must get. `python -m tests.hostile` grades it and says so."""
