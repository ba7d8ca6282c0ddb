"""libkdumpfile's address translation: its set-up and its page tables."""
