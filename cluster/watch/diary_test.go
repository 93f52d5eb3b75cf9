package watch

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/journal"
	"chef-backend-cockpit/cluster/simulation"
)

// slowDisk is a journal whose disk hangs until it is woken.
type slowDisk struct {
	wake chan struct{} // closed: it does not hang
	mu   sync.Mutex
	kept []string
	err  error
}

func (s *slowDisk) Record(kind string, data any) error {
	<-s.wake
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	if n, ok := data.(note); ok {
		kind += " " + n.Text
	}
	s.kept = append(s.kept, kind)
	return nil
}

func (s *slowDisk) Reopen(string) error { return errors.New("invented: it was closed") }
func (s *slowDisk) Close() error        { return nil }
func (s *slowDisk) ID() string          { return "20261123T024105Z-invented" }

func (s *slowDisk) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.kept)
}

// still is a clock that stands.
type still struct{ at time.Time }

func (s still) Now() time.Time                       { return s.at }
func (s still) After(time.Duration) <-chan time.Time { return nil }

// grave is a finding that opens an incident, as the n-th round sees it.
func grave(n int) []cluster.Finding {
	return []cluster.Finding{{Failure: "node-down", Node: "be3", Priority: cluster.P2, Under: "", Certainty: []cluster.Certainty{cluster.Suspected, cluster.Confirmed}[n%2]}}
}

func viewAt(at time.Time) *cluster.View {
	return &cluster.View{Now: at, Snapshot: threeNodes(1, at, "be1")}
}

func TestAHangingDiskHoldsNoRoundAndRefusesTheAct(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := &slowDisk{wake: make(chan struct{})}
		d := newDiary(disk)
		began := time.Now()
		for n := range 2 * queueMost {
			d.round(viewAt(t0), grave(n), false)
		}
		if waited := time.Since(began); waited != 0 {
			t.Errorf("the rounds waited for the disk: %s", waited)
		}
		if err := d.Record(journal.Intent, cluster.Intent{Plan: "7f3a0001", Step: "1-stop"}); !errors.Is(err, errHangs) {
			t.Errorf("an intent that is not on disk: %v", err)
		}
		if n := d.notices(false); len(n) != 1 || !n[0].Grave || !strings.Contains(n[0].Text, "did not find room") {
			t.Errorf("notices: %+v", n)
		}
		began = time.Now()
		if err := d.Record(journal.Intent, cluster.Intent{}); !errors.Is(err, errHangs) || time.Since(began) != 0 {
			t.Errorf("a disk that is known to hang was waited for: %v", err)
		}
		close(disk.wake)
		synctest.Wait()
		d.round(viewAt(t0), grave(7), false)
		if err := d.Record(journal.Intent, cluster.Intent{Plan: "7f3a0002"}); err != nil {
			t.Errorf("the disk is back: %v", err)
		}
		kept := disk.all()
		told := slices.ContainsFunc(kept, func(k string) bool { return strings.Contains(k, "records did not find room") })
		if kept[0] != journal.Snapshot || kept[len(kept)-1] != journal.Intent || !told || slices.Index(kept, journal.Intent) != len(kept)-1 {
			t.Errorf("written: %q", kept)
		}
		if n := d.notices(false); len(n) != 0 {
			t.Errorf("notices when all is well: %+v", n)
		}
	})
}

// An intent that reaches the disk after its act was refused must not look as if
// something might be running.
func TestAnIntentThatCameTooLateIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := &slowDisk{wake: make(chan struct{})}
		d := newDiary(disk)
		if err := d.Record(journal.Intent, cluster.Intent{Plan: "7f3a0001", Step: "1-stop"}); !errors.Is(err, errHangs) {
			t.Fatal(err)
		}
		close(disk.wake)
		synctest.Wait()
		if got := disk.all(); !slices.Equal(got, []string{journal.Intent, journal.Outcome}) {
			t.Errorf("written: %q", got)
		}
	})
}

func TestLeavingDoesNotWaitForADiskThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := &slowDisk{wake: make(chan struct{})}
		d := newDiary(disk)
		d.round(viewAt(t0), grave(1), false)
		began := time.Now()
		if err := d.close("the cockpit was left"); !errors.Is(err, errHangs) {
			t.Errorf("closed on a disk that hangs: %v", err)
		}
		if took := time.Since(began); took > patience {
			t.Errorf("leaving took %s", took)
		}
		close(disk.wake)
		synctest.Wait()
		if got := disk.all(); got[len(got)-1] != "note the cockpit was left" {
			t.Errorf("written: %q", got)
		}
	})
}

// A journal that vanishes refuses the act it cannot hold, and is gone on with
// in another incident that tells everything that stands.
func TestAJournalThatVanishesIsContinued(t *testing.T) {
	dir := simulation.InMemory(t)
	d := newDiary(journal.New(dir, still{t0}, "invented"))
	intent := cluster.Intent{Plan: "7f3a0001", Step: "1-stop", Node: "be3"}
	d.round(viewAt(t0), grave(1), false)
	if err := d.Record(journal.Intent, intent); err != nil {
		t.Fatal(err)
	}
	first := d.incident()
	if err := os.RemoveAll(filepath.Join(dir, first)); err != nil {
		t.Fatal(err)
	}
	if err := d.Record(journal.Intent, intent); err == nil {
		t.Error("an intent in a file that nobody can find was taken for written")
	}
	if n := d.notices(false); len(n) != 1 || !n[0].Grave {
		t.Errorf("notices: %+v", n)
	}
	d.round(viewAt(t0), grave(1), false)
	if err := d.Record(journal.Intent, intent); err != nil {
		t.Fatalf("not continued: %v", err)
	}
	var kinds []string
	err := journal.Read(journal.Path(dir, d.incident()), func(r journal.Record) error {
		kinds = append(kinds, r.Kind)
		if r.Seq == 0 && !strings.Contains(string(r.Data), `"continues":"`+first) {
			t.Errorf("it does not say what it continues: %s", r.Data)
		}
		return nil
	})
	if want := []string{"note", "snapshot", "finding", "intent"}; err != nil || !slices.Equal(kinds, want) {
		t.Errorf("the incident that continues holds %q, %v; want %q", kinds, err, want)
	}
	if err := d.close("the cockpit was left"); err != nil {
		t.Error(err)
	}
	if all, err := journal.List(dir); err != nil || len(all) != 1 || all[0].Damage != "" {
		t.Errorf("incidents: %+v, %v", all, err)
	}
}
