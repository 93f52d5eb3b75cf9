//go:build race

package scenario

// speed is lower under the race detector, which makes everything but the
// clock several times slower.
const speed = 2.5
