package remote

import (
	"context"
	"strings"
	"sync"
	"time"
)

// Question is what a login needs of the operator. All texts are safe, and each
// is one line.
type Question struct {
	Host string // the short name of the host that is being reached
	// From tells who asks, in words of our own: this cockpit or a server. What
	// a server wrote stands in Text and Prompts only.
	From    string
	Text    []string
	Prompts []Prompt // none: there is only something to read
}

// Prompt asks for one line.
type Prompt struct {
	Text   string
	Secret bool // without an echo
}

// Asker puts a question to the operator and waits for the answers, one for each
// prompt. It ends with ctx: the server waits no longer, or the host is closed.
// An error is a no. Several hosts may ask at once.
type Asker func(ctx context.Context, q Question) ([]string, error)

// answerWithin is how long the operator has for an answer: sshd itself cuts a
// login that takes longer than two minutes.
const answerWithin = 110 * time.Second

// mostPrompts bounds what a server may ask at once.
const mostPrompts = 8

// serverQuestion makes what a server asks safe and short.
func serverQuestion(host, from, name, instruction string, prompts []string, echos []bool) Question {
	q := Question{Host: host, From: from}
	for _, line := range SafeLines([]byte(name + "\n" + instruction)) {
		if line = strings.TrimSpace(line); line != "" && len(q.Text) < 12 {
			q.Text = append(q.Text, cut(line, 300))
		}
	}
	for i, p := range prompts {
		lines := SafeLines([]byte(p))
		for len(lines) > 1 {
			if line := strings.TrimSpace(lines[0]); line != "" && len(q.Text) < 12 {
				q.Text = append(q.Text, cut(line, 300))
			}
			lines = lines[1:]
		}
		q.Prompts = append(q.Prompts, Prompt{Text: cut(strings.Join(lines, ""), 200), Secret: !echos[i]})
	}
	return q
}

// attended is the operator at one dial: nobody for a dial that the cockpit
// makes by itself, because a question at night must not wait unseen in the
// middle of a login.
type attended struct {
	ask  Asker
	ctx  context.Context // ends with the connection
	time *patience
	said bool // the operator did not answer
}

// here answers whether somebody can be asked.
func (a *attended) here() bool { return a.ask != nil && !a.said }

// put asks; the dial's time stands still meanwhile.
func (a *attended) put(q Question) ([]string, error) {
	ctx, cancel := context.WithTimeout(a.ctx, answerWithin)
	defer cancel()
	a.time.stop()
	defer a.time.goOn()
	answers, err := a.ask(ctx, q)
	if err == nil && len(answers) != len(q.Prompts) {
		err = context.Canceled
	}
	a.said = err != nil
	return answers, err
}

// patience bounds a dial. It stands still while the operator is asked.
type patience struct {
	whole time.Duration
	mu    sync.Mutex
	still int // stops that go on
	until time.Time
	conn  interface{ SetDeadline(time.Time) error } // nil before TCP stands
}

func newPatience(whole time.Duration) *patience {
	return &patience{whole: whole, until: time.Now().Add(whole)}
}

// bind makes the network connection end with the dial's time.
func (p *patience) bind(conn interface{ SetDeadline(time.Time) error }) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conn = conn
	conn.SetDeadline(p.until)
}

func (p *patience) end() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.until
}

func (p *patience) over() bool { return !time.Now().Before(p.end()) }

// stop lets the time stand still until goOn; stops may lie within one another.
func (p *patience) stop() { p.step(1) }
func (p *patience) goOn() { p.step(-1) }

func (p *patience) step(by int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.still += by
	p.until = time.Now().Add(p.whole)
	if p.still > 0 {
		p.until = p.until.Add(answerWithin)
	}
	if p.conn != nil {
		p.conn.SetDeadline(p.until)
	}
}
