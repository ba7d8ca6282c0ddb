"""Tests of the kernel in memory."""
