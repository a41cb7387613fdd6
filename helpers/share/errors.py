"""The one error of this package."""

from helpers.errors import InputError


class ShareError(InputError):
    """Something that cannot be shared, loaded, shown or uploaded. The message says what, the rule, and what to do."""
