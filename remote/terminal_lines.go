package remote

import (
	"bytes"
	"io"
	"regexp"
	"time"
)

// promptAfter is how long a host may be silent within a line before that is
// told as far as it has come: it may be a question.
const promptAfter = 400 * time.Millisecond

// longestShown bounds a line of a terminal that is read by lines, in bytes.
const longestShown = 4 << 10

// sequences are what a terminal obeys and a line has no use for (ECMA-48): CSI,
// OSC to its end, and the short ones.
var sequences = regexp.MustCompile(`\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-Z\\^-~])`)

// TerminalLines reads a terminal for somebody who has lines and no screen: each
// line, and each beginning of one that the host waits behind, safe and without
// escape sequences. The channel closes when the terminal has ended. It has to be
// read until then; Close of the terminal ends it.
func TerminalLines(t Terminal) <-chan string {
	pieces, lines := make(chan []byte), make(chan string)
	go func() {
		defer Guard()
		defer close(pieces)
		buf := make([]byte, 4096)
		for {
			n, err := t.Read(buf)
			if n > 0 {
				pieces <- bytes.Clone(buf[:n])
			}
			if err != nil {
				return
			}
		}
	}()
	go func() {
		defer Guard()
		defer close(lines)
		linesOf(pieces, System{}.After, func(s string) { lines <- s })
	}()
	return lines
}

// linesOf tells the lines that pieces of output are made of.
func linesOf(pieces <-chan []byte, after func(time.Duration) <-chan time.Time, tell func(string)) {
	var line []byte
	var silent <-chan time.Time
	end := func() {
		shown := bytes.TrimRight(line, "\r")
		shown = shown[bytes.LastIndexByte(shown, '\r')+1:] // a line that is written over itself
		text := Safe(sequences.ReplaceAll(shown, nil))
		if line, silent = line[:0], nil; text != "" {
			tell(text)
		}
	}
	for {
		select {
		case <-silent:
			end()
		case p, more := <-pieces:
			if !more {
				end()
				return
			}
			for len(p) > 0 {
				part, rest, whole := bytes.Cut(p, []byte{'\n'})
				line = append(line, part[:min(len(part), longestShown-len(line))]...)
				if p = rest; whole {
					end()
				}
			}
			if silent = nil; len(line) > 0 {
				silent = after(promptAfter)
			}
		}
	}
}

// WriteLine types a line into a terminal, and Enter. Where the host takes nothing
// it blocks until the terminal is closed or its link counts as lost.
func WriteLine(t Terminal, line string) error {
	_, err := io.WriteString(t, line+"\r")
	return err
}
