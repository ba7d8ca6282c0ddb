"""The report of a conversion, as text, JSON and a page for a ticket."""
