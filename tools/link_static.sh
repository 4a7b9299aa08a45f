#!/bin/sh
# Usage: link_static.sh CORE.a OUT.a     One object with everything; what is hidden becomes local.
set -e
object=$2.o
rm -f "$2" "$object"
ld -r --whole-archive "$1" -o "$object"
objcopy --localize-hidden "$object"
ar rcs "$2" "$object"
rm -f "$object"
