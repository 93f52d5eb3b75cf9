package main

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"chef-backend-cockpit/assets"
	"chef-backend-cockpit/cluster/catalogue"
	"chef-backend-cockpit/tui"
)

// topic is one text of the manual.
type topic struct {
	name, says string
	text       func(c *catalogue.Catalogue) string
}

// written is a text of the manual that is kept as a file.
func written(name, says, file string) topic {
	return topic{name, says, func(*catalogue.Catalogue) string { return assets.MustRead("manual/" + file) }}
}

// pictures are the places of a text where a picture of the screen is put: a mark
// with the picture's name, and the indented block below it.
var pictures = regexp.MustCompile(`(?m)^<!-- screen: (\S+) -->\n\n((?: {4}.*\n|\n)*)`)

// withoutMarks leaves the marks of pictures out.
func withoutMarks(text string) string { return pictures.ReplaceAllString(text, "$2") }

// topics are the texts of the manual in the order in which one reads them. Keys,
// failures and procedures are made from what the program itself works with, so
// that no text can say otherwise.
func topics() []topic {
	return []topic{
		written("quick-start", "from a bastion to the cluster", "quick-start.md"),
		written("screen", "what stands where, and what the marks mean", "screen.md"),
		written("commands", "every call, and its exit codes", "commands.md"),
		written("plain", "lines for dumb terminals and screen readers", "plain.md"),
		{"keys", "every key", func(*catalogue.Catalogue) string { return tui.KeysMarkdown() }},
		{"failures", "each failure that is recognised", failurePages},
		{"procedures", "each procedure, with steps, effects and way back", procedurePages},
		{"signs", "each line of the logs that is recognised", func(c *catalogue.Catalogue) string { return catalogue.SignsPage(c.Signs) }},
		written("doctor", "what watching and acting need, and how it is told", "doctor.md"),
		written("guide", "failures and procedures by section of the vendor's guide", "guide.md"),
		written("recovery", "from a finding through a plan to healthy", "recovery.md"),
		written("rehearsal", "a plan, carried out on a simulation first", "rehearsal.md"),
		written("drill", "an unannounced failure, timed and told of", "drill.md"),
		written("safety", "what is and is not done to a node", "safety.md"),
		written("configuration", "the configuration file and the login", "configuration.md"),
		written("ssh", "how the login is made, what it asks, old servers", "ssh.md"),
		written("site-catalogue", "failures and procedures of your own", "site-catalogue.md"),
		written("journal", "what is kept of an incident, and its format", "journal.md"),
		written("trials", "what was tried so that it cannot hurt, and how often", "trials.md"),
		written("performance", "speed and memory of the logs", "performance.md"),
		written("limits", "what is not done, and what was never verified", "limits.md"),
	}
}

func failurePages(c *catalogue.Catalogue) string {
	pages := make([]string, 0, len(c.Failures))
	for _, f := range c.Failures {
		pages = append(pages, catalogue.FailurePage(f))
	}
	return strings.Join(pages, "\n")
}

func procedurePages(c *catalogue.Catalogue) string {
	pages := make([]string, 0, len(c.Procedures))
	for _, p := range c.Procedures {
		pages = append(pages, catalogue.ProcedurePage(p))
	}
	return strings.Join(pages, "\n")
}

// alsoCalled are words that somebody looks for who does not know ours.
var alsoCalled = map[string]string{
	"t0": "screen", "t1": "screen", "t2": "screen", "t3": "screen", "tiers": "screen", "marks": "screen", "levels": "screen",
	"arm": "recovery", "armed": "recovery", "confirm": "recovery", "plan": "recovery", "rehearse": "rehearsal",
	"login": "ssh", "report": "journal",
}

// page is the text of a topic, a failure or a procedure.
func page(c *catalogue.Catalogue, name string) (string, bool) {
	if own, ok := alsoCalled[strings.ToLower(name)]; ok {
		name = own
	}
	for _, t := range topics() {
		if t.name == name {
			return withoutMarks(t.text(c)), true
		}
	}
	for _, f := range c.Failures {
		if f.Name == name {
			return catalogue.FailurePage(f), true
		}
	}
	for _, p := range c.Procedures {
		if p.Name == name {
			return catalogue.ProcedurePage(p), true
		}
	}
	return "", false
}

// manual is the same text for the screen, without pictures of it.
func manual(c *catalogue.Catalogue) []tui.Page {
	var pages []tui.Page
	for _, t := range topics() {
		pages = append(pages, tui.Page{Name: t.name, Says: t.says, Text: func() string {
			return pictures.ReplaceAllString(t.text(c), "")
		}})
	}
	for _, f := range c.Failures {
		pages = append(pages, tui.Page{Name: f.Name, Says: "this failure", Entry: true, Text: func() string { return catalogue.FailurePage(f) }})
	}
	for _, p := range c.Procedures {
		pages = append(pages, tui.Page{Name: p.Name, Says: "this procedure", Entry: true, Text: func() string { return catalogue.ProcedurePage(p) }})
	}
	return pages
}

// helpCommand prints a text of the manual, or what a subcommand does.
func helpCommand(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "help [TOPIC]", Short: "Print the manual: a topic, a failure, a procedure or a command",
		ValidArgsFunction: func(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			var names []string
			for _, t := range topics() {
				names = append(names, t.name+"\t"+t.says)
			}
			for _, s := range c.Root().Commands() {
				names = append(names, s.Name()+"\t"+s.Short)
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, args []string) error { return e.help(c.Root(), args) },
	}
}

func (e *env) help(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		if err := root.Help(); err != nil {
			return err
		}
		fmt.Fprintln(e.out, "\nTopics of help, besides the name of any command, failure or procedure:")
		for _, t := range topics() {
			fmt.Fprintf(e.out, "  %-15s %s\n", t.name, t.says)
		}
		return nil
	}
	if len(args) == 1 {
		c, err := e.warnedCatalogue()
		if err != nil {
			return err
		}
		if text, ok := page(c, args[0]); ok {
			_, err := fmt.Fprint(e.out, text)
			return err
		}
	}
	if c, rest, err := root.Find(args); err == nil && c != root && len(rest) == 0 {
		return c.Help()
	}
	return usage("no help on %q; help without a word lists the topics", strings.Join(args, " "))
}
