package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"chef-backend-cockpit/assets"
	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/catalogue"
)

// catalogueCommand checks a site's catalogue and tells what is built in.
func catalogueCommand(e *env) *cobra.Command {
	c := &cobra.Command{Use: "catalogue", Short: "Check a site's own catalogue, or list what there is", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return usage("say %[1]s check [DIR], %[1]s facts or %[1]s guide; see %[1]s --help", c.CommandPath())
		}}
	c.AddCommand(&cobra.Command{
		Use: "check [DIR]", Short: "Check the site's signs, failures and procedures", Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return e.checkCatalogue(args) },
	}, &cobra.Command{
		Use: "facts", Short: "List the facts that a catalogue can ask", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return e.listFacts() },
	}, &cobra.Command{
		Use: "guide", Short: "Print which failures and procedures cover the recovery guide, as Markdown", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			c, err := builtIn()
			if err == nil {
				fmt.Fprint(e.out, catalogue.GuideTable(c))
			}
			return err
		},
	})
	return c
}

// builtIn is the catalogue without the site's.
func builtIn() (*catalogue.Catalogue, error) {
	c, err := catalogue.Load(assets.Files, "catalogue")
	if err != nil {
		return nil, &exitError{exitInternal, err}
	}
	return c, nil
}

// catalogue is what is built in, with the site's own beside. A faulty folder of
// the site is left out as a whole: amiss says so, and the rest works.
func (e *env) catalogue() (c *catalogue.Catalogue, amiss string, err error) {
	dir, must, err := e.siteCatalogue()
	if err != nil {
		return nil, "", err
	}
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) && !must {
		c, err := builtIn()
		return c, "", err
	}
	c, err = catalogue.LoadWithSite(assets.Files, "catalogue", os.DirFS(dir), dir)
	if err == nil {
		return c, "", nil
	}
	amiss = oneLine("the site's catalogue is left out: " + err.Error() + "; catalogue check tells all")
	c, err = builtIn()
	return c, amiss, err
}

// warnedCatalogue is catalogue for a one-shot command: what is amiss is said at once.
func (e *env) warnedCatalogue() (*catalogue.Catalogue, error) {
	c, amiss, err := e.catalogue()
	if amiss != "" {
		e.warnings.say(amiss)
	}
	return c, err
}

// siteCatalogue is the site's folder; must: the configuration names it.
func (e *env) siteCatalogue() (dir string, must bool, err error) {
	conf, err := e.loadConfig()
	if err != nil {
		return "", false, err
	}
	if conf.Catalogue == "" {
		return filepath.Join(configDir(), "catalogue"), false, nil
	}
	return atHome(conf.Catalogue), true, nil
}

// checkCatalogue prints every complaint, or what the site adds.
func (e *env) checkCatalogue(args []string) error {
	dir, _, err := e.siteCatalogue()
	if err != nil {
		return err
	}
	if len(args) > 0 {
		dir = args[0]
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return usage("there is no folder %s; make it, or name the one to check", dir)
	}
	c, err := catalogue.LoadWithSite(assets.Files, "catalogue", os.DirFS(dir), dir)
	if err != nil {
		var all interface{ Unwrap() []error }
		if !errors.As(err, &all) {
			return usage("%v", err)
		}
		for _, p := range all.Unwrap() {
			fmt.Fprintln(e.out, oneLine(p.Error()))
		}
		return usage("%s: %d to mend", dir, len(all.Unwrap()))
	}
	var signs, failures, procedures int
	for _, s := range c.Signs {
		signs += count(s.Local)
	}
	for _, f := range c.Failures {
		failures += count(f.Local)
	}
	for _, p := range c.Procedures {
		procedures += count(p.Local)
	}
	fmt.Fprintf(e.out, "%s: in order; %d signs, %d failures, %d procedures beside what is built in\n", dir, signs, failures, procedures)
	return nil
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

// listFacts prints a line for each fact.
func (e *env) listFacts() error {
	t := tabwriter.NewWriter(e.out, 0, 0, 2, ' ', 0)
	for _, f := range cluster.Facts() {
		fmt.Fprintf(t, "%s\t%s\n", f.Name, f.Doc)
	}
	return t.Flush()
}
