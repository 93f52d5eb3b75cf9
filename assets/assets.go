// Package assets holds the embedded data: the catalogue of signs, failures and
// procedures, the scripts that run on nodes, the example configuration and the
// manual's texts.
package assets

import "embed"

// Files are all embedded files, by their path below this folder.
//
//go:embed catalogue example manual scripts
var Files embed.FS

// MustRead returns an embedded file; a missing one is a programming error.
func MustRead(path string) string {
	b, err := Files.ReadFile(path)
	if err != nil {
		panic(err)
	}
	return string(b)
}
