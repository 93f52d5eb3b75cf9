package main

import (
	"errors"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// debugLog is the cockpit's log of itself, for --debug: the call, every dial, and
// how the call ended. A nil one keeps nothing.
type debugLog struct {
	*slog.Logger
	file  *os.File
	begun time.Time

	mu     sync.Mutex
	closed bool
	err    error // the first one of writing
}

// openDebug opens the log once, before a command does anything, and notes the
// call. What cannot be written is refused: a log that is missing when it is
// wanted is found out too late.
func (e *env) openDebug(c *cobra.Command, args []string) error {
	if !c.Flags().Changed("debug") {
		return nil
	}
	f, err := os.OpenFile(e.debugFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return usage("--debug: %v; name a file that can be written", err)
	}
	d := &debugLog{file: f, begun: time.Now()}
	d.Logger = slog.New(slog.NewTextHandler(d, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var flags []string
	c.Flags().Visit(func(f *pflag.Flag) { flags = append(flags, "--"+f.Name+"="+f.Value.String()) })
	d.Info("called", "command", c.CommandPath(), "arguments", args, "flags", flags, "version", versionText(), "by", operator(), "process", os.Getpid())
	e.debug = d
	return nil
}

// Write adds to the log. It remembers why it could not: slog does not say it.
func (d *debugLog) Write(line []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return len(line), nil // a dial that is given up may speak once more
	}
	n, err := d.file.Write(line)
	if d.err == nil {
		d.err = err
	}
	return n, err
}

// logger is what dials write to; nil for none.
func (d *debugLog) logger() *slog.Logger {
	if d == nil {
		return nil
	}
	return d.Logger
}

// end notes how the call ended and closes the log. The error is that the log is
// not whole.
func (d *debugLog) end(code int, text string) error {
	if d == nil {
		return nil
	}
	d.Info("ended", "code", code, "error", text, "after", time.Since(d.begun).Round(time.Millisecond))
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	return errors.Join(d.err, d.file.Close())
}
