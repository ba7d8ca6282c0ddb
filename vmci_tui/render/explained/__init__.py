"""What the thing under the cursor is: a key, a finding, a reader, a note, a field of the entry, a byte."""
