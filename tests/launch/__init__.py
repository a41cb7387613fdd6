"""Colab's and Binder's environments, made here from their published versions, and the lessons run in them."""
