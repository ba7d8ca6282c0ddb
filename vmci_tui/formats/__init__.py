"""The bytes of one thing each: a note, a vmcoreinfo text, a fw_cfg entry, ELF and kdump records."""
