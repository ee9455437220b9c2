# Copies the programs of one major with every library they need, by what the files say of themselves: no program is run,
# so the layer of another processor is built as well. Sourced by build.sh, after packages.sh.

programs=(pg_dump pg_dumpall pg_restore)

needed_by() { readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\].*/\1/p'; }

# The libraries of glibc itself, which fit only their own loader.
is_glibc() {
  case $1 in
    ld-linux*.so.* | libc.so.* | libm.so.* | libmvec.so.* | libdl.so.* | libpthread.so.* | librt.so.* | libresolv.so.* | libutil.so.* | libanl.so.*) ;;
    *) return 1 ;;
  esac
}

# find_library NAME NEEDED-BY
find_library() {
  local folder
  for folder in "${library_folders[@]}"; do
    if [[ -e $folder/$1 ]]; then
      printf '%s\n' "$folder/$1"
      return
    fi
  done
  fail $NOT_IN_PACKAGES "$1 is missing, which ${2##*/} of PostgreSQL $major needs" 'no package that was fetched has it; the dependencies of the packages are wrong'
}

# The newest symbol of glibc that the files ask for, as 2.34.
highest_glibc() {
  # Files with packed relocations name no symbol for it, but only 2.36 and newer load them.
  readelf -V "$@" | sed 's/GLIBC_ABI_DT_RELR/GLIBC_2.36/' | grep -oE 'GLIBC_2\.[0-9]+' | sed 's/GLIBC_//' | sort -V | tail -n 1
}

# collect_major FOLDER: bin/ (starters), programs/, lib/, licences/, packages.txt and, where the target's glibc is too old, glibc/.
collect_major() {
  local folder=$1 name path program highest bundled=no
  local -A libraries=()
  local -a queue=() own=() glibc=()
  mkdir -p "$folder/bin" "$folder/programs" "$folder/lib" "$folder/licences"
  for program in "${programs[@]}"; do
    [[ -f $program_folder/$program ]] || fail $NOT_IN_PACKAGES "the package of PostgreSQL $major has no $program" 'build from another package source'
    queue+=("$program_folder/$program")
  done
  while ((${#queue[@]} > 0)); do
    path=${queue[0]}
    queue=("${queue[@]:1}")
    while read -r name; do
      [[ -z ${libraries[$name]:-} ]] || continue
      libraries[$name]=$(find_library "$name" "$path")
      queue+=("${libraries[$name]}")
    done < <(needed_by "$path")
  done
  while read -r name; do
    if is_glibc "$name"; then glibc+=("$name"); else own+=("$name"); fi
  done < <(printf '%s\n' "${!libraries[@]}" | sort)

  for program in "${programs[@]}"; do
    install -m 755 "$program_folder/$program" "$folder/programs/$program"
  done
  for name in "${own[@]}"; do install -m 644 "${libraries[$name]}" "$folder/lib/$name"; done
  highest=$(highest_glibc "$folder"/programs/* "$folder"/lib/*)
  if [[ $(printf '%s\n' "$highest" "$target_glibc" | sort -V | tail -n 1) != "$target_glibc" ]]; then
    bundled=yes
    mkdir "$folder/glibc"
    for name in "${glibc[@]}"; do install -m 755 "${libraries[$name]}" "$folder/glibc/$name"; done
  else
    # Nothing of it is copied, so nothing of it is named below.
    for name in "${glibc[@]}"; do unset "libraries[$name]"; done
  fi
  for program in "${programs[@]}"; do write_starter "$folder" "$program" $bundled; done
  name_packages "$folder" "$program_folder/pg_dump" "${libraries[@]}"
  printf 'pg%s: PostgreSQL %s for %s, %s programs and %s libraries, %s MiB; highest symbol GLIBC_%s, so %s\n' \
    "$major" "$(version_of "$(owner_of "$program_folder/pg_dump")")" "$architecture" "${#programs[@]}" "${#own[@]}" \
    "$(du -sk "$folder" | awk '{ printf "%.1f", $1 / 1024 }')" "$highest" \
    "$([[ $bundled == yes ]] && echo "a glibc of its own is with it" || echo "glibc $target_glibc of the system will do")"
}

# write_starter FOLDER PROGRAM BUNDLED: a program that is started without LD_LIBRARY_PATH finds its libraries as well.
write_starter() {
  local loader
  {
    printf '#!/bin/sh\nroot=${0%%/*}/..\n'
    if [[ $3 == yes ]]; then
      loader=$(basename "$1"/glibc/ld-linux*)
      # The shell above runs with the glibc of the system: what is in glibc/ may never come into LD_LIBRARY_PATH.
      # pg_dumpall looks for pg_dump beside its own name, where it must find the starter.
      printf 'unset LD_LIBRARY_PATH\nexec "$root/glibc/%s" --library-path "$root/lib:$root/glibc" --argv0 "$root/bin/%s" "$root/programs/%s" "$@"\n' "$loader" "$2" "$2"
    else
      printf 'export LD_LIBRARY_PATH="$root/lib"\nexec "$root/programs/%s" "$@"\n' "$2"
    fi
  } >"$1/bin/$2"
  chmod 755 "$1/bin/$2"
}

# name_packages FOLDER FILE...: which packages the files are from, in which version, and under which licences.
name_packages() {
  local folder=$1 path package
  shift
  for path in "$@"; do owner_of "$path"; done | sort -u >"$work/owners"
  while read -r package; do
    printf '%s %s\n' "$package" "$(version_of "$package")"
    copy_licences "$package" "$folder/licences"
  done <"$work/owners" >"$folder/packages.txt"
  chmod 644 "$folder/packages.txt" "$folder"/licences/*
}
