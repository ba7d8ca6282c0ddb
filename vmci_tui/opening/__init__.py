"""From what a user names to a document, a note, an entry, a side of a comparison."""
