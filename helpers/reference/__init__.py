"""Reference implementations: the right answers, one module a lesson, in the order of the course.

Written to be read: the lessons quote them, the checks compare with them, and a later lesson takes from here what an
earlier one left unwritten.
"""
