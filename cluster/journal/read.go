package journal

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"chef-backend-cockpit/cluster"
)

// Incident is one incident on disk.
type Incident struct {
	ID      string
	Cluster string
	Stamp   string // of the cluster, such as SIMULATION; "" for none
	Path    string // of the journal file
	Opened  time.Time
	Last    time.Time // when the newest record was written
	Records uint64
	Bytes   int64
	// OpenIntents are acts that were begun and whose outcome is not known. List
	// leaves out those whose outcome stands in a later incident.
	OpenIntents []cluster.Intent
	// Damage says why the rest cannot be read; "" for none.
	Damage string

	found   []string // outcomes of intents that another incident holds, by plan and step
	unended []string // plans with records here and no end, by id
	begun   []string // plans that were confirmed here, by id
	ends    bool     // a plan of another incident
}

// Simulated answers whether no node of the incident was real.
func (in Incident) Simulated() bool { return strings.HasPrefix(in.Stamp, Simulation) }

// Path is where the journal of an incident lies.
func Path(dir, id string) string { return filepath.Join(dir, id, FileName) }

// List lists the incidents below dir, newest first. A folder that is not there
// holds none. A damaged journal is listed with what is wrong.
func List(dir string) ([]Incident, error) {
	there, err := files(dir)
	if err != nil {
		return nil, err
	}
	var all []Incident
	for _, f := range there {
		all = append(all, look(f.id, Path(dir, f.id), f.size))
	}
	found := map[string]bool{}
	for i := range all { // newest first: an outcome never stands before its intent
		all[i].OpenIntents = slices.DeleteFunc(all[i].OpenIntents, func(o cluster.Intent) bool { return found[o.Plan+"/"+o.Step] })
		for _, key := range all[i].found {
			found[key] = true
		}
	}
	return all, nil
}

// look reads one incident through.
func look(id, path string, size int64) Incident {
	in := Incident{ID: id, Path: path, Bytes: size}
	open := map[string]cluster.Intent{}
	var order []string
	err := Read(path, func(r Record) error {
		if in.Records == 0 {
			var o Opening
			if json.Unmarshal(r.Data, &o) == nil {
				in.Cluster, in.Stamp = o.Cluster, o.Stamp
			}
			in.Opened = r.At
		}
		in.Records, in.Last = in.Records+1, r.At
		in.follow(r)
		switch r.Kind {
		case Intent:
			var i cluster.Intent
			if json.Unmarshal(r.Data, &i) == nil {
				key := i.Plan + "/" + i.Step
				open[key], order = i, append(order, key)
			}
		case Outcome:
			var o cluster.Outcome
			if json.Unmarshal(r.Data, &o) == nil {
				key := o.Plan + "/" + o.Step
				if _, here := open[key]; !here {
					in.found = append(in.found, key)
				}
				delete(open, key)
			}
		}
		return nil
	})
	if err != nil {
		in.Damage = err.Error()
	}
	for _, key := range order {
		if i, ok := open[key]; ok {
			in.OpenIntents = append(in.OpenIntents, i)
		}
	}
	return in
}

// follow notes which plans a record speaks of, and which ends here.
func (in *Incident) follow(r Record) {
	if r.Kind == Snapshot || r.Kind == Finding || r.Kind == Output {
		return
	}
	o, id := r.plan()
	switch at := slices.Index(in.unended, id); {
	case id == "":
	case at < 0 && o.Ended == nil:
		in.unended = append(in.unended, id)
	case at >= 0 && o.Ended != nil:
		in.unended = slices.Delete(in.unended, at, at+1)
	}
	in.ends = in.ends || o.Ended != nil && !slices.Contains(in.begun, id)
	if o.begins(r.Kind) {
		in.begun = append(in.begun, id)
	}
}

// tellsOfOthers answers whether it says how something ended that began in
// another incident.
func (in Incident) tellsOfOthers() bool { return in.ends || len(in.found) > 0 }

// Read hands every record of a journal to fn, in order and made safe, until fn
// returns an error. It checks that the format is known; Verify checks the chain.
// A last line without its end is being written, or was torn by a crash: it is
// left out.
func Read(path string, fn func(Record) error) error {
	return asWritten(path, func(r Record) error { return fn(r.Safe()) })
}

// asWritten is Read with every byte as it stands in the file.
func asWritten(path string, fn func(Record) error) error {
	return eachLine(path, func(n uint64, line []byte) error {
		r, err := parse(line)
		if err != nil {
			return fmt.Errorf("%s: record %d: %w", path, n, err)
		}
		if n == 0 {
			if err := known(r); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
		}
		return fn(r)
	})
}

// known refuses a format that is not this one, instead of guessing.
func known(r Record) error {
	var o Opening
	if err := json.Unmarshal(r.Data, &o); err != nil || o.Format != Format {
		return fmt.Errorf("format %d of the journal is not known: this cockpit reads %d", o.Format, Format)
	}
	return nil
}

// eachLine hands over every complete line.
func eachLine(path string, fn func(n uint64, line []byte) error) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, 64<<10)
	for n := uint64(0); ; n++ {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if err := fn(n, line[:len(line)-1]); err != nil {
			return err
		}
	}
}

// Verify checks the chain of a journal. The error names the first record that
// was changed, left out or put in.
func Verify(path string) error {
	prev := ""
	return eachLine(path, func(n uint64, line []byte) error {
		r, err := parse(line)
		if err != nil {
			return fmt.Errorf("%s: record %d: %w", path, n, err)
		}
		if why := broken(r, n, prev); why != "" {
			return fmt.Errorf("%s: %s", path, why)
		}
		prev = r.Hash
		return nil
	})
}
