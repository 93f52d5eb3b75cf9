package logs

import "testing"

// While svlogd renames the current of PostgreSQL's newest version, the log of an
// older one that lies beside it is not taken for it; when it stays away it is.
func TestOlderVersionWaitsForTheNewest(t *testing.T) {
	const root = "/var/log/chef-backend/postgresql/"
	newest, older := file{root + "9.6/current", 7, 10, 10}, file{root + "9.5/current", 8, 10, 10}
	g := &log{stream: newTestStream(t, "postgresql")}
	poll := func(want string, files ...file) {
		t.Helper()
		g.settle(files, root, &listing{})
		if g.folder != root+want {
			t.Fatalf("%s is followed, not %s", g.folder, want)
		}
		g.look(named(files, g.folder+"/current"))
	}
	poll("9.5", older)
	g.cursor.started = true
	poll("9.6", older, newest)
	if g.cursor.started {
		t.Error("another version is the same log")
	}
	for range missingPolls {
		poll("9.6", older)
	}
	poll("9.5", older)
	poll("9.6", newest)
	poll("9.6", older)
	poll("9.6", older, newest)
	poll("10", older, newest, file{root + "10/current", 9, 10, 10})
}
