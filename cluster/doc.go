// Package cluster holds the values of a Chef Backend cluster and the facts
// that can be asked about them: claims, reports, snapshots, views, lines,
// signs, failures, findings, procedures, plans. It is pure: no I/O, no clock
// of its own, no goroutine. Everything that arrives from a node has passed
// remote.Safe before it stands in a string here.
package cluster
