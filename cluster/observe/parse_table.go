package observe

import (
	"slices"
	"strings"
)

// table is one table of chef-backend-ctl: headings and rows of as many cells.
type table struct {
	head []string // as printed
	rows [][]string
}

// cell is a run of text between two or more spaces, and where it begins.
type cell struct {
	at   int // in runes
	text string
}

// maxRow is how much of a line of a table is read, in bytes.
const maxRow = 4096

// parseTables finds every table in lines. A table begins with a line of
// headings, as isHead knows them, and ends with an empty line or the next one.
func parseTables(lines []string, isHead func(names []string) bool) []table {
	var all []table
	var head []cell
	for _, line := range lines {
		line = lastDrawing(line[:min(len(line), maxRow)])
		cells := splitCells(line)
		if len(cells) == 0 {
			head = nil
			continue
		}
		if names := texts(cells); isHead(names) {
			head = cells
			all = append(all, table{head: names})
		} else if head != nil {
			t := &all[len(all)-1]
			if len(t.rows) < 256 {
				t.rows = append(t.rows, placeCells(head, cells))
			}
		}
	}
	return all
}

// lastDrawing keeps what a progress indicator left behind: it redraws its line
// after a carriage return, which Safe shows as ^M.
func lastDrawing(line string) string {
	line = strings.TrimSuffix(line, "^M")
	if i := strings.LastIndex(line, "^M"); i >= 0 {
		return line[i+len("^M"):]
	}
	return line
}

func splitCells(line string) []cell {
	var cells []cell
	runes := []rune(line)
	for i := 0; i < len(runes); {
		if runes[i] == ' ' {
			i++
			continue
		}
		start, gap := i, 0
		for i < len(runes) && gap < 2 {
			if runes[i] == ' ' {
				gap++
			} else {
				gap = 0
			}
			i++
		}
		cells = append(cells, cell{start, strings.TrimSpace(string(runes[start:i]))})
	}
	return cells
}

func texts(cells []cell) []string {
	all := make([]string, len(cells))
	for i, c := range cells {
		all[i] = c.text
	}
	return all
}

// placeCells puts a row's cells under the headings. Columns are padded, so a
// cell begins where its heading does, also where an empty cell leaves a hole.
// A row that does not line up is taken in order if it is complete, else each
// cell goes to the last heading that begins before it.
func placeCells(head, cells []cell) []string {
	row := make([]string, len(head))
	aligned := !slices.ContainsFunc(cells, func(c cell) bool {
		return !slices.ContainsFunc(head, func(h cell) bool { return h.at == c.at })
	})
	if !aligned && len(cells) == len(head) {
		return texts(cells)
	}
	for _, c := range cells {
		at := 0
		for i, h := range head {
			if h.at <= c.at {
				at = i
			}
		}
		if row[at] != "" {
			row[at] += "  "
		}
		row[at] += c.text
	}
	return row
}

// key makes a heading or a JSON key comparable: "Local Status", "local_status"
// and "localStatus" are one.
func key(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			return r
		}
		return -1
	}, s)
}
