package observe

import (
	"bytes"
	"encoding/json"
	"sort"
	"strconv"
	"strings"
	"time"

	"chef-backend-cockpit/cluster"
)

// maxListed bounds every list that a node can put into a claim here.
const maxListed = 64

// memoryKills reads the kernel's own count, and the newest line of its log. A
// count of 0 needs no log; without a count the lines are counted.
func (l *look) memoryKills() cluster.Claim[cluster.MemoryKills] {
	body, _, reason := l.open("oom", "sh")
	if reason != "" {
		return unknown[cluster.MemoryKills](l, reason, cluster.SourceHost)
	}
	said := keyValues(body)
	var k cluster.MemoryKills
	counted, err := strconv.Atoi(said["counted"])
	lines, err2 := strconv.Atoi(said["lines"])
	switch {
	case err == nil && counted >= 0:
		k.Count = counted
	case err2 == nil && lines >= 0:
		k.Count = lines
	default:
		return unknown[cluster.MemoryKills](l, "neither /proc/vmstat nor the kernel's log can be read", cluster.SourceHost)
	}
	if k.Count > 0 {
		k.Victim = victim(said["last"])
		k.Last = l.sinceBoot(said["from"], said["last"])
	}
	return known(l, k, cluster.SourceHost)
}

// victim is the process in "…Killed process 4711 (beam.smp) total-vm:…".
func victim(line string) string {
	_, rest, ok := strings.Cut(line, "Killed process ")
	if !ok {
		return ""
	}
	pid, rest, _ := strings.Cut(rest, " ")
	pid = strings.TrimSuffix(pid, ",")
	name, _, ok := strings.Cut(strings.TrimPrefix(rest, "("), ")")
	if _, err := strconv.Atoi(pid); err != nil || !ok || !strings.HasPrefix(rest, "(") {
		return ""
	}
	return text([]byte(name + " (" + pid + ")"))
}

// sinceBoot turns the kernel's "[ 8517.208331]" into a time by our clock. A
// line of a file may be older than this boot: it tells no time.
func (l *look) sinceBoot(from, line string) time.Time {
	_, rest, ok := strings.Cut(line, "[")
	stamp, _, ok2 := strings.Cut(rest, "]")
	at, ok3 := seconds(strings.TrimSpace(stamp))
	body, _, _ := l.open("host", "sh")
	up, ok4 := seconds(keyValues(body)["uptime"])
	if from == "file" || !ok || !ok2 || !ok3 || !ok4 || at > up+time.Minute {
		return time.Time{}
	}
	return l.at.Add(-max(0, up-at))
}

// certificates reads `file PATH` lines, each followed by openssl's
// "notAfter=Mar  1 02:00:00 2030 GMT". Files that are none are passed over.
func (l *look) certificates() cluster.Claim[[]cluster.Certificate] {
	body, _, reason := l.open("certificates", "openssl")
	if reason != "" {
		return unknown[[]cluster.Certificate](l, reason, cluster.SourceHost)
	}
	var all []cluster.Certificate
	path := ""
	for line := range bytes.Lines(body) {
		s := strings.TrimSpace(string(line))
		if p, ok := strings.CutPrefix(s, "file "); ok {
			path = text([]byte(p))
			continue
		}
		ends, ok := strings.CutPrefix(s, "notAfter=")
		at, err := time.Parse("Jan _2 15:04:05 2006 MST", ends)
		if !ok || err != nil || path == "" || len(all) == maxListed {
			continue
		}
		all = append(all, cluster.Certificate{Path: path, Ends: at.UTC()})
		path = ""
	}
	if len(all) == 0 {
		return unknown[[]cluster.Certificate](l, "no certificate of the product could be read", cluster.SourceHost)
	}
	return known(l, all, cluster.SourceHost)
}

// settings reads "name number" lines of the effective configuration.
func (l *look) settings(r *cluster.Report) {
	body, _, reason := l.open("settings", "sh")
	said := keyValues(body)
	if reason == "" && said["file"] == "" {
		reason = "/etc/chef-backend/chef-backend-running.json cannot be read"
	}
	number := func(key string, most int64) cluster.Claim[int64] {
		if reason != "" {
			return unknown[int64](l, reason, cluster.SourceHost)
		}
		n, err := strconv.ParseInt(strings.Trim(said[key], `" `), 10, 64)
		if err != nil || n < 0 || n > most {
			return unknown[int64](l, "chef-backend-running.json does not tell "+key, cluster.SourceHost)
		}
		return known(l, n, cluster.SourceHost)
	}
	s := &r.Settings
	s.RequiredFollowers = as(number("required_active_followers", 64), func(n int64) int { return int(n) })
	s.KeptSegments = as(number("wal_keep_segments", 1<<20), func(n int64) int { return int(n) })
	s.Heartbeat = as(number("heartbeat_interval", 1<<30), func(n int64) time.Duration { return time.Duration(n) * time.Millisecond })
	s.LeaderTTL = as(number("leader_ttl_seconds", 1<<30), func(n int64) time.Duration { return time.Duration(n) * time.Second })
	s.MaxBehind = number("max_bytes_behind_leader", 1<<50)
	s.MinSpace = as(number("disk_min_space_mb", 1<<30), func(n int64) int64 { return n << 20 })
}

