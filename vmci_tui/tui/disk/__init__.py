"""The open file on disk: opened, watched, saved, and put back as it was."""
