"""kdump-compressed dumps: headers, bitmaps, pages, and their layout with other notes."""
