package observe

import (
	"bytes"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/remote"
)

// identity fills what every look tells of the machine, and the clock.
func (l *look) identity(r *cluster.Report, link remote.Link) {
	h, src := &r.Host, cluster.SourceHost
	h.KeyFingerprint = unknown[string](l, "no host key seen yet", cluster.SourceReach)
	if link.Fingerprint != "" {
		h.KeyFingerprint = known(l, text([]byte(link.Fingerprint)), cluster.SourceReach)
	}
	h.Privileged = known(l, link.Privileged, cluster.SourceReach)
	body, _, reason := l.open("host", "sh")
	said := keyValues(body)
	word := func(key, missing string) cluster.Claim[string] {
		if reason != "" {
			return unknown[string](l, reason, src)
		}
		if v := said[key]; v != "" {
			return known(l, v, src)
		}
		return unknown[string](l, missing, src)
	}
	h.HostName = word("hostname", "the node tells no host name")
	h.MachineID = word("machine-id", "no machine id on the node")
	h.BootID = word("boot-id", "no boot id on the node")
	up := word("uptime", "no uptime on the node")
	h.Uptime = unknown[time.Duration](l, up.Reason, src)
	if d, ok := seconds(up.Value); up.Known && ok {
		h.Uptime = known(l, d, src)
	} else if up.Known {
		h.Uptime.Reason = "uptime not understood: " + up.Value
	}
	h.Installed = yesNo(l, word("installed", "not asked"), src)
	h.ClockOffset, h.ClockError = l.clockOffset()
}

// sentinels reads the marker files; "?" is what the probe says where it cannot
// look into their folder.
func (l *look) sentinels(r *cluster.Report) {
	body, _, reason := l.open("host", "sh")
	said := keyValues(body)
	read := func(key string) cluster.Claim[bool] {
		switch {
		case reason != "":
			return unknown[bool](l, reason, cluster.SourceSentinel)
		case said[key] == "yes":
			return known(l, true, cluster.SourceSentinel)
		case said[key] == "no":
			return known(l, false, cluster.SourceSentinel)
		}
		return unknown[bool](l, "the folder /var/opt/chef-backend/leaderl/data cannot be looked into", cluster.SourceSentinel)
	}
	r.Sentinels.NoStart = read("no-start-pgsql")
	r.Sentinels.Unsynced = read("unsynced")
}

// clockOffset is node minus cockpit. The node tells its time at the beginning
// and at the end of the look, so the unequal time in between drops out and
// half of the two ways remains as the error.
func (l *look) clockOffset() (offset, wrong cluster.Claim[time.Duration]) {
	first, ok1 := l.nodeTime("clock-1")
	second, ok2 := l.nodeTime("clock-2")
	if !ok1 || !ok2 {
		_, _, reason := l.open("clock-2", "date")
		if reason == "" {
			reason = "the node's clock was not understood"
		}
		return unknown[time.Duration](l, reason, cluster.SourceHost), unknown[time.Duration](l, reason, cluster.SourceHost)
	}
	half := max(0, l.ended.Sub(l.at)-second.Sub(first)) / 2
	if first.Nanosecond() == int(wholeSecond) && second.Nanosecond() == int(wholeSecond) {
		half += wholeSecond
	}
	return known(l, first.Sub(l.at)/2+second.Sub(l.ended)/2, cluster.SourceHost), known(l, half, cluster.SourceHost)
}

// wholeSecond is what is added to a time in whole seconds, whose middle is
// nearest, and how wrong that may be.
const wholeSecond = 500 * time.Millisecond

// nodeTime reads `date -u +%s.%N`; an old date prints the N as it is.
func (l *look) nodeTime(name string) (time.Time, bool) {
	body, _, reason := l.open(name, "date")
	if reason != "" {
		return time.Time{}, false
	}
	whole, part, _ := strings.Cut(string(bytes.TrimSpace(body)), ".")
	sec, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || sec < 0 || sec > 1<<40 {
		return time.Time{}, false
	}
	nsec, err := strconv.ParseInt(part, 10, 64)
	if err != nil || len(part) != 9 {
		nsec = int64(wholeSecond)
	}
	return time.Unix(sec, nsec).UTC(), true
}

// machine fills the slow claims about the machine.
func (l *look) machine(r *cluster.Report) {
	r.Host.Disks = l.disks()
	r.Host.Version = l.version()
	r.Host.Addresses = l.addresses()
	r.Host.MemoryKills = l.memoryKills()
	r.Host.Certificates = l.certificates()
	l.settings(r)
}

func (l *look) version() cluster.Claim[string] {
	body, _, reason := l.open("version", "sh")
	if reason != "" {
		return unknown[string](l, reason, cluster.SourceHost)
	}
	words := bytes.Fields(body)
	if len(words) == 0 {
		return unknown[string](l, "/opt/chef-backend/version-manifest.txt cannot be read", cluster.SourceHost)
	}
	return known(l, text(words[len(words)-1]), cluster.SourceHost)
}

// addresses reads hostname -I, or the longer lines of ip -o addr.
func (l *look) addresses() cluster.Claim[[]string] {
	body, _, reason := l.open("addresses", "hostname")
	if reason != "" {
		return unknown[[]string](l, reason, cluster.SourceHost)
	}
	var all []string
	for _, w := range strings.Fields(string(body)) {
		w, _, _ = strings.Cut(w, "/")
		if a, err := netip.ParseAddr(w); err == nil && !a.IsLoopback() && a.Zone() == "" && len(all) < 1024 {
			all = append(all, a.String())
		}
	}
	if len(all) == 0 {
		return unknown[[]string](l, remark(body, "the node tells no address"), cluster.SourceHost)
	}
	return known(l, all, cluster.SourceHost)
}

