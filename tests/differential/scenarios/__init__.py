"""All scenarios; a new file is imported here."""
from scenarios import console, extended, limits, logins, losses, pooling, reloads, series, simple  # noqa: F401
from world import SCENARIOS  # noqa: F401
