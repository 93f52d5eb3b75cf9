//go:build linux

package standin

import (
	"fmt"
	"strings"
)

// table lays cells out as the product does: padded to the widest cell, two
// spaces between columns. full pads the last column too.
func table(rows [][]string, full bool) string {
	var widths []int
	for _, r := range rows {
		for i, c := range r {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], len(c))
		}
	}
	var b strings.Builder
	for _, r := range rows {
		for i, c := range r {
			if i > 0 {
				b.WriteString("  ")
			}
			if i < len(r)-1 || full {
				c = fmt.Sprintf("%-*s", widths[i], c)
			}
			b.WriteString(c)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// inState prints a time as the status table does.
func inState(s int) string {
	return fmt.Sprintf("%dd %dh %dm %ds", s/86400, s/3600%24, s/60%60, s%60)
}

// shade is the colour for a count of healthy nodes. Yellow and red are
// invented: only green has been seen.
func shade(healthy, whole int) string {
	switch {
	case healthy >= whole:
		return "green"
	case healthy > whole/2:
		return "yellow"
	}
	return "red"
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
