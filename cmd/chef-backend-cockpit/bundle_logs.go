package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"chef-backend-cockpit/assets"
	"chef-backend-cockpit/remote"
)

const (
	nodeLogs      = "/var/log/chef-backend"
	bundleService = 20 << 20         // bytes of each service's newest logs
	listWithin    = 15 * time.Second // to list a node's logs
	readWithin    = 2 * time.Minute  // to read one file
)

// logFile is the end of a log of a node that goes into the bundle.
type logFile struct {
	node, path string
	size, take int64 // bytes of the file, and of its end that are taken
}

// service is the folder that the file lies in: its service, and PostgreSQL's version.
func (f logFile) service() string { return path.Dir(f.path) }

// logName is how svlogd calls its files. Nothing else is taken: names come from
// the node, and become names in the archive.
var logName = regexp.MustCompile(`^` + nodeLogs + `/[a-z][a-z0-9_-]*(/[0-9.]+)?/(current|@[0-9a-f]{8,40}\.[su])$`)

// listLogs lists the newest logs of a node, bounded for each service. It only
// reads.
func listLogs(ctx context.Context, node string, h remote.Host) ([]logFile, error) {
	ctx, cancel := context.WithTimeout(ctx, listWithin)
	defer cancel()
	out, err := logScript(ctx, h, 1<<20, "list", nodeLogs)
	if err != nil {
		return nil, err
	}
	var all []logFile
	for line := range strings.Lines(string(out)) {
		size, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		n, err := strconv.ParseInt(size, 10, 64)
		if err == nil && n > 0 && logName.MatchString(name) {
			all = append(all, logFile{node: node, path: name, size: n})
		}
	}
	return newest(all, bundleService), nil
}

// newest keeps of each service the newest files until there are most bytes of
// them: current first, then those put aside, whose names are their times.
func newest(all []logFile, most int64) []logFile {
	slices.SortFunc(all, func(a, b logFile) int {
		return cmp.Or(strings.Compare(a.service(), b.service()), -cmp.Compare(age(a), age(b)))
	})
	left := map[string]int64{}
	var out []logFile
	for _, f := range all {
		if _, seen := left[f.service()]; !seen {
			left[f.service()] = most
		}
		if f.take = min(f.size, left[f.service()]); f.take > 0 {
			left[f.service()] -= f.take
			out = append(out, f)
		}
	}
	return out
}

// age orders a service's files by time: TAI64N names as text, current last.
func age(f logFile) string {
	if name := path.Base(f.path); name != "current" {
		return name
	}
	return "~"
}

// readLog reads the end of a log; a part of a line at its beginning is cut off.
func readLog(ctx context.Context, h remote.Host, f logFile) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, readWithin)
	defer cancel()
	out, err := logScript(ctx, h, f.take, "read", f.path, strconv.FormatInt(f.take, 10))
	if err != nil {
		return nil, err
	}
	if f.take < f.size {
		_, out, _ = bytes.Cut(out, []byte("\n"))
	}
	return out, nil
}

// logScript runs one reading on a node.
func logScript(ctx context.Context, h remote.Host, limit int64, args ...string) ([]byte, error) {
	r, err := h.Run(ctx, remote.Script{Name: "chef-backend-cockpit-logs", Text: assets.MustRead("scripts/logs.sh"), Args: args, Limit: limit})
	switch {
	case err != nil:
		return nil, err
	case !r.ExitKnown:
		return nil, errors.New(h.Name() + ": how the reading ended is unknown")
	case r.Exit != 0:
		return nil, fmt.Errorf("%s: %s %s: exit status %d: %s", h.Name(), args[0], args[1], r.Exit, remote.Safe(bytes.TrimSpace(r.Stderr)))
	}
	return r.Stdout, nil
}
