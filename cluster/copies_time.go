package cluster

// atOneTime takes a standby's position back to what it was when the primary
// was looked at. Two nodes are never looked at in one instant, and a standby
// read later than the primary on whose timeline it is would seem to hold what
// the primary has not: everything that the primary wrote in between. It is left
// as it is where another primary is seen from which it could have come: one that
// is not known to be on another timeline.
func (v *View) atOneTime(c walCopy, f *walCopy) {
	if !c.exact || !f.exact || !c.writes || f.writes || c.timeline != f.timeline || f.low <= c.low {
		return
	}
	for _, n := range v.others(c.node) {
		if v.OutOfRecovery(n).Truth == False {
			continue
		}
		if o := v.copyOn(n); o.why != "" || o.timeline == c.timeline {
			return
		}
	}
	looked := v.report(c.node).Began
	ss := v.samples(f.node)
	for i := len(ss) - 1; i >= 0 && !looked.IsZero(); i-- {
		if ss[i].Position > 0 && !ss[i].At.After(looked) {
			f.low = min(f.low, ss[i].Position)
			f.high = f.low
			return
		}
	}
}
