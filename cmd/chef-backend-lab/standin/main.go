//go:build linux

// Package standin holds the lab's stand-ins for the parts of Chef Backend
// that are not public: leaderl, chef-backend-ctl, Elasticsearch, epmd, and the
// run script of the postgresql service. They do real work on a real etcd,
// PostgreSQL and runit; what the vendor's documents leave open is invented and
// called so where it stands. They run on lab hosts only.
package standin

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// Main runs one stand-in until it is done, or until SIGTERM or SIGINT for the
// ones that serve, and returns its exit status. Unknown names give 2.
func Main(name string, args []string) int {
	if name == "ctl" {
		return ctlMain(args)
	}
	serve := map[string]func(context.Context, *host) error{
		"leaderl":       runLeaderl,
		"elasticsearch": runElasticsearch,
		"epmd":          runEpmd,
		"postgresql":    runPostgresql,
	}[name]
	if serve == nil {
		fmt.Fprintf(os.Stderr, "no such stand-in: %q (leaderl, ctl, elasticsearch, epmd, postgresql)\n", name)
		return 2
	}
	h, err := newHost()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := serve(ctx, h); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
