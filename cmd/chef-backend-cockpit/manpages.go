package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/cpuguy83/go-md2man/v2/md2man"
	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"chef-backend-cockpit/cluster/catalogue"
)

// manPagesCommand writes the manual as pages for man(1): section 1 from the
// command tree, 5 and 7 from the topics of help. Packages are made with it. The
// date is SOURCE_DATE_EPOCH's, where that is set.
func manPagesCommand(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "man-pages DIR", Short: "Write the manual into DIR as pages for man(1)", Args: cobra.ExactArgs(1), Hidden: true,
		RunE: func(c *cobra.Command, args []string) error {
			known, err := builtIn()
			if err != nil {
				return err
			}
			return writeManPages(c.Root(), known, args[0])
		},
	}
}

const (
	program    = "chef-backend-cockpit"
	manualName = "Chef Backend cockpit"
)

// fileFormats are the topics that describe a file: section 5, all others 7.
var fileFormats = map[string]string{"configuration": "config"}

func writeManPages(root *cobra.Command, c *catalogue.Catalogue, dir string) error {
	when, err := pageDate()
	if err != nil {
		return err
	}
	root.DisableAutoGenTag = true
	head := &doc.GenManHeader{Section: "1", Date: &when, Source: program + " " + version, Manual: manualName}
	if err := doc.GenManTree(root, head, dir); err != nil {
		return err
	}
	for _, t := range topics() {
		name, section := program+"-"+t.name, "7"
		if short, ok := fileFormats[t.name]; ok {
			name, section = program+"-"+short, "5"
		}
		if err := writeTopic(dir, name, section, t.says, withoutMarks(t.text(c)), when); err != nil {
			return err
		}
	}
	if err := writeTopic(dir, program, "7", "the manual of the cockpit for Chef Backend", overview(), when); err != nil {
		return err
	}
	return closing(filepath.Join(dir, program+".1"))
}

// pageDate is the date on the pages.
func pageDate() (time.Time, error) {
	epoch := os.Getenv("SOURCE_DATE_EPOCH")
	if epoch == "" {
		return time.Now().UTC(), nil
	}
	var s int64
	if _, err := fmt.Sscan(epoch, &s); err != nil {
		return time.Time{}, usage("SOURCE_DATE_EPOCH=%q is no number of seconds", epoch)
	}
	return time.Unix(s, 0).UTC(), nil
}

// writeTopic writes a text of the manual as one page. Its own title becomes the
// first section.
func writeTopic(dir, name, section, says, text string, when time.Time) error {
	head := fmt.Sprintf("%% %q %q %q %q %q\n# NAME\n%s - %s\n\n", strings.ToUpper(name), section, when.Format("Jan 2006"), program+" "+version, manualName, name, says)
	page := md2man.Render([]byte(head + untabled(text)))
	return os.WriteFile(filepath.Join(dir, name+"."+section), page, 0o644)
}

// untabled turns tables that are wider than a terminal into lists: man(1) does
// not break their cells.
func untabled(text string) string {
	var out, head []string
	wide := false
	for _, row := range strings.Split(text, "\n") {
		wide = wide || len(row) > 120 && strings.HasPrefix(row, "|")
	}
	for _, row := range strings.Split(text, "\n") {
		cells := strings.Split(strings.Trim(row, "| "), " | ")
		switch {
		case !wide || !strings.HasPrefix(row, "|"):
			head = nil
			out = append(out, row)
		case head == nil:
			head = cells
		case !strings.HasPrefix(row, "| ---"):
			out = append(out, "**"+strings.Trim(cells[0], "*")+"**")
			for i, c := range cells[1:] {
				out = append(out, ":   "+head[i+1]+": "+c+"\n")
			}
			out = append(out, "")
		}
	}
	return strings.Join(out, "\n")
}

// overview lists the pages.
func overview() string {
	var b strings.Builder
	b.WriteString("# DESCRIPTION\n\nThe same texts are printed by `chef-backend-cockpit help TOPIC` and stand behind `?` on the screen.\n\n")
	for _, t := range topics() {
		fmt.Fprintf(&b, "**%s**\n:   %s\n\n", pageName(t), t.says)
	}
	return b.String()
}

// pageName is how man(1) is asked for a topic.
func pageName(t topic) string {
	if short, ok := fileFormats[t.name]; ok {
		return program + "-" + short + "(5)"
	}
	return program + "-" + t.name + "(7)"
}

// closing adds to the program's own page what a command tree does not tell.
func closing(path string) error {
	page, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	const text = `# FILES

**~/.config/chef-backend-cockpit/config.yaml**
:   clusters by name, see chef-backend-cockpit-config(5)

**~/.config/chef-backend-cockpit/catalogue/**
:   a site's own failures and procedures, see chef-backend-cockpit-site-catalogue(7)

**~/.local/state/chef-backend-cockpit/**
:   incidents and what else outlives the cockpit, see chef-backend-cockpit-journal(7)

# EXIT STATUS

See chef-backend-cockpit-commands(7). The whole manual is listed in chef-backend-cockpit(7).
`
	more := md2man.Render([]byte("% \"X\" \"1\"\n" + text))
	if i := bytes.Index(more, []byte(".SH")); i > 0 {
		more = more[i:]
	}
	return os.WriteFile(path, append(append(bytes.TrimRight(page, "\n"), '\n'), more...), 0o644)
}
