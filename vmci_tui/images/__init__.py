"""Memory images that are not dumps: what they hold, as a dump."""
