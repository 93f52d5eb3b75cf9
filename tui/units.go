package tui

import (
	"fmt"
	"time"

	"chef-backend-cockpit/cluster"
	"chef-backend-cockpit/cluster/watch"
)

// The periods of the two kinds of looks; a value older than two of its
// periods shows its age.
const (
	fastPeriod = watch.FastEvery
	slowPeriod = watch.SlowEvery
)

// bytesText is a number of bytes in decimal units, at most three digits long
// before the point.
func bytesText(n int64) string {
	units := []string{"kB", "MB", "GB", "TB", "PB"}
	if n < 1000 && n > -1000 {
		return fmt.Sprintf("%d B", n)
	}
	v, u := float64(n)/1000, 0
	for (v >= 999.5 || v <= -999.5) && u < len(units)-1 {
		v, u = v/1000, u+1
	}
	if v < 9.95 && v > -9.95 {
		return fmt.Sprintf("%.1f %s", v, units[u])
	}
	return fmt.Sprintf("%.0f %s", v, units[u])
}

// stateTime is how long a service has been in its state. It grows coarser as
// it grows, so that a quiet screen stays still.
func stateTime(d time.Duration) string {
	switch {
	case d < 0:
		return "?"
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds())/5*5)
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh %02dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd %02dh", int(d.Hours())/24, int(d.Hours())%24)
}

// ageText is a coarse age: it changes seldom, so that rows stay still.
func ageText(d time.Duration) string {
	switch {
	case d < 5*time.Second:
		return "now"
	case d < 10*time.Second:
		return "5 s"
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds())/10*10)
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d d", int(d.Hours())/24)
}

// tookText is a duration that was measured.
func tookText(d time.Duration) string {
	switch {
	case d < 0:
		return "?"
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min %02d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%d h %02d min", int(d.Hours()), int(d.Minutes())%60)
}

// limitText is a deadline.
func limitText(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < 2*time.Hour && d%time.Minute != 0:
		return tookText(d)
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	}
	return fmt.Sprintf("%d h", int(d.Hours()))
}

// offsetText says how a node's clock stands; below 50 ms the difference is
// noise of the measuring and stays unsaid.
func offsetText(d time.Duration) (text string, off bool) {
	size := d.Abs()
	switch {
	case size < 50*time.Millisecond:
		return "in step", false
	case size < time.Second:
		return fmt.Sprintf("%+d ms", d.Milliseconds()/10*10), false
	case size < 90*time.Second:
		return fmt.Sprintf("%+.1f s", d.Seconds()), true
	}
	return fmt.Sprintf("%+.0f min", d.Minutes()), true
}

// clockText is a time of day; all times on the screen are UTC.
func clockText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("15:04:05")
}

// evidenceAge is the age of a claim, empty while it is fresh.
func evidenceAge(now, at time.Time, s cluster.Source) string {
	if d, aged := watch.Aged(now, at, s); aged {
		return ageText(d)
	}
	return ""
}

// plural is "1 line" or "2 lines".
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// stoodText is how long a finding stood.
func stoodText(l *watch.LastFinding) string {
	if l.For < time.Minute {
		return tookText(l.For)
	}
	return ageText(l.For)
}
