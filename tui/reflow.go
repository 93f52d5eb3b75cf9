package tui

import (
	"regexp"
	"strings"
)

// listItem is the beginning of an item of a list in Markdown.
var listItem = regexp.MustCompile(`^ {0,3}(-|[0-9]+\.) `)

// reflow breaks Markdown anew for w cells: paragraphs and items as a whole, what
// stands as it is (code, tables, headings) line by line.
func reflow(text string, w int) []string {
	var rows []string
	par, hang := "", 0
	put := func(first, s string, hang int) {
		for _, r := range wrap(s, max(w-hang, 1)) {
			rows = append(rows, first+r)
			first = strings.Repeat(" ", hang)
		}
	}
	end := func() {
		if par != "" {
			put("", par, hang)
		}
		par, hang = "", 0
	}
	fenced := false
	for _, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		bare := strings.TrimLeft(line, " ")
		indent := len(line) - len(bare)
		fence := strings.HasPrefix(line, "```")
		fenced = fenced != fence
		switch {
		case fence || fenced || bare == "" || indent >= 4 || strings.HasPrefix(line, "|") || strings.HasPrefix(line, "#"):
			end()
			put(strings.Repeat(" ", indent), bare, indent)
		case listItem.MatchString(line):
			end()
			par, hang = line, len(listItem.FindString(line))
		case par != "":
			par += " " + bare
		default:
			par = line
		}
	}
	end()
	return rows
}
