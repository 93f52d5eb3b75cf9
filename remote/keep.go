package remote

import "time"

// keep dials, watches the link and dials again until Close.
func (s *SSH) keep() {
	defer Guard()
	defer close(s.stopped)
	p := pace{timings: s.timings}
	here := true // who starts the program is there to be asked
	for {
		early, open := s.pause(p.wait(time.Now()), s.again)
		if here = here || early; open {
			_, open = s.pause(p.budget(time.Now()), nil)
		}
		if !open {
			break
		}
		c, err := s.connect(p.dial(time.Now()), here)
		if err != nil {
			here = s.failed(err, &p, here)
			continue
		}
		here = false
		p.live(time.Now())
		s.watch(c)
		now := time.Now()
		p.lost(now, now.Add(-c.heard.silence()))
	}
	s.set(Lost, nil, &Error{Host: s.name, Kind: LinkLost, Text: "the link was closed here"})
}

// pause waits for d or until early has something; cut tells that it had. Not
// open: the host is closed.
func (s *SSH) pause(d time.Duration, early <-chan struct{}) (cut, open bool) {
	if d > 0 && s.ctx.Err() == nil {
		wait := time.NewTimer(d)
		defer wait.Stop()
		select {
		case <-wait.C:
		case <-early:
			cut = true
		case <-s.ctx.Done():
		}
	}
	return cut, s.ctx.Err() == nil
}

// connect dials and gains root; the connection serves from then on. Only when
// the operator is here anything is asked.
func (s *SSH) connect(tcp time.Duration, here bool) (*connection, *Error) {
	ask := s.ask
	if !here {
		ask = nil
	}
	c, err := s.dialer.dial(s.ctx, s.timings.Dial, tcp, ask)
	if err != nil {
		return nil, err
	}
	c.start(s.ctx)
	go c.keepAlive(s.timings.Keepalive)
	if err := c.gainRoot(s.ctx, s.timings.Open); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// failed publishes the error of a dial and answers whether the operator is there
// for the next one. A refused login, key or sudo is not tried again by itself:
// that would only fill the host's logs and lock us out.
func (s *SSH) failed(err *Error, p *pace, here bool) bool {
	switch err.Kind {
	case LoginFailed, HostKeyUnknown, HostKeyChanged, NoPrivilege, NoShell:
		if here || !err.waits {
			s.forgetRetry() // it asked for the dial that has just failed
		}
		s.set(Refused, nil, err)
		select {
		case <-s.again:
			p.afresh()
			s.set(Connecting, nil, nil)
			s.readAgain()
		case <-s.ctx.Done():
		}
		return true
	default:
		s.set(Lost, nil, err)
		return false
	}
}

// readAgain reads the ssh configuration anew: the operator may have corrected
// it before asking for another dial. While it cannot be read the old one stays.
func (s *SSH) readAgain() {
	hops, err := s.resolve()
	if err != nil {
		s.dialer.warn(err.Error())
		return
	}
	s.dialer.hops = hops
}

func (s *SSH) forgetRetry() {
	select {
	case <-s.again:
	default:
	}
}

// watch follows a live connection until it ends or nothing has been heard for
// too long. Afterwards the link is lost.
func (s *SSH) watch(c *connection) {
	s.forgetRetry()
	s.set(Live, c, nil)
	phase := Live
	timer := time.NewTimer(s.timings.Stale)
	defer timer.Stop()
	for {
		select {
		case <-c.dead:
			s.set(Lost, nil, &Error{Host: s.name, Kind: LinkLost, Text: "the connection was cut", Remedy: "it is being dialled again"})
			return
		case <-timer.C:
		}
		silence := c.heard.silence()
		switch {
		case silence >= s.timings.Lost:
			c.close()
			<-c.dead
			e := s.silent(silence)
			e.Kind = Unreachable // a connection that was cut only has to be dialled anew; this one was tried
			s.set(Lost, nil, e)
			return
		case silence >= s.timings.Stale:
			if phase != Stale {
				phase = Stale
				s.set(Stale, c, s.silent(silence))
			}
			timer.Reset(min(s.timings.Keepalive/10, s.timings.Lost-silence))
		default:
			if phase != Live {
				phase = Live
				s.set(Live, c, nil)
			}
			timer.Reset(s.timings.Stale - silence)
		}
	}
}

func (s *SSH) silent(d time.Duration) *Error {
	return &Error{Host: s.name, Kind: LinkLost, Text: "nothing heard for " + d.Round(100*time.Millisecond).String(),
		Remedy: "check the host and the network in between"}
}
