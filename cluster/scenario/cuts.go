package scenario

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"chef-backend-cockpit/assets"
	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/catalogue"
	"chef-backend-cockpit/cluster/journal"
	"chef-backend-cockpit/cluster/watch"
)

// cutNode is the node to which operator-cut-off cuts the operator's link.
const cutNode = "be3"

// stepsAPlan is how many steps a plan of Cuts has.
const stepsAPlan = 10

// cutLines is how many lines a step of Cuts writes; it pauses in their midst.
const cutLines = 300

// cutStep is a command with an output and an exit status that are known before.
func cutStep(n int) (command, output string, exit int) {
	var b strings.Builder
	for i := range cutLines {
		fmt.Fprintf(&b, "line %d of step %d\n", i, n)
	}
	return fmt.Sprintf("i=0; while [ $i -lt %d ]; do echo line $i of step %d; i=$((i+1)); [ $((i %% 60)) -ne 0 ] || sleep 1; done; exit %d", cutLines, n, n%4), b.String(), n % 4
}

// cutProcedure is an invented procedure of harmless steps.
func cutProcedure(first, steps int) cluster.Procedure {
	p := cluster.Procedure{Name: "write-lines", Title: "Write lines on {node}", Target: "node", Tier: cluster.T1, Phrase: "y", Built: true}
	for n := first; n < first+steps; n++ {
		command, _, _ := cutStep(n)
		id := fmt.Sprintf("%d-lines", n)
		p.Steps = append(p.Steps, cluster.Step{ID: id, Say: "write lines", On: "node", Command: command, Deadline: 2 * time.Minute,
			Effects: []cluster.Question{{Fact: "step-ended", Args: []string{id}}}, EffectSay: "the lines are written"})
	}
	return p
}

// Cuts carries out n steps on a node of a healthy bed and cuts the operator's
// link in the midst of each. recovered counts those of which exit status, length
// and digest of the whole output stand in the journal; the error tells of the
// first other one. dir is a folder for the incidents.
func Cuts(ctx context.Context, bed Bed, dir string, n int) (recovered int, err error) {
	c, err := catalogue.Load(assets.Files, "catalogue")
	if err != nil {
		return 0, err
	}
	for first := 1; first <= n; first += stepsAPlan {
		steps := min(stepsAPlan, n-first+1)
		own := *c
		own.Procedures = append([]cluster.Procedure{cutProcedure(first, steps)}, c.Procedures...)
		w, err := watch.New(watch.Options{Cluster: clusterName, Nodes: bed.Nodes(), Hosts: bed.Hosts(), Clock: bed.Clock(), Catalogue: &own,
			JournalDir: filepath.Join(dir, fmt.Sprint(first))})
		if err != nil {
			return recovered, err
		}
		w.Start(ctx)
		r := &run{bed: bed, w: w}
		err = r.cutEach(ctx)
		if closed := w.Close(); err == nil {
			err = closed
		}
		if err != nil {
			return recovered, err
		}
		more, err := compared(filepath.Join(dir, fmt.Sprint(first)), first, steps)
		recovered += more
		if err != nil {
			return recovered, err
		}
	}
	return recovered, nil
}

// cutEach plans, confirms and follows, and cuts the link once in every step.
func (r *run) cutEach(ctx context.Context) error {
	if _, err := r.until(ctx, healthyWithin, healthy, nil); err != nil {
		return fmt.Errorf("not healthy before: %w", err)
	}
	plan, err := r.w.Plan(ctx, "write-lines", cutNode, "")
	if err != nil {
		return err
	}
	if err := r.confirm(plan); err != nil {
		return err
	}
	cut := map[string]bool{}
	for {
		s := r.w.State()
		if s.Run != nil && s.Run.Plan.ID == plan.ID {
			if !s.Run.Running() {
				if s.Run.Status != cluster.StatusDone || len(cut) != len(plan.Steps) {
					return fmt.Errorf("after %d cuts the plan ended %s: %s%s", len(cut), s.Run.Status, s.Run.Sentence, steps(*s.Run))
				}
				return nil
			}
			for _, st := range s.Run.Steps {
				if st.Status == cluster.StatusRunning && st.PID != 0 && len(st.Output) > 0 && !cut[st.Step.ID] {
					cut[st.Step.ID] = true
					if err := r.cutOnce(ctx); err != nil {
						return err
					}
				}
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("after %d cuts: %w%s", len(cut), ctx.Err(), steps(*s.Run))
		case <-r.w.Changed():
		}
	}
}

// cutOnce cuts the link until it counts as lost.
func (r *run) cutOnce(ctx context.Context) error {
	if err := r.bed.Strike("operator-cut-off"); err != nil {
		return err
	}
	for {
		if phase := r.w.State().Links[cutNode].Phase; phase != "live" && phase != "stale" {
			return r.bed.Heal("operator-cut-off")
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the link is not lost by a cut: %w", ctx.Err())
		case <-r.w.Changed():
		case <-r.bed.Clock().After(time.Second):
		}
	}
}

// compared counts the steps whose outcome in the journal is what they came to.
func compared(dir string, first, steps int) (same int, err error) {
	all, err := journal.List(dir)
	if err != nil {
		return 0, err
	}
	outcomes, written := map[string]cluster.Outcome{}, map[string]*strings.Builder{}
	for _, in := range all {
		if err := journal.Verify(in.Path); err != nil {
			return 0, err
		}
		err := journal.Read(in.Path, func(rec journal.Record) error {
			data, err := journal.Decode(rec)
			switch d := data.(type) {
			case *cluster.Outcome:
				outcomes[d.Step] = *d
			case *journal.OutputData:
				if written[d.Step] == nil {
					written[d.Step] = &strings.Builder{}
				}
				for _, line := range d.Lines {
					written[d.Step].WriteString(line + "\n")
				}
			}
			return err
		})
		if err != nil {
			return 0, err
		}
	}
	for n := first; n < first+steps; n++ {
		id := fmt.Sprintf("%d-lines", n)
		_, output, exit := cutStep(n)
		digest := sha256.Sum256([]byte(output))
		o, text := outcomes[id], written[id]
		switch {
		case !o.ExitKnown || o.Exit != exit || o.Bytes != int64(len(output)) || o.Digest != hex.EncodeToString(digest[:]):
			return same, fmt.Errorf("step %d is written down as %+v, and came to exit status %d with %d bytes", n, o, exit, len(output))
		case text == nil || text.String() != output:
			return same, fmt.Errorf("step %d: its whole output does not stand in the journal", n)
		}
		same++
	}
	return same, nil
}
