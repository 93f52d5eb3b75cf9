package logs

import "testing"

// newCursor has read half of current; three files were rotated before.
func newCursor() (c *cursor, g *log, current file) {
	g = &log{stream: &stream{}, folder: "/l"}
	current = file{"/l/current", 7, 100, 100}
	g.cursor = cursor{started: true, chain: []file{current}, offset: 50, after: "/l/@3."}
	return &g.cursor, g, current
}

// A node whose clock was set back rotates to a name that counts as old: the file
// is given up, and what remains is followed.
func TestRotationByAClockThatWasSetBack(t *testing.T) {
	c, g, _ := newCursor()
	c.listed([]file{{"/l/@1.s", 5, 9, 9}, {"/l/@2.s", 7, 100, 100}, {"/l/@3.s", 6, 9, 9}}, g)
	if len(c.chain) > 0 || !g.hole.open {
		t.Errorf("%+v, hole %+v", c.chain, g.hole)
	}
	c.listed([]file{{"/l/@1.s", 5, 9, 9}, {"/l/@2.s", 7, 100, 100}, {"/l/@3.s", 6, 9, 9}, {"/l/current", 8, 4, 4}}, g)
	if len(c.chain) != 1 || c.chain[0].id != 8 {
		t.Errorf("%+v", c.chain)
	}
}

// A log that could not be read and is gone then says so, and nothing of what
// was.
func TestLogThatCouldNotBeReadIsGone(t *testing.T) {
	c, g, current := newCursor()
	c.got(nil, 0, &current, g)
	if said := g.trouble("/"); said != "/l/current cannot be read" {
		t.Error(said)
	}
	c.listed(nil, g)
	g.missing = missingPolls + 1
	if said := g.trouble("/"); said != "no file /l/current" {
		t.Error(said)
	}
}

// A log that is written anew right after the start brings none of the files that
// are older than its backlog.
func TestStartLeavesOlderFilesAlone(t *testing.T) {
	c, g, current := newCursor()
	*c = cursor{}
	current.size = backlogBytes + 1
	files := []file{{"/l/@1.s", 5, 9, 9}, {"/l/@2.s", 6, 9, 9}, current}
	c.listed(files, g)
	c.disown()
	c.listed(files, g)
	if len(c.chain) != 1 || c.chain[0].id != current.id {
		t.Errorf("%+v", c.chain)
	}
}
