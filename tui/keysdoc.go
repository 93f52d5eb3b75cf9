package tui

import (
	"fmt"
	"strings"
)

// KeysMarkdown is every key of the screen as Markdown, made from the key map
// that the screen itself answers to.
func KeysMarkdown() string {
	var b strings.Builder
	b.WriteString("# Keys\n")
	for _, g := range newKeyMap().groups() {
		fmt.Fprintf(&b, "\n## %s\n\n| Key | Does |\n| --- | --- |\n", g.title)
		for _, k := range g.keys {
			fmt.Fprintf(&b, "| %s | %s |\n", k.Help().Key, k.Help().Desc)
		}
	}
	return b.String()
}
