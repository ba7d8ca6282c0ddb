"""Cutting a dump: which memory is read by proof, log and readers, and a dump of only these pages."""
