package logs

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"sync/atomic"
	"time"

	"chef-backend-cockpit/assets"
	"chef-backend-cockpit/remote"
)

const (
	// openWithin bounds the opening of a channel, by the real clock.
	openWithin = 10 * time.Second
	// guardEvery is how often a session is looked after; so many rounds
	// without a byte and it is given up.
	guardEvery   = 3 * time.Second
	silentRounds = 10
)

// session runs the log reader on the node and polls until it fails or ctx is
// done. The reader ends with its input, so closing the session leaves nothing
// on the node.
func (f *follower) session(ctx context.Context) error {
	opening, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	s, err := f.host.Start(opening, remote.Script{
		Name: "chef-backend-cockpit-follow", Text: assets.MustRead("scripts/follow.sh"),
	})
	if err != nil {
		return err
	}
	for _, g := range f.logs {
		g.resume()
	}
	var heard atomic.Int64
	done, closed := make(chan struct{}), make(chan struct{})
	go func() {
		defer remote.Guard()
		defer close(closed)
		f.guard(ctx, s, done, &heard)
	}()
	err = f.talk(ctx, s, func() { heard.Add(1) })
	close(done)
	<-closed
	if said := lastWords(s); said != "" && err != nil {
		err = errors.New(err.Error() + ": " + said)
	}
	return err
}

// guard closes the session when ctx is done, the talk has ended, the link is
// gone, or an answer does not come: it is what ends a blocked read.
func (f *follower) guard(ctx context.Context, s remote.Session, done <-chan struct{}, heard *atomic.Int64) {
	defer s.Close()
	last, silent := heard.Load(), 0
	for silent < silentRounds {
		select {
		case <-ctx.Done():
			return
		case <-done:
			return
		case <-f.l.o.Clock.After(guardEvery):
		}
		if phase := f.host.Link().Phase; phase == remote.Lost || phase == remote.Refused {
			return
		}
		silent++
		if now := heard.Load(); now != last {
			last, silent = now, 0
		}
	}
}

// talk polls: at once while there is more, else at a calm pace.
func (f *follower) talk(ctx context.Context, s remote.Session, heard func()) error {
	mark := rand.Text()
	if _, err := s.Stdin().Write([]byte(mark + "\n")); err != nil {
		return err
	}
	out := newAnswers(s.Stdout(), mark, func() { heard(); f.heard() })
	if err := out.ready(); err != nil {
		return err
	}
	for {
		busy, err := f.poll(s.Stdin(), out)
		if err != nil {
			return err
		}
		if busy && f.fruitless < busyPolls && ctx.Err() == nil {
			continue
		}
		f.begin()
		wait := pollEvery
		if f.fruitless >= calmAfter {
			wait = calmEvery
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-f.l.o.Clock.After(untilNext(wait, f.l.o.Clock.Now())):
		}
	}
}

// untilNext is how long it is until the next full multiple of a time: nodes that
// are asked at one moment wake the cockpit once.
func untilNext(every time.Duration, now time.Time) time.Duration {
	return every - now.Sub(now.Truncate(every))
}

// lastWords is the end of what the reader wrote to its error output.
func lastWords(s remote.Session) string {
	r, _ := s.Wait()
	lines := remote.SafeLines(r.Stderr)
	for i := len(lines) - 1; i >= 0; i-- {
		if t := strings.TrimSpace(lines[i]); t != "" {
			return t
		}
	}
	return ""
}