// disks reads `path P` lines, each followed by df's own answer for it. A path
// on the same file system as the first is left out.
func (l *look) disks() cluster.Claim[[]cluster.Disk] {
	body, _, reason := l.open("disks", "df")
	if reason != "" {
		return unknown[[]cluster.Disk](l, reason, cluster.SourceHost)
	}
	if _, _, reason := l.open("mounts", "cat"); reason != "" {
		return unknown[[]cluster.Disk](l, reason, cluster.SourceHost)
	}
	readOnly, mounts := l.readOnlyMounts()
	var disks []cluster.Disk
	seen, on := map[string]bool{}, map[string]int{}
	path, files := "", false
	for line := range bytes.Lines(body) {
		words := bytes.Fields(line)
		if len(words) == 2 && (string(words[0]) == "path" || string(words[0]) == "inodes") {
			path, files = text(words[1]), string(words[0]) == "inodes"
			continue
		}
		d, mount, ok := parseDF(words)
		if !ok || path == "" {
			continue
		}
		if files { // in numbers of files; a file system without such a limit says 0 of 0
			if i, there := on[path]; there && d.Total > 0 {
				disks[i].Inodes = d.Free / 1024
			}
			continue
		}
		below := strings.HasPrefix(path, "/var/opt/chef-backend/")
		if below && seen[mount] {
			continue
		}
		seen[mount] = true
		d.Path, d.ReadOnly, d.Mounts, d.Inodes = path, readOnly[mount], mounts, -1
		on[path] = len(disks)
		disks = append(disks, d)
	}
	if len(disks) == 0 {
		return unknown[[]cluster.Disk](l, "df was not understood: "+remark(body, "no output"), cluster.SourceHost)
	}
	return known(l, disks, cluster.SourceHost)
}

// parseDF reads a row of df -P -k. A device name may hold spaces, so the
// figures are counted from the column with the percent sign.
func parseDF(words [][]byte) (d cluster.Disk, mount string, ok bool) {
	for i := 3; i+1 < len(words); i++ {
		if !bytes.HasSuffix(words[i], []byte("%")) {
			continue
		}
		total, err1 := strconv.ParseInt(string(words[i-3]), 10, 64)
		free, err2 := strconv.ParseInt(string(words[i-1]), 10, 64)
		if err1 != nil || err2 != nil || total < 0 || total > math.MaxInt64/1024 || free > total {
			return d, "", false
		}
		d.Total, d.Free = total*1024, max(free, 0)*1024
		return d, string(bytes.Join(words[i+1:], []byte(" "))), true
	}
	return d, "", false
}

// readOnlyMounts reads /proc/mounts; the last mount on a place is the one seen.
// ok is false where none could be read.
func (l *look) readOnlyMounts() (ro map[string]bool, ok bool) {
	body, _, _ := l.open("mounts", "cat")
	ro = map[string]bool{}
	for line := range bytes.Lines(body) {
		words := strings.Fields(string(line))
		if len(words) < 4 {
			continue
		}
		ro[words[1]] = false
		for opt := range strings.SplitSeq(words[3], ",") {
			if opt == "ro" {
				ro[words[1]] = true
			}
		}
	}
	return ro, len(ro) > 0
}

// peers reads "ADDRESS PORT open|refused|timeout" lines.
func (l *look) peers(r *cluster.Report) {
	r.Peers = map[string]cluster.Claim[cluster.PeerSeen]{}
	body, _, reason := l.open("peers", "curl")
	if reason != "" {
		return // the observer, which knows whom it asked about, names the reason
	}
	for line := range bytes.Lines(body) {
		words := strings.Fields(string(line))
		if len(words) != 3 || len(r.Peers) > 64 {
			continue
		}
		addr, err := netip.ParseAddr(words[0])
		port, perr := strconv.ParseUint(words[1], 10, 16)
		if err != nil || perr != nil {
			continue
		}
		key := addr.String()
		c, asked := r.Peers[key]
		if !asked {
			c = unknown[cluster.PeerSeen](l, "neither bash nor curl on the node could tell", cluster.SourcePeer)
		}
		switch words[2] {
		case "open", "refused", "timeout":
			if !c.Known {
				c = known(l, cluster.PeerSeen{Ports: map[int]string{}}, cluster.SourcePeer)
			}
			c.Value.Ports[int(port)] = words[2]
		}
		r.Peers[key] = c
	}
}

// address writes an IP address in its one usual form, so that two sources that
// spell it differently, as they do with IPv6, still mean one node. Anything
// else, a host name say, stays as it is.
func address(s string) string {
	if a, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return a.Unmap().String()
	}
	return s
}

// keyValues reads "name value" lines; values are made safe.
func keyValues(body []byte) map[string]string {
	m := map[string]string{}
	for line := range bytes.Lines(body) {
		key, value, ok := bytes.Cut(bytes.TrimSpace(line), []byte(" "))
		if ok && len(key) < 40 && len(m) < 64 {
			m[string(key)] = text(value)
		}
	}
	return m
}

func yesNo(l *look, c cluster.Claim[string], s cluster.Source) cluster.Claim[bool] {
	switch {
	case c.Known && c.Value == "yes":
		return known(l, true, s)
	case c.Known && c.Value == "no":
		return known(l, false, s)
	case c.Known:
		return unknown[bool](l, "not understood: "+c.Value, s)
	}
	return unknown[bool](l, c.Reason, s)
}

// seconds reads a number of seconds of at most a century.
func seconds(s string) (time.Duration, bool) {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || v != v || v < 0 || v > 100*366*86400 {
		return 0, false
	}
	return time.Duration(v * float64(time.Second)), true
}
