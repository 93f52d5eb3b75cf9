package failure

import (
	"time"

	"chef-backend-cockpit/cluster"
)

// unreadPart of a hold time may pass with facts that cannot be read: one look
// that was not answered in time does not say that anything changed, and on a
// node where that happens again and again no hold time would ever pass. What
// was read and is not so ends it at once.
const unreadPart = 4

// span is since when facts hold; the zero one says that they do not.
type span struct {
	since  time.Time
	unread time.Time // since when they cannot be read; zero: they were read last
}

// next carries a span on by one view; for the duration bears it goes on over
// facts that cannot be read.
func (s span) next(facts cluster.Truth, now time.Time, bears time.Duration) span {
	switch {
	case s.since.IsZero():
		return span{since: sinceWhen(s.since, facts == cluster.True, now)}
	case facts == cluster.True:
		return span{since: s.since}
	case facts == cluster.False:
		return span{}
	case s.unread.IsZero():
		s.unread = now
	}
	if now.Sub(s.unread) >= bears {
		return span{}
	}
	return s
}
