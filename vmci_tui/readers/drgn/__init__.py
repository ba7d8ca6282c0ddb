"""drgn, with libelf and with libkdumpfile: opening a dump and reading its text."""
