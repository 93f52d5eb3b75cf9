package observe

import (
	"bytes"
	"path"
	"strconv"

	"chef-backend-cockpit/cluster"
)

// product reads the product's folders, the room for copies and the size of
// what a copy would hold.
func (l *look) product(r *cluster.Report) {
	src := cluster.SourceHost
	body, _, reason := l.open("product", "sh")
	if reason != "" {
		r.Host.Files, r.Host.Room = unknown[cluster.ProductFiles](l, reason, src), unknown[cluster.Room](l, reason, src)
	} else {
		r.Host.Files = l.productFiles(body)
		r.Host.Room = l.room(body)
	}
	r.Host.TreeBytes = l.treeBytes()
}

// mostFiles bounds each list of names that a node can tell.
const mostFiles = 20

func (l *look) productFiles(body []byte) cluster.Claim[cluster.ProductFiles] {
	var f cluster.ProductFiles
	told := 0
	for line := range bytes.Lines(body) {
		words := bytes.Fields(line)
		if len(words) < 2 {
			continue
		}
		last := text(words[len(words)-1])
		switch string(words[0]) {
		case "data":
			f.Data, told = last == "yes", told+1
		case "config":
			f.Config, told = last == "yes", told+1
		case "whole":
			f.Whole = last == "yes"
		case "holds":
			if len(words) == 3 && len(f.Holds) < mostFiles {
				f.Holds = append(f.Holds, cluster.ProductFile{Name: path.Base(last), Mode: text(words[1])})
			}
		case "secrets":
			f.Secrets = text(words[1])
		case "cleansed":
			if len(f.Cleansed) < mostFiles {
				f.Cleansed = append(f.Cleansed, last)
			}
		case "differs":
			f.Differ = true
		case "packed":
			if len(f.Packed) < mostFiles {
				f.Packed = append(f.Packed, last)
			}
		case "unpacked":
			if len(f.Unpacked) < mostFiles {
				f.Unpacked = append(f.Unpacked, last)
			}
		}
	}
	if told != 2 {
		return unknown[cluster.ProductFiles](l, "the product's folders were not told: "+remark(body, "no output"), cluster.SourceHost)
	}
	return known(l, f, cluster.SourceHost)
}

// room reads the three answers of df, each behind the word that names it.
func (l *look) room(body []byte) cluster.Claim[cluster.Room] {
	free, mounts := map[string]int64{}, map[string]string{}
	name := ""
	for line := range bytes.Lines(body) {
		words := bytes.Fields(line)
		if len(words) == 1 {
			name = string(words[0])
			continue
		}
		if d, mount, ok := parseDF(words); ok && name != "" {
			free[name], mounts[name] = d.Free, mount
		}
	}
	if len(free) < 3 {
		return unknown[cluster.Room](l, "df was not understood", cluster.SourceHost)
	}
	return known(l, cluster.Room{Data: free["room-data"], Copies: free["room-copies"], Top: free["room-top"], Apart: mounts["room-data"] != mounts["room-copies"]}, cluster.SourceHost)
}

// treeBytes adds up what du says of each folder. A folder that is not there
// has no row, and du's exit status says so too: only a row counts.
func (l *look) treeBytes() cluster.Claim[int64] {
	body, _, reason := l.open("tree-size", "du")
	if reason != "" {
		return unknown[int64](l, reason, cluster.SourceHost)
	}
	sum, rows := int64(0), 0
	for line := range bytes.Lines(body) {
		words := bytes.Fields(line)
		if len(words) < 2 {
			continue
		}
		n, err := strconv.ParseInt(string(words[0]), 10, 64)
		if err != nil || n < 0 || n > 1<<50 {
			continue
		}
		sum, rows = sum+n*1024, rows+1
	}
	if rows == 0 {
		return unknown[int64](l, "du told no size", cluster.SourceHost)
	}
	return known(l, sum, cluster.SourceHost)
}
