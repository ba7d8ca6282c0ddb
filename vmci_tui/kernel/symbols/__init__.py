"""The symbol table that a kernel has of itself (kallsyms): names, types and addresses."""
