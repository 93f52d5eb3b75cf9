package observe

import (
	"bytes"
	"math"
	"slices"
	"strconv"
	"strings"

	"chef-backend-cockpit/cluster"
)

// means reads what doctor.sh asks beside a look.
func (l *look) means() cluster.Means {
	return cluster.Means{Shell: l.shell(), Tools: l.tools(), Folders: l.folders(), Own: l.ownFolder(), LockList: l.lockList(), SSHD: l.sshd()}
}

func (l *look) shell() cluster.Claim[string] {
	body, _, reason := l.open("tools", "sh")
	if reason != "" {
		return unknown[string](l, reason, cluster.SourceHost)
	}
	if said := keyValues(body)["shell"]; said != "" {
		return known(l, said, cluster.SourceHost)
	}
	return unknown[string](l, "the node does not tell what its sh is", cluster.SourceHost)
}

// tools reads "tool NAME WHERE" and "try NAME EXIT". Only a whole answer about
// all tools is one: what is not told would seem to be missing.
func (l *look) tools() cluster.Claim[cluster.Toolbox] {
	body, _, reason := l.open("tools", "sh")
	if reason != "" {
		return unknown[cluster.Toolbox](l, reason, cluster.SourceHost)
	}
	b := cluster.Toolbox{At: map[string]string{}, Tried: map[string]int{}}
	names, told := cluster.ToolNames(), 0
	for line := range bytes.Lines(body) {
		kind, rest, _ := strings.Cut(strings.TrimSpace(string(line)), " ")
		name, value, ok := strings.Cut(rest, " ")
		if !ok || !slices.Contains(names, name) {
			continue
		}
		switch kind {
		case "tool":
			told++
			if value != "-" {
				b.At[name] = text([]byte(value))
			}
		case "try":
			if status, err := strconv.Atoi(value); err == nil {
				b.Tried[name] = status
			}
		}
	}
	if told != len(names) {
		return unknown[cluster.Toolbox](l, "the node told of "+strconv.Itoa(told)+" tools of "+strconv.Itoa(len(names)), cluster.SourceHost)
	}
	return known(l, b, cluster.SourceHost)
}

// folders reads "folder yes|no|closed PATH" and "log yes|no SERVICE".
func (l *look) folders() cluster.Claim[cluster.Folders] {
	body, _, reason := l.open("folders", "sh")
	if reason != "" {
		return unknown[cluster.Folders](l, reason, cluster.SourceHost)
	}
	var f cluster.Folders
	told := 0
	for line := range bytes.Lines(body) {
		words := strings.Fields(string(line))
		if len(words) != 3 || !slices.Contains(cluster.WatchedFolders, words[2]) && !slices.Contains(cluster.Services, words[2]) {
			continue
		}
		told++
		switch {
		case words[1] == "yes":
		case words[0] == "log":
			f.NoLog = append(f.NoLog, words[2])
		case words[1] == "closed":
			f.Closed = append(f.Closed, words[2])
		default:
			f.Missing = append(f.Missing, words[2])
		}
	}
	if told != len(cluster.WatchedFolders)+len(cluster.Services) {
		return unknown[cluster.Folders](l, "the node did not tell of all folders", cluster.SourceHost)
	}
	return known(l, f, cluster.SourceHost)
}

// ownFolder reads what stands about the cockpit's own folder, with df's two
// answers behind the words room and inodes.
func (l *look) ownFolder() cluster.Claim[cluster.OwnFolder] {
	body, _, reason := l.open("own", "sh")
	if reason != "" {
		return unknown[cluster.OwnFolder](l, reason, cluster.SourceHost)
	}
	o := cluster.OwnFolder{Free: -1, Inodes: -1}
	mount, asked, part, free := "", false, "", false
	for line := range bytes.Lines(body) {
		words := bytes.Fields(line)
		if len(words) == 0 {
			continue
		}
		switch key, last := string(words[0]), text(words[len(words)-1]); {
		case len(words) == 1:
			part = key
		case key == "own" && len(words) == 3:
			o.Mode = text(words[1])
		case key == "nearest":
			o.Nearest = last
		case key == "no-folder":
			o.NoFolder, asked = last, true
		case key == "writable" && len(words) == 3:
			if asked = true; string(words[1]) != "yes" && o.Refused == "" {
				o.Refused = last
			}
		default:
			if d, m, ok := parseDF(words); ok && part == "room" {
				o.Free, mount, free = d.Free, m, true
			} else if ok && part == "inodes" && d.Total > 0 {
				o.Inodes = d.Free / 1024
			}
		}
	}
	if o.Nearest == "" || !asked || !free {
		return unknown[cluster.OwnFolder](l, "the node did not tell of "+cluster.OwnBase+": "+remark(body, "no output"), cluster.SourceHost)
	}
	readOnly, _ := l.readOnlyMounts()
	o.ReadOnly = readOnly[mount]
	return known(l, o, cluster.SourceHost)
}

func (l *look) lockList() cluster.Claim[bool] {
	body, _, reason := l.open("locks", "sh")
	if reason != "" {
		return unknown[bool](l, reason, cluster.SourceHost)
	}
	return known(l, bytes.Contains(body, []byte("locks yes")), cluster.SourceHost)
}

// sshd reads three lines of `sshd -T`.
func (l *look) sshd() cluster.Claim[cluster.SSHD] {
	body, exit, reason := l.open("sshd", "sshd")
	if reason != "" {
		return unknown[cluster.SSHD](l, reason, cluster.SourceHost)
	}
	said := map[string]string{}
	for key, value := range keyValues(body) {
		said[strings.ToLower(key)] = value
	}
	sessions, err := strconv.Atoi(said["maxsessions"])
	if exit != 0 || err != nil || sessions < 0 || sessions > math.MaxInt32 {
		return unknown[cluster.SSHD](l, remark(body, "it ended with "+strconv.Itoa(exit)), cluster.SourceHost)
	}
	return known(l, cluster.SSHD{MaxSessions: sessions, MaxStartups: said["maxstartups"], NoTerminal: said["permittty"] == "no"}, cluster.SourceHost)
}
