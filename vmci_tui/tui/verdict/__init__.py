"""The verdict line in the app: the keys that it names, and what is found out for it in the background."""
