package remote

import (
	"context"
	"fmt"
	"io"

	"golang.org/x/crypto/ssh"
)

// Size is a terminal's size in character cells.
type Size struct{ Columns, Rows int }

// mostCells bounds a size: no screen has more, and a host may make a buffer of it.
const mostCells = 4096

// Check refuses a size that no terminal has.
func (s Size) Check() error {
	if s.Columns < 1 || s.Rows < 1 || s.Columns > mostCells || s.Rows > mostCells {
		return fmt.Errorf("%d×%d is no size of a terminal", s.Columns, s.Rows)
	}
	return nil
}

// Terminal is a script that runs on a terminal of its host. Bytes are raw both
// ways, escape sequences included: they are for a terminal, never for a value.
// Reads block until something is written; io.EOF is the end. All methods may be
// called from several goroutines, one reader at a time.
type Terminal interface {
	io.ReadWriter
	// Resize tells the host that the operator's terminal has another size.
	Resize(Size) error
	// Wait waits for the end; without an exit status ExitKnown is false.
	Wait() (Result, error)
	// Close ends the terminal at once; what runs in the foreground is hung up.
	Close() error
}

// TerminalHost is a Host that can hand over a terminal.
type TerminalHost interface {
	Host
	// Terminal starts a script on a terminal of the given size. ctx bounds the
	// opening only; like Start it never waits for a reconnect.
	Terminal(ctx context.Context, s Script, size Size) (Terminal, error)
}

// OpenTerminal starts a script on a terminal of a host, if that can hand one over.
func OpenTerminal(ctx context.Context, h Host, s Script, size Size) (Terminal, error) {
	if err := size.Check(); err != nil {
		return nil, &Error{Host: h.Name(), Kind: Protocol, Text: err.Error(), Remedy: "give the terminal its true size", Err: err}
	}
	t, ok := h.(TerminalHost)
	if !ok {
		return nil, &Error{Host: h.Name(), Kind: Protocol, Text: "no terminal can be handed over here", Remedy: "run the command on the host itself"}
	}
	return t.Terminal(ctx, s, size)
}

// terminalName is what the host's programs take the terminal for: every screen
// that the cockpit runs on understands it.
const terminalName = "xterm"

// Terminal starts a script on a pseudo-terminal of the host, over the same
// connection as everything else.
func (s *SSH) Terminal(ctx context.Context, script Script, size Size) (Terminal, error) {
	if err := size.Check(); err != nil {
		return nil, &Error{Host: s.name, Kind: Protocol, Text: err.Error(), Remedy: "give the terminal its true size", Err: err}
	}
	c, err := s.connection()
	if err != nil {
		return nil, err
	}
	ctx, cancel := bounded(ctx, s.timings.Open)
	defer cancel()
	session, err := c.open(ctx, script, s.timings.Open, &lastBytes{limit: keptStderr}, ptyRequest(size))
	if err != nil {
		return nil, err // not a nil *session in an interface
	}
	return terminal{session}, nil
}

// ptyRequest asks for a pseudo-terminal before the command is started
// (RFC 4254, 6.2). No modes are given: the host's defaults serve a shell.
func ptyRequest(size Size) func(ssh.Channel) error {
	return func(channel ssh.Channel) error {
		ok, err := channel.SendRequest("pty-req", true, ssh.Marshal(struct {
			Term                         string
			Columns, Rows, Width, Height uint32
			Modes                        string
		}{terminalName, uint32(size.Columns), uint32(size.Rows), 0, 0, "\x00"}))
		if err == nil && !ok {
			err = errNoTerminal
		}
		return err
	}
}

// terminal is a session on a pseudo-terminal.
type terminal struct{ *session }

func (t terminal) Read(b []byte) (int, error)  { return t.out.Read(b) }
func (t terminal) Write(b []byte) (int, error) { return t.channel.Write(b) }

// Resize sends the new size; the host gives no answer.
func (t terminal) Resize(size Size) error {
	if err := size.Check(); err != nil {
		return err
	}
	_, err := t.channel.SendRequest("window-change", false, ssh.Marshal(struct{ Columns, Rows, Width, Height uint32 }{
		uint32(size.Columns), uint32(size.Rows), 0, 0}))
	return err
}
