"""libkdumpfile as a part of drgn: opening a dump, its memory and its text."""
