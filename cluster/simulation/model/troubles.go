package model

import "time"

// troubles are the ways in which the surroundings of the cluster can be bad.
// The zero value is a good day.
type troubles struct {
	barriers map[barrier]bool
	lag      time.Duration // how long the disks take to write, beyond the usual
	stall    time.Time     // until when the raft leader's disk writes nothing
	required int           // required_active_followers
	index    esIndex
}
