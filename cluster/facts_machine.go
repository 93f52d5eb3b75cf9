package cluster

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// What counts as little on a machine. The first two are the product's own
// (leaderl.health_check.disk_min_space_mb, system requirements).
const (
	minSpace     = 250 << 20
	clockDrift   = 1500 * time.Millisecond
	lowSpace     = 20 << 30 // bytes; a tenth of a larger disk is room enough
	killedFor    = time.Hour
	renewWithin  = 60 * 24 * time.Hour
	slowClaimMax = 2 * time.Minute // four periods of the slow look
)

func init() {
	register(
		Fact{"disk-full", "A file system of the product has less room than leaderl demands (250 MB), or no more files can be made (df).", aboutNode((*View).diskFull), noArgs},
		Fact{"disk-low", "A file system of the product has less than twice that room, or less than a tenth and 20 GiB (df).", aboutNode((*View).diskLow), noArgs},
		Fact{"filesystem-read-only", "A file system of the product is mounted read-only (df, mounts).", aboutNode((*View).readOnly), noArgs},
		Fact{"memory-ran-out", "Within the last hour the kernel killed a process of the node because memory ran out (kernel's log).", aboutNode((*View).memoryRanOut), noArgs},
		Fact{"clock-differs", "The node's clock differs by more than 1.5 s from those of the others (date).", aboutNode((*View).clockDiffers), noArgs},
		Fact{"certificate-ends-soon", "A certificate of the product ends within 60 days, or has ended (openssl).", aboutNode((*View).certificateEnds), noArgs},
		Fact{"versions-differ", "Two nodes run different versions of Chef Backend (version-manifest.txt).", aboutCluster((*View).versionsDiffer), noArgs},
		Fact{"wrong-version", "The node runs a Chef Backend older than 2.1.0 (version-manifest.txt).", aboutNode((*View).wrongVersion), noArgs},
		Fact{"not-three-nodes", "The cluster has fewer or more than three nodes, or etcd lists more than three members; fewer members are a node being replaced.", aboutCluster((*View).notThreeNodes), noArgs},
	)
}

// aged answers whether a slow claim can still speak of now, and says why not.
func aged[T any](v *View, node, name string, c Claim[T]) (Answer, bool) {
	if !c.Known {
		return unknownFor(node, name, c), false
	}
	if age := v.Now.Sub(c.At); !c.At.IsZero() && age > slowClaimMax {
		return say(Unknown, fmt.Sprintf("%s of %s is unknown: its last look is %s old", name, node, age.Round(time.Second)), mention(node, name, c)), false
	}
	return Answer{}, true
}

// demandedSpace is what leaderl demands on the node, by its configuration
// where that could be read.
func (v *View) demandedSpace(node string) int64 {
	if c := v.report(node).Settings.MinSpace; c.Known && c.Value > 0 {
		return c.Value
	}
	return minSpace
}

// aboutDisks asks a question of every file system of the product.
func (v *View) aboutDisks(node, otherwise string, ask func(d Disk) (Truth, string)) Answer {
	c := v.report(node).Host.Disks
	if a, ok := aged(v, node, "host.disks", c); !ok {
		return a
	}
	ref := mention(node, "host.disks", c)
	var as []Answer
	for _, d := range c.Value {
		t, s := ask(d)
		as = append(as, say(t, s, ref))
	}
	if len(as) == 0 {
		return say(Unknown, "no file system of the product is known on "+node, ref)
	}
	return anyOf(otherwise, as...)
}

func room(d Disk, node string) string {
	return fmt.Sprintf("%s on %s has %s of %s left", d.Path, node, Amount(d.Free), Amount(d.Total))
}

func (v *View) diskFull(node string) Answer {
	least := v.demandedSpace(node)
	return v.aboutDisks(node, fmt.Sprintf("every file system of the product on %s has more than %s left", node, Amount(least)), func(d Disk) (Truth, string) {
		if d.Inodes == 0 {
			return True, fmt.Sprintf("on %s of %s no further file can be made", d.Path, node)
		}
		return TruthOf(d.Free < least), room(d, node)
	})
}

func (v *View) diskLow(node string) Answer {
	least := v.demandedSpace(node)
	return v.aboutDisks(node, "every file system of the product on "+node+" has room", func(d Disk) (Truth, string) {
		return TruthOf(d.Free < 2*least || d.Free < d.Total/10 && d.Free < lowSpace), room(d, node)
	})
}

func (v *View) readOnly(node string) Answer {
	return v.aboutDisks(node, "every file system of the product on "+node+" can be written", func(d Disk) (Truth, string) {
		if !d.Mounts {
			return Unknown, "the mounts of " + node + " could not be read"
		}
		return TruthOf(d.ReadOnly), d.Path + " on " + node + " is mounted read-only"
	})
}

