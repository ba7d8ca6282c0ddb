"""Everything that can be right or wrong; never imports textual or rich."""
