package watch

import (
	"context"
	"io"
	"os"

	"chef-backend-cockpit/remote"
)

// HandOver joins the operator's terminal to one on a node until that ends, or
// the operator presses Ctrl-]; see package remote. The screen must have left
// the terminal before.
func HandOver(ctx context.Context, t Terminal, in *os.File, out io.Writer) error {
	_, err := remote.HandOver(ctx, t, in, out)
	return err
}

// TerminalLines reads a terminal by lines, and WriteLine types one into it, for
// who has no screen; see package remote.
func TerminalLines(t Terminal) <-chan string { return remote.TerminalLines(t) }

// WriteLine types a line into a terminal, and Enter.
func WriteLine(t Terminal, line string) error { return remote.WriteLine(t, line) }
