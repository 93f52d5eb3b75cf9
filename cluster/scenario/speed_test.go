//go:build !race

package scenario

// speed is how much faster than real time the table is tried. Waiting times
// stretch with it on a busy machine, which is why each row has slack.
const speed = 6

// core is what is tried when not the whole table is asked for.
var core = Core
