"""The one error of this package."""


class ShareError(ValueError):
    """Something that cannot be shared, loaded, shown or uploaded. The message says what, the rule, and what to do."""
