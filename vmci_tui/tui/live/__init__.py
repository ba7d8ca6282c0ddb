"""A running VM in the app: asked again on a key, and not saved."""
