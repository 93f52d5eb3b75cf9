package watch

import (
	"strings"
	"testing"

	"chef-backend-cockpit/assets"
	"chef-backend-cockpit/cluster/catalogue"
)

// A sync that failed for want of WAL offers the rebuild; a server that starts
// up means nothing, also here.
func TestRecogniseWhatACommandSaid(t *testing.T) {
	c, err := catalogue.Load(assets.Files, "catalogue")
	if err != nil {
		t.Fatal(err)
	}
	recognise, err := recogniser(c)
	if err != nil {
		t.Fatal(err)
	}
	gap := []byte("FATAL:  could not receive data from WAL stream: ERROR:  requested WAL segment 0000005800000016000000F3 has already been removed")
	starting := []byte("psql: FATAL:  the database system is starting up")
	if got := recognise([][]byte{[]byte("waiting"), gap, starting, []byte("giving up")}); !strings.HasPrefix(got, "wal-segment-removed: ") || !strings.Contains(got, "rebuild-follower") {
		t.Errorf("a gap is %q", got)
	}
	if got := recognise([][]byte{starting, []byte("giving up")}); got != "" {
		t.Errorf("a server that starts is %q", got)
	}
}
