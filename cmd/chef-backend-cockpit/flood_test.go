package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"

	"chef-backend-cockpit/cluster/simulation"
	"chef-backend-cockpit/remote"
)

// The budgets of the screen and of the memory under 3 × floodRate lines a
// second at 200×50, and of an idle cockpit at 120×40.
const (
	floodRate    = 10_000
	mostToScreen = 40 << 10  // bytes a second, keys apart
	mostKey      = 50        // milliseconds from a key to its frame, 99 of 100
	mostResident = 128 << 20 // bytes
	mostGrowth   = 16 << 20  // bytes, after the rings are full
	mostIdle     = 300       // bytes a second to the terminal
	mostIdleCore = 0.01      // of a core
)

// The cockpit itself, in a terminal, follows three simulated nodes over SSH
// while each writes 10,000 lines a second into a log that rotates. In make test
// this lasts a few seconds, and only counts are held: bytes to the terminal,
// whatever its size, lines that are missing, resident memory. make soak gives
// CHEF_BACKEND_FLOOD, a duration, and holds times and the idle budgets too;
// CHEF_BACKEND_SLACK stretches those on a machine that is busy with others.
func TestFloodHoldsTheBudgets(t *testing.T) {
	lasts, soak := 3*time.Second, false
	if text := os.Getenv("CHEF_BACKEND_FLOOD"); text != "" {
		var err error
		if lasts, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
		soak = true
	}
	dir := t.TempDir()
	s := newSiteOf(t, simulation.Options{Clock: remote.System{}, Seed: 1, Dir: dir}, nil)
	c := startWatched(t, s.config, 200, 50)
	c.see("15 of 15 streams alive")

	f := startFlood(t, dir)
	if soak { // until the rings are full
		c.patience = 10 * patience
		c.pause(30 * time.Second)
	}
	full, spent, began := c.resident("VmRSS"), c.cpu(), time.Now()
	most := 0.0
	for time.Since(began) < lasts {
		most = max(most, c.rate(min(lasts, 10*time.Second)))
		if soak {
			c.typeFor(10 * time.Second)
		}
	}
	load := (c.cpu() - spent).Seconds() / time.Since(began).Seconds()
	large := c.rateAt(400, 100, min(lasts, 10*time.Second))
	took := time.Since(began).Round(time.Second)
	c.resize(120, 40)
	c.count(f.stop())
	peak, after := c.resident("VmHWM"), c.resident("VmRSS")
	t.Logf("3 × %d lines, all counted; %v: %.1f KB/s at most to the terminal at 200×50, %.1f at 400×100; %.0f %% of a core; resident %d MiB, then %d, %d at most",
		f.lines[0], took, most/1000, large/1000, 100*load, full>>20, after>>20, peak>>20)
	if most > mostToScreen || large > mostToScreen {
		t.Errorf("more than %d bytes a second went to the terminal", mostToScreen)
	}
	if peak > mostResident && !underRace {
		t.Errorf("%d MiB were resident", peak>>20)
	}
	if soak {
		c.holdsTimes(after-full, slack(t))
	}
}

// count waits until the cockpit has counted all lines of every node, without a
// gap; on a machine that is busy with others it may be far behind.
func (c *watched) count(lines [3]int) {
	c.t.Helper()
	from := c.sent()
	if _, err := c.pty.WriteString("s"); err != nil {
		c.t.Fatal(err)
	}
	for _, n := range lines {
		c.wait(from, fmt.Sprintf("m%d\x1b", n)) // in a column and a style of its own
	}
	if c.since(from, " gap,") || c.since(from, " gaps,") {
		c.t.Error("lines are missing")
	}
	if _, err := c.pty.WriteString("\x1b"); err != nil {
		c.t.Fatal(err)
	}
}

