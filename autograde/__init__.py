"""What an instructor runs: build the notebooks from the lessons, grade a class, report on it."""
