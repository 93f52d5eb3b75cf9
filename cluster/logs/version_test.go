package logs

import "testing"

// While svlogd renames the current of PostgreSQL's newest version, or cannot open
// the next one, the log of an older one that lies beside it is not taken for it;
// when none of its files is left it is, and what was not read of them is a hole.
func TestOlderVersionWaitsForTheNewest(t *testing.T) {
	const root = "/var/log/chef-backend/postgresql/"
	newest, older := file{root + "9.6/current", 7, 10, 10}, file{root + "9.5/current", 8, 10, 10}
	rotated := file{root + "9.6/@4000000060000000000000001.s", 7, 30, 30}
	g := &log{stream: newTestStream(t, "postgresql")}
	listed := func(want string, list listing, files ...file) {
		t.Helper()
		g.settle(files, root, &list)
		if g.folder != root+want {
			t.Fatalf("%s is followed, not %s", g.folder, want)
		}
		g.look(named(files, g.folder+"/current"))
		if list.sound {
			g.cursor.listed(list.files, g)
		}
	}
	poll := func(want string, files ...file) { t.Helper(); listed(want, listing{}, files...) }
	poll("9.5", older)
	g.cursor.started = true
	poll("9.6", older, newest)
	if g.cursor.started {
		t.Error("another version is the same log")
	}
	g.cursor = cursor{started: true, chain: []file{newest}, offset: 4}
	for range 3 * missingPolls {
		poll("9.6", older)
		listed("9.6", listing{sound: true, files: []file{rotated}}, older)
	}
	if len(g.chain) != 1 || g.chain[0] != rotated || g.offset != 4 || g.hole.open {
		t.Fatalf("%+v is to be read from %d on; hole %+v", g.chain, g.offset, g.hole)
	}
	if poll("9.6", older); !g.list {
		t.Error("nobody asks what the folder holds")
	}
	listed("9.5", listing{sound: true}, older)
	if g.cursor.started || !g.hole.open || g.hole.bytes != 26 {
		t.Errorf("a hole of %+v", g.hole)
	}
	poll("9.6", newest)
	poll("9.6", older)
	poll("9.6", older, newest)
	poll("10", older, newest, file{root + "10/current", 9, 10, 10})
}