// holdsTimes holds what a busy machine may spoil, and an idle minute.
func (c *watched) holdsTimes(growth int64, slack float64) {
	c.t.Helper()
	slices.Sort(c.took)
	at := func(part float64) time.Duration {
		return c.took[int(part*float64(len(c.took)-1))].Round(time.Millisecond)
	}
	c.t.Logf("%d keys to their frames: half within %v, 99 of 100 within %v, all within %v", len(c.took), at(0.5), at(0.99), at(1))
	if at(0.99) > time.Duration(mostKey*slack)*time.Millisecond {
		c.t.Errorf("a key takes longer than %v ms", mostKey*slack)
	}
	if growth > mostGrowth {
		c.t.Errorf("%d MiB more are resident than when the rings were full", growth>>20)
	}
	c.pause(20 * time.Second)
	spent, began := c.cpu(), time.Now()
	sent := c.rate(time.Minute)
	load := (c.cpu() - spent).Seconds() / time.Since(began).Seconds()
	c.t.Logf("idle at 120×40: %.0f B/s to the terminal, %.2f %% of a core", sent, 100*load)
	if sent > mostIdle || load > mostIdleCore*slack {
		c.t.Errorf("an idle cockpit takes more than %d B/s and %.1f %%", mostIdle, 100*mostIdleCore*slack)
	}
}

func slack(t *testing.T) float64 {
	text := os.Getenv("CHEF_BACKEND_SLACK")
	if text == "" {
		return 1
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || x < 1 {
		t.Fatalf("CHEF_BACKEND_SLACK is %q", text)
	}
	return x
}

// watched is the cockpit in a terminal whose bytes are counted. There is no
// emulator: it would take the time that is measured.
type watched struct {
	t       *testing.T
	pty     *os.File
	cmd     *exec.Cmd
	changed chan struct{}
	took    []time.Duration
	// patience bounds every wait.
	patience time.Duration

	mu    sync.Mutex
	total int64
	tail  []byte // the newest bytes
	at    int64  // where the tail begins
}

const mostTail = 1 << 20

func startWatched(t *testing.T, config string, cols, rows int) *watched {
	t.Helper()
	home := t.TempDir()
	c := &watched{t: t, cmd: exec.Command(os.Args[0], "--config", config, "--read-only"), changed: make(chan struct{}, 1), patience: patience}
	c.cmd.Env = []string{asProgram + "=1", "TERM=xterm-256color", "HOME=" + home, "XDG_STATE_HOME=" + home + "/state", "PATH=" + os.Getenv("PATH"), "TMPDIR=" + home}
	f, err := pty.StartWithSize(c.cmd, &pty.Winsize{Cols: uint16(cols), Rows: uint16(rows)})
	if err != nil {
		t.Fatal(err)
	}
	c.pty = f
	read := make(chan struct{})
	go func() { defer close(read); c.read() }()
	t.Cleanup(func() { c.cmd.Process.Kill(); c.cmd.Wait(); f.Close(); <-read })
	return c
}

func (c *watched) read() {
	buf := make([]byte, 64<<10)
	for {
		n, err := c.pty.Read(buf)
		c.mu.Lock()
		c.total += int64(n)
		c.tail = append(c.tail, buf[:n]...)
		if over := len(c.tail) - mostTail; over > mostTail {
			c.tail, c.at = append([]byte(nil), c.tail[over:]...), c.at+int64(over)
		}
		c.mu.Unlock()
		select {
		case c.changed <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// sent is how much was written so far.
func (c *watched) sent() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.total
}

// since answers whether a text was written after a place.
func (c *watched) since(from int64, text string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bytes.Contains(c.tail[max(0, from-c.at):], []byte(text))
}

// wait waits until a text was written after a place.
func (c *watched) wait(from int64, text string) {
	c.t.Helper()
	for end := time.After(c.patience); !c.since(from, text); {
		select {
		case <-c.changed:
		case <-end:
			c.t.Fatalf("not seen: %s", text)
		}
	}
}

// see waits until a text was written at any time.
func (c *watched) see(text string) { c.t.Helper(); c.wait(0, text) }

// pause lets time pass: rates are measured over time.
func (c *watched) pause(d time.Duration) { time.Sleep(d) }

// rate is how many bytes a second go to the terminal.
func (c *watched) rate(over time.Duration) float64 {
	from, began := c.sent(), time.Now()
	c.pause(over)
	return float64(c.sent()-from) / time.Since(began).Seconds()
}

// rateAt is the rate in a terminal of another size, after its first picture.
func (c *watched) rateAt(cols, rows int, over time.Duration) float64 {
	c.resize(cols, rows)
	c.pause(time.Second)
	return c.rate(over)
}

func (c *watched) resize(cols, rows int) {
	c.t.Helper()
	if err := pty.Setsize(c.pty, &pty.Winsize{Cols: uint16(cols), Rows: uint16(rows)}); err != nil {
		c.t.Fatal(err)
	}
}

// typeFor pauses and resumes the logs by turns and notes how long each key
// takes until its frame is there.
func (c *watched) typeFor(d time.Duration) {
	c.t.Helper()
	for end := time.Now().Add(d); time.Now().Before(end); {
		for _, word := range []string{"paused", "following"} {
			from, began := c.sent(), time.Now()
			if _, err := c.pty.WriteString(" "); err != nil {
				c.t.Fatal(err)
			}
			c.wait(from, word)
			c.took = append(c.took, time.Since(began))
			c.pause(time.Duration(150+37*(len(c.took)%7)) * time.Millisecond) // never in step with the pictures
		}
	}
}

// resident is a line of the kernel's account of the process, in bytes; 0 where
// there is none.
func (c *watched) resident(name string) int64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid))
	_, rest, _ := strings.Cut(string(text), name+":")
	kb, _ := strconv.ParseInt(strings.Fields(rest + " 0")[0], 10, 64)
	return kb << 10
}