// as gives a claim's value another shape.
func as[A, B any](c cluster.Claim[A], shape func(A) B) cluster.Claim[B] {
	out := cluster.Claim[B]{Known: c.Known, Reason: c.Reason, Source: c.Source, At: c.At}
	if c.Known {
		out.Value = shape(c.Value)
	}
	return out
}

// etcdWritable reads what etcd's own user may not write; "asked" ends a whole answer.
func (l *look) etcdWritable() cluster.Claim[bool] {
	src := cluster.SourceEtcd
	body, exit, reason := l.open("etcd-data", "chpst and su")
	if reason != "" {
		return unknown[bool](l, reason, src)
	}
	whole, refused := false, false
	for line := range bytes.Lines(body) {
		s := strings.TrimSpace(string(line))
		whole = whole || s == "asked"
		refused = refused || strings.HasPrefix(s, "no /")
	}
	if !whole || exit != 0 {
		return unknown[bool](l, remark(body, "etcd's user could not be asked"), src)
	}
	return known(l, !refused, src)
}

// use reads the connections in use and the replication slots.
func (l *look) use(p *cluster.PostgreSQLClaims) {
	body, reason := l.sqlReason("pg-use")
	p.Connections, p.Slots = unknown[cluster.Connections](l, reason, pg), unknown[[]cluster.Slot](l, reason, pg)
	if reason != "" {
		return
	}
	why := "psql's answer was not understood: " + remark(body, "no output")
	p.Connections.Reason, p.Slots.Reason = why, why
	slots, whole := []cluster.Slot{}, true
	for line := range bytes.Lines(body) {
		cells := strings.Split(strings.TrimRight(string(line), "\r\n"), "|")
		if len(cells) != 4 {
			continue
		}
		switch cells[0] {
		case "connections":
			if c, ok := connections(cells); ok {
				p.Connections = known(l, c, pg)
			}
		case "slot":
			at, err := cluster.ParseLSN(cells[3])
			if err != nil && cells[3] != "" || cells[2] != "t" && cells[2] != "f" || len(slots) == maxListed {
				whole = false
				continue
			}
			slots = append(slots, cluster.Slot{Name: text([]byte(cells[1])), Active: cells[2] == "t", Restart: at})
		}
	}
	if p.Connections.Known && whole { // without that row the answer is none
		p.Slots = known(l, slots, pg)
	}
}

func connections(cells []string) (c cluster.Connections, ok bool) {
	used, err1 := strconv.Atoi(cells[1])
	most, err2 := strconv.Atoi(cells[2])
	reserved, err3 := strconv.Atoi(cells[3])
	ok = err1 == nil && err2 == nil && err3 == nil && used >= 0 && most > 0 && reserved >= 0 && reserved <= most
	return cluster.Connections{Used: used, Max: most, Reserved: reserved}, ok
}

// turnedAway tells a server without a free connection from one that is down:
// both refuse psql, and only the words differ.
func (l *look) turnedAway() cluster.Claim[bool] {
	body, exit, reason := l.open("pg-state", "psql")
	switch {
	case reason != "":
		return unknown[bool](l, reason, pg)
	case exit == 0:
		return known(l, false, pg)
	case bytes.Contains(body, []byte("too many clients already")), bytes.Contains(body, []byte("remaining connection slots are reserved")):
		return known(l, true, pg)
	}
	return unknown[bool](l, remark(body, "psql ended with "+strconv.Itoa(exit)), pg)
}

// elasticsearchBlocks reads the settings of all indices that block writing;
// indices without such a setting are not in the answer.
func (l *look) elasticsearchBlocks() cluster.Claim[[]string] {
	src := cluster.SourceElasticsearch
	all, _, reason := l.fetched("elasticsearch-blocks")
	if len(all) == 0 {
		return unknown[[]string](l, reason, src)
	}
	var indices map[string]struct {
		Settings map[string]any `json:"settings"`
	}
	if all[0].code != 200 || json.Unmarshal(all[0].body, &indices) != nil || indices == nil {
		return unknown[[]string](l, "not understood ("+strconv.Itoa(all[0].code)+"): "+remark(all[0].body, "empty"), src)
	}
	blocked := []string{}
	for name, i := range indices {
		if len(blocked) < maxListed && blocksWriting(i.Settings, "") {
			blocked = append(blocked, text([]byte(name)))
		}
	}
	sort.Strings(blocked)
	return known(l, blocked, src)
}

// blocksWriting looks for index.blocks.write, read_only and
// read_only_allow_delete, flat or nested, that are on.
func blocksWriting(settings map[string]any, prefix string) bool {
	for key, v := range settings {
		key = prefix + key
		if inner, ok := v.(map[string]any); ok && len(key) < 100 {
			if blocksWriting(inner, key+".") {
				return true
			}
			continue
		}
		switch key {
		case "index.blocks.write", "index.blocks.read_only", "index.blocks.read_only_allow_delete":
			if v == true || v == "true" {
				return true
			}
		}
	}
	return false
}
