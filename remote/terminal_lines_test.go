package remote

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// A terminal read by lines: torn pieces, lines written over themselves, escape
// sequences, a question without an end, a line without bounds.
func TestLinesOfATerminal(t *testing.T) {
	pieces, rings := make(chan []byte), make(chan time.Time)
	got := make(chan string, 20)
	done := make(chan struct{})
	go func() {
		defer close(done)
		linesOf(pieces, func(time.Duration) <-chan time.Time { return rings }, func(s string) { got <- s })
	}()
	pieces <- []byte("one\r\ntw")
	pieces <- []byte("o\r\n\r\n 10 %\r 50 %\r100 %\r\n\x1b[31mred\x1b[0m\n")
	pieces <- []byte("Go on? [y/N] ")
	rings <- time.Time{}
	pieces <- []byte("y\r\n" + strings.Repeat("x", 2*longestShown) + "\nbell\a\xff")
	close(pieces)
	<-done
	close(got)
	var lines []string
	for s := range got {
		lines = append(lines, s)
	}
	want := []string{"one", "two", "100 %", "red", "Go on? [y/N] ", "y", strings.Repeat("x", longestShown)}
	if len(lines) != len(want)+1 || !slices.Equal(lines[:len(want)], want) {
		t.Fatalf("%.200q", lines)
	}
	if last := lines[len(want)]; !strings.HasPrefix(last, "bell") || strings.Contains(last, "\a") || strings.Contains(last, "\xff") {
		t.Errorf("%q came through", last)
	}
}
