package observe

import (
	"strconv"
	"strings"
	"time"

	"chef-backend-cockpit/cluster"
)

// lock reads what lies in the cockpit's own folder on the node: see lock.sh.
func (l *look) lock() cluster.LockClaims {
	body, _, reason := l.open("lock", "sh")
	said := keyValues(body)
	if reason == "" && said["held"] == "" {
		reason = "the probe told nothing of the lock"
	}
	if reason != "" {
		return cluster.LockClaims{Held: unknown[bool](l, reason, cluster.SourceHost),
			Holder: unknown[cluster.LockHolder](l, reason, cluster.SourceHost), Step: unknown[cluster.StepSeen](l, reason, cluster.SourceHost)}
	}
	held := cluster.Claim[string]{Known: true, Value: said["held"]}
	if held.Value == "?" {
		held = cluster.Claim[string]{Reason: "the node does not tell which files are locked"}
	}
	return cluster.LockClaims{Held: yesNo(l, held, cluster.SourceHost),
		Holder: known(l, l.holder(said["holder"]), cluster.SourceHost), Step: known(l, stepSeen(said), cluster.SourceHost)}
}

// holder reads TOKEN PLAN KEY SINCE WHO, where SINCE is by the node's clock.
func (l *look) holder(line string) cluster.LockHolder {
	words := strings.Fields(line)
	if len(words) != 5 {
		return cluster.LockHolder{}
	}
	h := cluster.LockHolder{Token: words[0], Plan: words[1], Who: words[4]}
	if h.Plan == "-" {
		h.Plan = ""
	}
	if sec, err := strconv.ParseInt(words[3], 10, 64); err == nil && sec > 0 && sec < 1<<40 {
		h.Since = time.Unix(sec, 0).UTC()
		if offset, _ := l.clockOffset(); offset.Known {
			h.Since = h.Since.Add(-offset.Value)
		}
	}
	return h
}

// stepSeen reads PLAN STEP KEY TOKEN and what lies in the step's folder.
func stepSeen(said map[string]string) cluster.StepSeen {
	words := strings.Fields(said["step"])
	if len(words) < 2 {
		return cluster.StepSeen{Running: cluster.False}
	}
	s := cluster.StepSeen{Plan: words[0], Step: words[1], Command: said["command"]}
	switch said["runs"] {
	case "yes":
		s.Running = cluster.True
	case "no":
		s.Running = cluster.False
	}
	if n, err := strconv.Atoi(said["exit"]); err == nil && n >= 0 && n <= 255 {
		s.Exit, s.Ended = n, true
	}
	return s
}