// cpu is the processor time that the process took so far.
func (c *watched) cpu() time.Duration {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.cmd.Process.Pid))
	_, rest, _ := strings.Cut(string(text), ") ")
	w := append(strings.Fields(rest), make([]string, 13)...)
	user, _ := strconv.Atoi(w[11])
	system, _ := strconv.Atoi(w[12])
	return time.Duration(user+system) * 10 * time.Millisecond // in hundredths of a second
}

// flood writes into a log of every node of a simulation.
type flood struct {
	quit  chan struct{}
	ended sync.WaitGroup
	lines [3]int
}

func startFlood(t *testing.T, dir string) *flood {
	t.Helper()
	logs, err := filepath.Glob(dir + "/*/var/log/chef-backend/epmd")
	if err != nil || len(logs) != 3 {
		t.Fatal(logs, err)
	}
	f := &flood{quit: make(chan struct{})}
	for i, log := range logs {
		f.ended.Go(func() {
			if err := f.write(i, log); err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(func() { f.stop() })
	return f
}

// stop ends the flood; it returns the number of the last line of each node.
func (f *flood) stop() [3]int {
	select {
	case <-f.quit:
	default:
		close(f.quit)
	}
	f.ended.Wait()
	return f.lines
}

func floodStamp() string { return time.Now().UTC().Format("2006-01-02_15:04:05.00000") }

// write appends as svlogd does: current is renamed when it is full, and of the
// others the ten newest are kept.
func (f *flood) write(i int, log string) error {
	const full, kept = 20 << 20, 10
	out, err := os.OpenFile(log+"/current", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() { out.Close() }()
	began, size, rotated := time.Now(), 0, 0
	for {
		select {
		case <-f.quit:
			return nil
		case <-time.After(20 * time.Millisecond):
		}
		var b bytes.Buffer
		stamp := floodStamp()
		for due := int(time.Since(began).Seconds() * floodRate); f.lines[i] < due; {
			f.lines[i]++
			fmt.Fprintf(&b, "%s [I] <0.715.0> flood %d of be%d, as long as most of what the services of Chef Backend write\n", stamp, f.lines[i], i+1)
		}
		if _, err := out.Write(b.Bytes()); err != nil {
			return err
		}
		if size += b.Len(); size < full {
			continue
		}
		size, rotated = 0, rotated+1
		name := func(n int) string { return fmt.Sprintf("%s/@4000000060000000%08x.s", log, n) }
		if err := os.Rename(log+"/current", name(rotated)); err != nil {
			return err
		}
		os.Remove(name(rotated - kept)) // the first ones are not there
		out.Close()
		if out, err = os.OpenFile(log+"/current", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644); err != nil {
			return err
		}
	}
}
