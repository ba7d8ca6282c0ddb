"""Tests of reading running VMs."""
