package recovery

import (
	"fmt"
	"slices"
	"strings"

	"chef-backend-cockpit/cluster"
)

// identity is how a node is told from another. Empty parts were not known.
type identity struct {
	HostKey   string `json:"hostKey,omitempty"`
	HostName  string `json:"hostName,omitempty"`
	MachineID string `json:"machineID,omitempty"`
	BootID    string `json:"bootID,omitempty"`
	GUID      string `json:"guid,omitempty"` // as etcd names the member
}

func identityOf(r *cluster.Report) identity {
	if r == nil {
		return identity{}
	}
	return identity{
		HostKey: r.Host.KeyFingerprint.Value, HostName: r.Host.HostName.Value,
		MachineID: r.Host.MachineID.Value, BootID: r.Host.BootID.Value, GUID: r.Etcd.MemberName.Value,
	}
}

// known answers whether an identity tells its node from another.
func (was identity) known() bool { return was.HostName != "" || was.MachineID != "" }

// differs says what of an identity changed; "" for nothing. What was known and
// no longer is counts as changed, the GUID excepted: a stopped etcd does not
// tell it.
func (was identity) differs(node string, now identity) string {
	if d := was.machineDiffers(node, now); d != "" {
		return d
	}
	if was.BootID != "" && was.BootID != now.BootID {
		return fmt.Sprintf("%s was started again: its boot id was %s and is %s", node, was.BootID, orNothing(now.BootID))
	}
	return ""
}

// machineDiffers is differs for a machine that may have been started again.
func (was identity) machineDiffers(node string, now identity) string {
	for _, part := range []struct{ what, was, now string }{
		{"host key", was.HostKey, now.HostKey},
		{"host name", was.HostName, now.HostName},
		{"machine id", was.MachineID, now.MachineID},
	} {
		if part.was != "" && part.was != part.now {
			return fmt.Sprintf("%s is not the machine of the plan: its %s was %s and is %s", node, part.what, part.was, orNothing(part.now))
		}
	}
	if was.GUID != "" && now.GUID != "" && was.GUID != now.GUID {
		return fmt.Sprintf("%s is not the member of the plan: its GUID was %s and is %s", node, was.GUID, now.GUID)
	}
	return ""
}

func orNothing(s string) string {
	if s == "" {
		return "not known now"
	}
	return s
}

// text names the machine, for somebody who is to say that it is the right one.
func (was identity) text() string {
	return fmt.Sprintf("host name %s, machine id %s, host key %s", orNothing(was.HostName), orNothing(was.MachineID), orNothing(was.HostKey))
}

// renames answers whether a command gives its node another GUID.
func renames(command string) bool {
	words := strings.Fields(command)
	for i, word := range words[:max(0, len(words)-1)] {
		if word == "chef-backend-ctl" {
			return slices.Contains([]string{"cleanse", "create-cluster", "join-cluster", "restore"}, words[i+1])
		}
	}
	return false
}
