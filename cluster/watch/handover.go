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
