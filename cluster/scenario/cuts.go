package scenario

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
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

// refusedMost is how many plans of Cuts may be refused before one of their
// steps: on a busy machine a look can be too old to act on. Nothing runs then,
// and another plan goes on with that step.
const refusedMost = 5

// Cuts carries out n steps on a node of a healthy bed and cuts the operator's
// link in the midst of each. recovered counts those of which exit status, length
// and digest of the whole output stand in the journal; the error tells of the
// first other one. dir is a folder for the incidents.
func Cuts(ctx context.Context, bed Bed, dir string, n int) (recovered int, err error) {
	c, err := catalogue.Load(assets.Files, "catalogue")
	if err != nil {
		return 0, err
	}
	refused := 0
	for first := 1; first <= n; {
		steps := min(stepsAPlan, n-first+1)
		incidents := filepath.Join(dir, fmt.Sprintf("%d-%d", first, refused))
		own := *c
		own.Procedures = append([]cluster.Procedure{cutProcedure(first, steps)}, c.Procedures...)
		w, err := watch.New(watch.Options{Cluster: clusterName, Nodes: bed.Nodes(), Hosts: bed.Hosts(), Clock: bed.Clock(), Catalogue: &own,
			JournalDir: incidents})
		if err != nil {
			return recovered, err
		}
		w.Start(ctx)
		r := &run{bed: bed, w: w}
		ended, err := r.cutEach(ctx)
		if closed := w.Close(); err == nil {
			err = closed
		}
		if err != nil {
			return recovered, err
		}
		more, err := compared(incidents, first, ended)
		recovered += more
		if err != nil {
			return recovered, err
		}
		first += ended
		if ended < steps {
			refused++
		}
		if refused > refusedMost {
			return recovered, fmt.Errorf("%d plans were refused, the last one before step %d", refused, first)
		}
	}
	return recovered, nil
}

// cutEach plans, confirms and follows, and cuts the link once in every step.
// ended is how many steps ran; all of them, or those before one that was refused
// and did not run.
func (r *run) cutEach(ctx context.Context) (ended int, err error) {
	if _, err := r.until(ctx, healthyWithin, healthy, nil); err != nil {
		return 0, fmt.Errorf("not healthy before: %w", err)
	}
	plan, err := r.w.Plan(ctx, "write-lines", cutNode, "")
	if err != nil {
		return 0, err
	}
	if err := r.confirm(plan); err != nil {
		return 0, err
	}
	cut := map[string]bool{}
	for {
		s := r.w.State()
		if s.Run != nil && s.Run.Plan.ID == plan.ID {
			if !s.Run.Running() {
				ran := slices.IndexFunc(s.Run.Steps, func(st cluster.StepState) bool { return st.Status == cluster.StatusRefused && st.PID == 0 })
				if s.Run.Status == cluster.StatusDone {
					ran = len(plan.Steps)
				}
				if ran != len(cut) {
					return 0, fmt.Errorf("after %d cuts the plan ended %s: %s%s", len(cut), s.Run.Status, s.Run.Sentence, steps(*s.Run))
				}
				return ran, nil
			}
			for _, st := range s.Run.Steps {
				if st.Status == cluster.StatusRunning && st.PID != 0 && len(st.Output) > 0 && !cut[st.Step.ID] {
					cut[st.Step.ID] = true
					if err := r.cutOnce(ctx); err != nil {
						return 0, err
					}
				}
			}
		}
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("after %d cuts: %w%s", len(cut), ctx.Err(), steps(*s.Run))
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
