# Where the programs and libraries come from: packages of apt, unpacked and not installed, or of Amazon Linux in a container.
# Sourced by build.sh. After prepare_packages and locate_major, program_folder and library_folders say where to look.

# quietly CODE HINT COMMAND...: runs it; when it fails, its last words are the problem.
quietly() {
  local code=$1 hint=$2
  shift 2
  "$@" >"$work/log" 2>&1 ||
    fail "$code" "\"${1##*/}\" failed: $(grep -v '^[[:space:]]*$' "$work/log" | tail -n 3 | paste -sd '/' - | sed 's/\.$//')" "$hint"
}

choose_package_source() {
  if command -v apt-get >/dev/null; then
    package_source=apt
    local program
    for program in dpkg-deb readelf; do
      command -v $program >/dev/null ||
        fail $CANNOT_BUILD_HERE "$program is missing" 'apt-get install dpkg binutils, or build with Docker'
    done
  elif grep -qs '^ID="amzn"' /etc/os-release; then
    # Here packages are installed for real, so only in Amazon Linux, and only for the processor that runs this.
    package_source=dnf
    [[ $(uname -m) == "${architecture/arm64/aarch64}" ]] ||
      fail $CANNOT_BUILD_HERE "this container runs on $(uname -m), not on $architecture" "start it with --platform linux/${architecture/x86_64/amd64}"
  else
    fail $CANNOT_BUILD_HERE 'this machine has no apt-get and is not Amazon Linux' \
      'build on Debian or Ubuntu, or with Docker in public.ecr.aws/amazonlinux/amazonlinux:2023'
  fi
}

prepare_packages() { "prepare_$package_source"; }
locate_major() { "locate_$package_source"; }
# owner_of FILE prints its package; version_of PACKAGE; copy_licences PACKAGE FOLDER.
owner_of() { "owner_$package_source" "$1"; }
version_of() { "version_$package_source" "$1"; }
copy_licences() { "licences_$package_source" "$1" "$2"; }

prepare_apt() {
  local wanted=("${majors[@]/#/postgresql-client-}") package deb name
  packages=$work/packages
  write_apt_settings
  quietly $CANNOT_BUILD_HERE 'see whether the package sources of this machine are reachable and have this architecture; --apt-sources or NIGHTSHIFT_APT_SOURCES names others' \
    apt-get -c "$work/apt/conf" -q update
  apt-cache -c "$work/apt/conf" pkgnames postgresql-client- | grep -E '[0-9]$' | sort -V >"$work/available" || true
  for package in "${wanted[@]}"; do
    grep -qx "$package" "$work/available" ||
      fail $CANNOT_BUILD_HERE "the package sources have no $package for $architecture, but: $(paste -sd ' ' "$work/available" | grep . || echo none)" \
        'add the sources of apt.postgresql.org, name others by --apt-sources or NIGHTSHIFT_APT_SOURCES, or build with Docker'
  done
  # base-files has the texts of the licences that the packages only name.
  quietly $CANNOT_BUILD_HERE 'try again when the package sources are reachable' \
    apt-get -c "$work/apt/conf" -q -y --download-only install "${wanted[@]}" base-files
  # apt-get reads a source of the kind file: in place and copies nothing.
  for package in "${wanted[@]}"; do
    compgen -G "$work/apt/cache/archives/${package}_*.deb" >/dev/null ||
      fail $CANNOT_BUILD_HERE "apt-get fetched no $package" 'write a package source of the kind "file:" as "copy:"'
  done
  for deb in "$work"/apt/cache/archives/*.deb; do
    name=${deb##*/}
    name=${name%%_*}
    mkdir -p "$packages/$name"
    dpkg-deb -x "$deb" "$packages/$name"
    dpkg-deb -f "$deb" Version >"$packages/$name/version"
  done
  shopt -s nullglob
  library_folders=("$packages"/*/usr/lib/"$triplet" "$packages"/*/lib/"$triplet")
  shopt -u nullglob
}

# A root of apt of our own, with the sources and keys of the machine, but not its state, lists, cache and hooks.
write_apt_settings() {
  local apt=$work/apt debian=${architecture/x86_64/amd64}
  mkdir -p "$apt/state/lists/partial" "$apt/cache/archives/partial"
  # Said to be installed already: it holds only scripts for psql, and brings all of perl.
  printf 'Package: postgresql-client-common\nStatus: install ok installed\nArchitecture: all\nVersion: 9999\n\n' >"$apt/status"
  cat >"$apt/conf" <<SETTINGS
#clear APT::Architectures;
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
APT::Architecture "$debian";
APT::Architectures { "$debian"; };
APT::Install-Recommends "false";
APT::Sandbox::User "root";
// A source that cannot be read may be the one with the security updates.
APT::Update::Error-Mode "any";
Acquire::Languages "none";
// No network: say so within minutes, however many sources there are.
Acquire::Retries "2";
Acquire::http::Timeout "10";
Acquire::https::Timeout "10";
Dir::State "$apt/state";
Dir::State::status "$apt/status";
Dir::Cache "$apt/cache";
// Images for containers switch it off; without it every command below reads all lists anew.
Dir::Cache::pkgcache "pkgcache.bin";
SETTINGS
  [[ -z $apt_sources ]] || printf 'Dir::Etc::sourcelist "%s";\nDir::Etc::sourceparts "-";\n' "$(realpath "$apt_sources")" >>"$apt/conf"
}

locate_apt() { program_folder=$packages/postgresql-client-$major/usr/lib/postgresql/$major/bin; }

owner_apt() {
  local inside=${1#"$packages"/}
  printf '%s\n' "${inside%%/*}"
}

version_apt() { cat "$packages/$1/version"; }

licences_apt() {
  local doc=$packages/$1/usr/share/doc/$1 text name
  # The folder may be a link to that of another package of the same source.
  if [[ -L $doc ]]; then
    name=$(basename "$(readlink "$doc")")
    doc=$packages/$name/usr/share/doc/$name
  fi
  cp "$doc/copyright" "$2/$1"
  for text in $(grep -oh '/usr/share/common-licenses/[A-Za-z0-9.+-]*[A-Za-z0-9]' "$2/$1" | sort -u); do
    cp -L "$packages/base-files$text" "$2/" 2>/dev/null || true
  done
}

# The image lacks them.
prepare_dnf() {
  quietly $CANNOT_BUILD_HERE 'see whether the container reaches the package source' dnf install -y -q binutils findutils
  library_folders=(/usr/lib64)
}

# The packages of two majors exclude each other: the one before goes.
locate_dnf() {
  quietly $NOT_IN_PACKAGES "see whether Amazon Linux has a postgresql$major" dnf install -y -q --allowerasing "postgresql$major"
  program_folder=/usr/bin
}

owner_dnf() { rpm -qf --qf '%{NAME}\n' "$(realpath "$1")"; }
version_dnf() { rpm -q --qf '%{VERSION}-%{RELEASE}\n' "$1"; }

licences_dnf() {
  local text
  for text in /usr/share/licenses/"$1"/*; do
    [[ ! -f $text ]] || cp "$text" "$2/$1-${text##*/}"
  done
}
