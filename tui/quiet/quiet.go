// Package quiet answers, before anybody asks, whether the terminal has a dark
// background. Bubble Tea v1 puts that question to the terminal in its own
// init: two escape queries, and 5 s of waiting on a terminal that does not
// answer, in every subcommand. Packages without a dependency between them are
// initialised in the order of their import paths, and this one sorts before
// github.com/charmbracelet/bubbletea. So it may import lipgloss and nothing
// else, and the screen must import it.
package quiet

import "github.com/charmbracelet/lipgloss"

func init() { lipgloss.SetHasDarkBackground(true) }
