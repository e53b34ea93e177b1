"""What can go wrong with a sweep as such; failing points are results, not errors."""

from semwave.runtime.errors import UserError


class SweepError(UserError, ValueError):
    """A sweep file, an option or a store that cannot be used."""
