package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/journal"
)

// ofHere is a precondition about the machine that the cockpit runs on.
func ofHere(p cluster.Purpose, what string, s cluster.Standing, seen, remedy string) cluster.Precondition {
	return cluster.Precondition{Node: cluster.Here, For: p, What: what, Standing: s, Seen: oneLine(seen), Remedy: remedy}
}

// hereConfiguration says what the configuration gives. One that cannot be read,
// or lacks a file that this cluster needs, ended the command before this.
func (e *env) hereConfiguration(g *gathering) []cluster.Precondition {
	path, _ := e.configPath()
	seen := "not there, and not needed: the hosts were named"
	if _, err := os.Stat(path); err == nil {
		seen = path + " is valid"
	}
	all := []cluster.Precondition{ofHere(cluster.ToWatch, "configuration", cluster.InOrder, seen, "")}
	for _, name := range slices.Sorted(maps.Keys(g.config.Clusters)) {
		if problems := g.config.missing(name); name != g.name && len(problems) > 0 {
			all = append(all, ofHere(cluster.ToWatch, "configuration", cluster.Advice, problems[0].Error(), "Mend it before you need that cluster: config check lists all."))
		}
	}
	if _, amiss, err := e.catalogue(); err != nil || amiss != "" {
		if err != nil {
			amiss = err.Error()
		}
		all = append(all, ofHere(cluster.ToWatch, "site-catalogue", cluster.Advice, amiss, "Mend it: catalogue check names each line."))
	}
	return all
}

// hereTerminal: without one everything but the screen works.
func (e *env) hereTerminal() cluster.Precondition {
	if err := e.needTerminal(inLines); err != nil {
		return ofHere(cluster.ToWatch, "terminal", cluster.Advice, err.Error(), "Nothing for status, diagnose and doctor; the screen needs one.")
	}
	if t := os.Getenv("TERM"); t == "" || t == "dumb" {
		return ofHere(cluster.ToWatch, "terminal", cluster.Advice, fmt.Sprintf("TERM is %q", t), "Set TERM to what your terminal is, xterm for most.")
	}
	return ofHere(cluster.ToWatch, "terminal", cluster.InOrder, "large enough for the screen", "")
}

// hereJournal tries to write where the journal lies, or will lie: without it
// acting is refused. What it writes is gone again.
func hereJournal() cluster.Precondition {
	const remedy = "Give yourself a folder with room there, or name another: XDG_STATE_HOME."
	dir, err := journal.DefaultDir()
	if err != nil {
		return ofHere(cluster.ToAct, "journal", cluster.Amiss, err.Error(), "Set HOME or XDG_STATE_HOME.")
	}
	at := dir
	for {
		if _, err := os.Stat(at); !errors.Is(err, fs.ErrNotExist) || at == filepath.Dir(at) {
			break
		}
		at = filepath.Dir(at)
	}
	if err := tryWriting(at); err != nil {
		return ofHere(cluster.ToAct, "journal", cluster.Amiss, err.Error(), remedy)
	}
	return ofHere(cluster.ToAct, "journal", cluster.InOrder, dir+" can be written", "")
}

// tryWriting writes a block to a file of its own and takes it away again.
func tryWriting(dir string) error {
	f, err := os.CreateTemp(dir, ".chef-backend-cockpit-")
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, 4096))
	return errors.Join(err, f.Sync(), f.Close(), os.Remove(f.Name()))
}
