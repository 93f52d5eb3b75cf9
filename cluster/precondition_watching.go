package cluster

import (
	"fmt"
	"strings"
)

func checkProduct(x *Examination, n Examined) verdict {
	c := x.View.report(n.Node.Name).Host.Installed
	switch {
	case !c.Known:
		return untold(c.Reason, "Look again.")
	case !c.Value:
		return amiss("/opt/chef-backend is missing: no Chef Backend is installed", "Name a backend node of the cluster.")
	}
	return inOrder("Chef Backend is installed")
}

func checkFolders(_ *Examination, n Examined) verdict {
	c := n.Means.Folders
	if !c.Known {
		return untold(c.Reason, "Look again.")
	}
	f := c.Value
	switch {
	case len(f.Missing) > 0:
		return amiss(strings.Join(f.Missing, ", ")+" not there", "Install Chef Backend on this node as on the others, or join it to the cluster.")
	case len(f.Closed) > 0:
		return amiss("even root may not look into "+strings.Join(f.Closed, ", "), "See what file system it lies on, and mend its rights.")
	case len(f.NoLog) == len(Services):
		return amiss("no log of any service in "+ProductLogs, "See where svlogd writes on this node; the logs are read from there only.")
	case len(f.NoLog) > 0:
		return advice("no log to read of "+strings.Join(f.NoLog, ", "), "Start the service, or see where svlogd writes its log.")
	}
	return inOrder("the product's folders, and a log of each service")
}

// checkSessions answers by sessions that were really opened; what sshd is
// configured to allow is told where it is known.
func checkSessions(need int) func(*Examination, Examined) verdict {
	return func(_ *Examination, n Examined) verdict {
		c := n.Means.Sessions
		if !c.Known {
			return untold(c.Reason, "Look again.")
		}
		seen := fmt.Sprintf("%d are needed at once, %d of %d opened", need, c.Value, SessionsToAct)
		if s := n.Means.SSHD; s.Known && s.Value.MaxSessions > 0 {
			seen += fmt.Sprintf("; MaxSessions %d", s.Value.MaxSessions)
		}
		if c.Value < need {
			return amiss(seen, fmt.Sprintf("Set MaxSessions to 10 (%d at least) in sshd_config there, and reload sshd.", SessionsToAct))
		}
		return inOrder(seen)
	}
}
