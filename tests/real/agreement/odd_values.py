"""Values and keys at which readers of the text differ."""

from __future__ import annotations

NUMBERS = (b"", b"0", b"1", b"2", b"4", b"08", b"010", b"04096", b"0x10", b"0X1F", b"0x", b"x", b"-1", b"-129", b"+5",
            b" 5", b"5 ", b"\t5", b"5\t", b"5x", b"1e3", b"0b1", b"ff", b"fffff", b"4095", b"4096", b"8192",
            b"16384", b"65536", b"2147483648", b"4294967295", b"4294967296", b"9223372036854775807",
            b"9223372036854775808", b"18446744073709551615", b"18446744073709551616", b"99999999999999999999999",
            b"-9223372036854775808", b"-9223372036854775809", b"ffffffff82610000", b"ffffffffffffffff",
            b"10000000000000000", b"1.5", b"\xff", b"0000000000000000000000000000005", b"y", b"=5", b"5=6")  # fmt: skip
_PAGESIZES = (b"4096", b"16384", b"65536", b"0", b"", b"1", b"2", b"3", b"4095", b"4097", b"04096", b"010000",
              b"0x1000", b" 4096", b"4096 ", b"4096x", b"-4096", b"+4096", b"1024", b"2048", b"8192", b"1048576",
              b"2147483648", b"4294967296", b"9223372036854775807", b"9223372036854775808", b"18446744073709551616",
              b"4k", b"4096\r", b"4096\t")  # fmt: skip
_RELEASES = (b"", b"6", b"6.1", b"6.1.0", b"6.1-rc1", b"6.1.0-rc1+", b"v6.1.0", b"6.1.0-\xc3\xa4", b" 6.1.0", b"6.1.0 ",
             b"6..1", b"6.1.", b".6.1.0", b"256.1.0", b"6.256.0", b"6.1.256", b"6.1.99999999999", b"-6.1.0",
             b"0x6.1.0", b"06.01.00", b"6.1.0.4", b"6.1.0=x", b"unknown", b"linux", b"0.0.0", b"6.1.0\tx",
             b"5.15.168", b"6.10.14", b"6.1.0\x1b[31m", b"2.6.32-754.el6.x86_64", b"6.+1.0", b"6. 1.0",
             b"65536.1.0", b"6.1.0-" + b"a" * 50, b"6.1.0-" + b"a" * 57, b"6.1.0-" + b"a" * 58,
             b"6.1.0-" + b"a" * 59, b"6.1.0-" + b"a" * 60, b"6.1.0-" + b"a" * 120, b"6.1.0-" + b"a" * 121,
             b"6.1.0-" + b"a" * 122, b"6.1.0-" + b"a" * 400)  # fmt: skip
_BUILD_IDS = (b"", b"ab", b"abc", b"00" * 20, b"ab" * 21, b"ab" * 64, b"ab" * 65, b"AB" * 20, b"0x" + b"ab" * 19,
              b"zz" * 20, b"ab-cd", b"ab cd", b" " + b"ab" * 20, b"ab" * 20 + b" ", b"ab" * 200)  # fmt: skip
_BITS = (b"0", b"1", b"5", b"12", b"26", b"27", b"30", b"34", b"46", b"48", b"63", b"64", b"65", b"99", b"-1", b"",
         b"0x1b", b"033", b"27x", b"4294967323")  # fmt: skip
_TIMES = (b"0", b"1", b"1700000000", b"", b"-1", b"x", b"0x10", b"17 ", b"9223372036854775807", b"9223372036854775808",
          b" 17")  # fmt: skip
SPECIAL: dict[bytes, tuple[bytes, ...]] = {
    b"PAGESIZE": _PAGESIZES,
    b"OSRELEASE": _RELEASES,
    b"BUILD-ID": _BUILD_IDS,
    b"NUMBER(SECTION_SIZE_BITS)": _BITS,
    b"NUMBER(MAX_PHYSMEM_BITS)": _BITS,
    b"NUMBER(VA_BITS)": _BITS,
    b"CRASHTIME": _TIMES,
}
KEYS = (b"OSRELEASE", b"PAGESIZE", b"BUILD-ID", b"CRASHTIME", b"SYMBOL(swapper_pg_dir)", b"SYMBOL(_stext)",
         b"SYMBOL(init_uts_ns)", b"SYMBOL(mem_section)", b"LENGTH(mem_section)", b"SIZE(mem_section)",
         b"SIZE(page)", b"SIZE(list_head)", b"OFFSET(uts_namespace.name)", b"OFFSET(list_head.prev)",
         b"OFFSET(page.flags)", b"OFFSET(page.compound_head)", b"NUMBER(SECTION_SIZE_BITS)",
         b"NUMBER(MAX_PHYSMEM_BITS)", b"NUMBER(phys_base)", b"NUMBER(pgtable_l5_enabled)",
         b"NUMBER(KERNEL_IMAGE_SIZE)", b"NUMBER(sme_mask)", b"NUMBER(VA_BITS)", b"NUMBER(kimage_voffset)",
         b"NUMBER(PHYS_OFFSET)", b"NUMBER(TCR_EL1_T1SZ)", b"NUMBER(KERNELPACMASK)", b"NUMBER(VMALLOC_START)",
         b"NUMBER(PG_lru)", b"NUMBER(PG_slab)", b"NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)",
         b"NUMBER(va_kernel_pa_offset)", b"KERNELOFFSET", b"SYMBOL(init_top_pgt)", b"SYMBOL(phys_base)",
         b"SYMBOL(lowcore_ptr)", b"SYMBOL(kallsyms_names)", b"SYMBOL(kallsyms_num_syms)", b"SYMBOL(prb)",
         b"SYMBOL(log_buf)", b"SYMBOL(mem_map)", b"SYMBOL(node_data)", b"LENGTH(node_data)",
         b"LENGTH(zone.free_area)", b"LENGTH(free_area.free_list)", b"OFFSET(printk_info.text_len)",
         b"SIZE(nodemask_t)", b"CONFIG_X86_PAE", b"CONFIG_ARM_LPAE", b"SAMODE31", b"IDENTITYBASE", b"KERNELOFFPHYS",
         b"SRCFILE(pud_t)", b"relocate")  # fmt: skip
NEEDED = (b"OSRELEASE", b"PAGESIZE", b"SYMBOL(swapper_pg_dir)")
