package tui

import (
	"fmt"
	"strings"

	"chef-backend-cockpit/cluster"
)

// serviceLook is one service of a node as it is shown.
type serviceLook struct {
	name, state, note string
	mark, noteMark    cluster.Mark
	up                cluster.Truth
	loops             bool // runit starts it again and again
}

// serviceSum sums the services up in at most room cells, naming what does not
// run.
func (n nodeLook) serviceSum(room int) (string, cluster.Mark) {
	up, mark := 0, cluster.MarkNone
	var down, loops, unknown []string
	for _, s := range n.services {
		switch {
		case s.up == cluster.True:
			up++
		case s.loops:
			loops = append(loops, shortService(s.name))
		case s.up == cluster.False:
			down = append(down, shortService(s.name))
		default:
			unknown = append(unknown, shortService(s.name))
		}
	}
	text := fmt.Sprintf("%d of %d up", up, len(n.services))
	switch {
	case len(down)+len(loops) > 0:
		var parts []string
		if len(down) > 0 {
			parts = append(parts, strings.Join(down, " ")+" down")
		}
		if len(loops) > 0 {
			parts = append(parts, strings.Join(loops, " ")+" restarting")
		}
		named := strings.Join(parts, ", ")
		for _, says := range []string{"! " + text + ": " + named, "! " + named} {
			if len(says) <= room {
				return says, cluster.MarkLook
			}
		}
		return "! " + text, cluster.MarkLook
	case len(unknown) == len(n.services):
		return "? unknown", cluster.MarkUnknown
	case len(unknown) > 0:
		return "? " + text + ": " + strings.Join(unknown, " ") + " unknown", cluster.MarkUnknown
	}
	return text, mark
}

// lookService puts runit's claims, and the service's own, into words.
func lookService(r *cluster.Report, name string) serviceLook {
	s := serviceLook{name: name, state: "?", mark: cluster.MarkUnknown}
	if r == nil {
		return s
	}
	c := r.Services[name]
	if c.State.Known {
		in := ""
		if c.InState.Known {
			in = " " + stateTime(c.InState.Value)
		}
		switch c.State.Value {
		case "run":
			s.state, s.mark, s.up = "up"+in, cluster.MarkNone, cluster.True
		case "down":
			s.state, s.mark, s.up = "! down"+in, cluster.MarkLook, cluster.False
			if c.WantUp.Known && c.WantUp.Value {
				s.note, s.noteMark = "want up", cluster.MarkLook
			}
		default:
			s.state, s.mark, s.up = "! "+c.State.Value+in, cluster.MarkLook, cluster.Unknown
		}
	}
	if s.up != cluster.True {
		return s
	}
	switch name {
	case "postgresql":
		s.note, s.noteMark = pgNote(r)
	case "etcd":
		if h := r.Etcd.Health; h.Known && !h.Value {
			s.note, s.noteMark = "! unwell", cluster.MarkLook
		}
	case "elasticsearch":
		s.note, s.noteMark = esNote(r)
	}
	return s
}

func pgNote(r *cluster.Report) (string, cluster.Mark) {
	p := r.PostgreSQL
	switch {
	case p.InRecovery.Known && !p.InRecovery.Value:
		return "primary", cluster.MarkNone
	case p.Ready.Known && p.Ready.Value == 1:
		return "! starting", cluster.MarkLook
	case p.Ready.Known && p.Ready.Value == 2:
		return "! no answer", cluster.MarkLook
	case !p.InRecovery.Known:
		return "?", cluster.MarkUnknown
	case !p.Receiver.Known:
		return "standby", cluster.MarkNone
	case p.Receiver.Value == "":
		return "! no WAL", cluster.MarkLook
	case strings.HasPrefix(p.Receiver.Value, "streaming"):
		return "streaming", cluster.MarkNone
	}
	return p.Receiver.Value, cluster.MarkNone
}

func esNote(r *cluster.Report) (string, cluster.Mark) {
	e := r.Elasticsearch
	switch {
	case e.Status.Known && e.Status.Value != "green":
		return "! " + e.Status.Value, cluster.MarkLook
	case e.Master.Known && e.Master.Value:
		return "master", cluster.MarkNone
	}
	return "", cluster.MarkNone
}