func (v *View) memoryRanOut(node string) Answer {
	c := v.report(node).Host.MemoryKills
	if a, ok := aged(v, node, "host.memory-kills", c); !ok {
		return a
	}
	ref, k := mention(node, "host.memory-kills", c), c.Value
	victim := k.Victim
	if victim == "" {
		victim = "a process"
	}
	up := v.report(node).Host.Uptime
	switch {
	case k.Count == 0:
		return say(False, "the kernel of "+node+" killed nothing for want of memory since the boot", ref)
	case !k.Last.IsZero():
		age := v.Now.Sub(k.Last)
		return say(TruthOf(age < killedFor), fmt.Sprintf("the kernel of %s killed %s for want of memory %s ago; %d since the boot", node, victim, age.Round(time.Second), k.Count), ref)
	case up.Known && up.Value < killedFor: // no time is told, but the boot was not long ago
		return say(True, fmt.Sprintf("the kernel of %s killed %s for want of memory since its boot %s ago", node, victim, up.Value.Round(time.Second)), ref)
	}
	return say(Unknown, fmt.Sprintf("the kernel of %s killed %d processes for want of memory since the boot; when is not told", node, k.Count), ref)
}

// clockDiffers compares the nodes with each other: our own clock may be the
// wrong one. Of two nodes the one further from ours is named.
func (v *View) clockDiffers(node string) Answer {
	own := v.report(node).Host.ClockOffset
	if !own.Known {
		return unknownFor(node, "host.clock-offset", own)
	}
	refs := []ClaimRef{mention(node, "host.clock-offset", own)}
	wrong := v.report(node).Host.ClockError.Value
	others, worst := []time.Duration{}, time.Duration(0)
	for _, n := range v.others(node) {
		if h := v.report(n).Host; h.ClockOffset.Known {
			others, worst = append(others, h.ClockOffset.Value), max(worst, h.ClockError.Value)
			refs = append(refs, mention(n, "host.clock-offset", h.ClockOffset))
		}
	}
	if len(others) == 0 {
		return say(Unknown, "no other node's clock is known to compare that of "+node+" with", refs...)
	}
	away := time.Duration(0)
	if len(others) == 1 {
		if own.Value.Abs() >= others[0].Abs() {
			away = own.Value - others[0]
		}
	} else {
		every := append(slices.Clone(others), own.Value)
		slices.Sort(every)
		away = own.Value - every[len(every)/2]
	}
	how := "ahead of"
	if away < 0 {
		how = "behind"
	}
	wrong += worst
	switch {
	case away.Abs() > clockDrift+wrong:
		return say(True, fmt.Sprintf("the clock of %s is %s %s those of the others", node, away.Abs().Round(100*time.Millisecond), how), refs...)
	case away.Abs() > clockDrift-wrong:
		return say(Unknown, fmt.Sprintf("whether the clock of %s differs is unknown: the looks took too long to tell", node), refs...)
	}
	return say(False, "the clock of "+node+" agrees with those of the others", refs...)
}

func (v *View) certificateEnds(node string) Answer {
	c := v.report(node).Host.Certificates
	if a, ok := aged(v, node, "host.certificates", c); !ok {
		return a
	}
	ref := mention(node, "host.certificates", c)
	var as []Answer
	for _, cert := range c.Value {
		left := cert.Ends.Sub(v.Now)
		s := fmt.Sprintf("%s on %s ends on %s, in %d days", cert.Path, node, cert.Ends.Format(time.DateOnly), int(left.Hours()/24))
		if left < 0 {
			s = fmt.Sprintf("%s on %s ended on %s", cert.Path, node, cert.Ends.Format(time.DateOnly))
		}
		as = append(as, say(TruthOf(left < renewWithin), s, ref))
	}
	if len(as) == 0 {
		return say(Unknown, "no certificate of the product is known on "+node, ref)
	}
	return anyOf("every certificate on "+node+" lasts longer than 60 days", as...)
}

func (v *View) versionsDiffer() Answer {
	var said []string
	var refs []ClaimRef
	versions, unsure := map[string]bool{}, ""
	for _, n := range v.nodes() {
		c := v.report(n.Name).Host.Version
		refs = append(refs, mention(n.Name, "host.version", c))
		if !c.Known {
			unsure = n.Name
			continue
		}
		versions[c.Value] = true
		said = append(said, n.Name+" runs "+c.Value)
	}
	switch {
	case len(versions) > 1:
		return say(True, strings.Join(said, ", "), refs...)
	case unsure != "":
		return say(Unknown, "the version of Chef Backend on "+unsure+" is unknown", refs...)
	}
	return say(False, "all nodes run one version of Chef Backend", refs...)
}

func (v *View) wrongVersion(node string) Answer {
	a := v.supported(node)
	a.Truth = a.Truth.Not()
	return a
}

func (v *View) notThreeNodes() Answer {
	if n := len(v.nodes()); n != 3 {
		return say(True, fmt.Sprintf("the cluster has %d nodes; the recovery guide is written for three", n))
	}
	if listed, known := v.listed(); known && listed > 3 {
		return say(True, fmt.Sprintf("etcd lists %d members; the recovery guide is written for three", listed))
	}
	return say(False, "the cluster has three nodes")
}
