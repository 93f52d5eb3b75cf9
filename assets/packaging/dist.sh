#!/bin/sh
# dist.sh FOLDER [GOOS/GOARCH…]: builds the release into a new FOLDER: a static
# binary for each platform, deb and rpm packages for those of Linux, SHA256SUMS.
# The same commit, VERSION and Go make the same bytes, wherever it is built.
#
# In the environment: VERSION, COMMIT and SOURCE_DATE_EPOCH (from git where they
# are not set), MAINTAINER of the packages, GO, NFPM (the packager to run).
set -eu
out=${1:?dist.sh FOLDER [GOOS/GOARCH…]}
shift
[ $# -gt 0 ] || set -- linux/amd64 linux/arm64 darwin/amd64 darwin/arm64
cd "$(dirname "$0")/../.."
root=$(pwd)
case $out in /*) ;; *) out=$root/$out ;; esac
GO=${GO:-go}
# The newest release whose modules the public proxy serves in full.
: "${NFPM:=$GO run github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.0}"

# The version of a tag v1.2.3 is 1.2.3. Without a tag it sorts before every
# release: 0.0.0~DAY.COMMIT.
COMMIT=${COMMIT:-$(git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)}
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
utc() { date -u -d "@$SOURCE_DATE_EPOCH" "$1" 2>/dev/null || date -u -r "$SOURCE_DATE_EPOCH" "$1"; }
if [ -z "${VERSION:-}" ]; then
	VERSION=$(git describe --exact-match --tags --match 'v[0-9]*' 2>/dev/null | sed s/^v//)
	[ -n "$VERSION" ] || VERSION=0.0.0~$(utc +%Y%m%d).$COMMIT
	[ -z "$(git status --porcelain 2>/dev/null)" ] || VERSION=$VERSION+changed
fi
case $VERSION in
[0-9]*) ;;
*) echo "dist.sh: VERSION=$VERSION: it must begin with a digit, as packages want it" >&2; exit 64 ;;
esac
MAINTAINER=${MAINTAINER:-chef-backend-cockpit <root@localhost>}
export VERSION COMMIT SOURCE_DATE_EPOCH MAINTAINER CGO_ENABLED=0 LC_ALL=C TZ=UTC
umask 022

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# build GOOS GOARCH FILE. What of this machine could get into the binary is
# fixed: paths, the state of the working copy, the machine's own options.
build() {
	GOOS=$1 GOARCH=$2 GOAMD64=v1 GOARM64=v8.0 GOFLAGS="" GOEXPERIMENT="" $GO build -trimpath -buildvcs=false \
		-ldflags "-s -w -buildid= -X main.version=$VERSION -X main.commit=$COMMIT" -o "$3" ./cmd/chef-backend-cockpit
}

rm -rf "$out"
mkdir -p "$out" "$work/stage/man" "$work/stage/completions"
own=$work/own
build "$($GO env GOHOSTOS)" "$($GO env GOHOSTARCH)" "$own"
"$own" man-pages "$work/stage/man"
gzip -9n "$work"/stage/man/*
for shell in bash zsh fish; do "$own" completion "$shell" >"$work/stage/completions/$shell"; done
cp README.md "$work/stage/README.md"

for platform in "$@"; do
	os=${platform%/*} arch=${platform#*/}
	name=chef-backend-cockpit-$VERSION-$os-$arch
	build "$os" "$arch" "$out/$name"
	[ "$os" = linux ] || continue
	cp "$out/$name" "$work/stage/chef-backend-cockpit"
	find "$work/stage" -exec touch -d "$(utc +%Y-%m-%dT%H:%M:%SZ)" {} +
	for packager in deb rpm; do
		(cd "$work" && ARCH=$arch $NFPM package --config "$root/assets/packaging/nfpm.yaml" --packager $packager --target "$out/" >/dev/null)
	done
done
cd "$out"
if command -v sha256sum >/dev/null; then sha256sum chef*; else shasum -a 256 chef*; fi >"$work/sums"
mv "$work/sums" SHA256SUMS
cat SHA256SUMS
