"""Networks of other libraries through the course's four calls, and the table of what came of it."""
