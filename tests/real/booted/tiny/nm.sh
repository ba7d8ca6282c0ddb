#!/bin/bash
# Print the symbols of an object as nm does. Of a sorted list (-n), from which Linux makes kallsyms, two kinds are left
# out: what is freed after boot, and variables of one file, except those of the log that the note names.
set -euo pipefail
[ "$1" = -n ] || exec nm "$@"
nm "$@" | awk '
    / __init_end$/ { init = 0 }
    / __init_begin$/ { init = 1; print; next }
    / _[se]inittext$/ { print; next }
    init || (/ [bdr] / && !/ (clear_seq|prb|printk_rb_static)$/) { next }
    { print }'
