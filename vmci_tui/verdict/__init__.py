"""The verdict on a file: a sentence that says who can use it and why not, and the keys that help."""
