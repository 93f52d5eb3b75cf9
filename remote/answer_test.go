package remote

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// secondFactor makes a server want a code after the key.
func (b *bed) secondFactor(code string) {
	first := b.config.PublicKeyCallback
	b.config.PublicKeyCallback = func(c ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		if _, err := first(c, key); err != nil {
			return nil, err
		}
		return nil, &ssh.PartialSuccessError{Next: ssh.ServerAuthCallbacks{
			KeyboardInteractiveCallback: func(_ ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
				said, err := ask("Duo\x1b]0;x\a", "Second factor\nfor staff", []string{"Choose\nCode: ", "PIN: "}, []bool{true, false})
				if err != nil || strings.Join(said, "/") != code {
					return nil, errors.New("wrong")
				}
				return nil, nil
			},
		}}
	}
}

// operator answers questions and notes them.
type operator struct {
	mu      sync.Mutex
	asked   []Question
	answers [][]string // the next one first; none left: no answer
}

func (o *operator) ask(_ context.Context, q Question) ([]string, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.asked = append(o.asked, q)
	if len(o.answers) == 0 {
		return nil, errors.New("nobody")
	}
	a := o.answers[0]
	o.answers = o.answers[1:]
	return a, nil
}

func (o *operator) questions() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.asked)
}

// A second factor is asked with the server's own words, made safe. What the
// cockpit dials by itself asks nothing: the link waits, and Retry asks.
func TestSecondFactor(t *testing.T) {
	b := newBed(t)
	b.secondFactor("123456/77")
	who := &operator{answers: [][]string{{"000000", "00"}, {"123456", "77"}}}
	b.options.Ask = who.ask
	h := b.live(t)
	q := who.asked[0]
	if q.Host != "be1" || q.From != "the server ops@127.0.0.1 asks" || strings.Join(q.Text, "|") != "Duo^[]0;x^G|Second factor|for staff|Choose" ||
		len(q.Prompts) != 2 || q.Prompts[0] != (Prompt{"Code: ", false}) || q.Prompts[1] != (Prompt{"PIN: ", true}) || len(who.asked) != 2 {
		t.Errorf("asked %d times, first %+v", len(who.asked), q)
	}

	b.cut() // at night
	link := until(t, h, Refused)
	wantKind(t, link.Err, LoginFailed, "waits for you", "keyboard-interactive", "your key was taken")
	if !link.Waits || who.questions() != 2 {
		t.Errorf("asked %d times, %+v", who.questions(), link)
	}
	who.mu.Lock()
	who.answers = [][]string{{"123456", "77"}}
	who.mu.Unlock()
	changed := h.Changed()
	h.Retry()
	<-changed
	if link = until(t, h, Live); link.Waits || who.questions() != 3 {
		t.Errorf("asked %d times, %+v", who.questions(), link)
	}
}

// Who does not answer is not asked again, and nothing is dialled meanwhile.
func TestAnUnansweredQuestionEndsTheDial(t *testing.T) {
	b := newBed(t)
	b.secondFactor("1/2")
	who := &operator{}
	b.options.Ask = who.ask
	h := b.host(t)
	wantKind(t, ConnectFirst(t.Context(), h), LoginFailed, "not answered")
	if !h.Link().Waits || who.questions() != 1 || b.dials.Load() != 1 {
		t.Errorf("%+v, %d questions, %d dials", h.Link(), who.questions(), b.dials.Load())
	}
}

// The operator may take longer than a dial does; a server that gives up
// meanwhile ends the question.
func TestTimeStandsStillWhileTheOperatorIsAsked(t *testing.T) {
	b := newBed(t)
	b.secondFactor("1/2")
	b.options.Ask = func(ctx context.Context, _ Question) ([]string, error) {
		select {
		case <-time.After(2 * b.options.Timings.Dial): // real time, and so is the dial's
		case <-ctx.Done():
		}
		return []string{"1", "2"}, ctx.Err()
	}
	b.live(t)

	ended := make(chan struct{})
	b.options.Ask = func(ctx context.Context, _ Question) ([]string, error) {
		b.cut()
		<-ctx.Done()
		close(ended)
		return nil, ctx.Err()
	}
	wantKind(t, ConnectFirst(t.Context(), b.host(t)), LoginFailed, "not answered")
	<-ended
}

func TestPassword(t *testing.T) {
	b := newBed(t)
	b.config.PublicKeyCallback = nil
	b.config.PasswordCallback = func(_ ssh.ConnMetadata, p []byte) (*ssh.Permissions, error) {
		if string(p) != "open sesame" {
			return nil, errors.New("wrong")
		}
		return nil, nil
	}
	wantKind(t, ConnectFirst(t.Context(), b.host(t)), LoginFailed, "asks for a password")
	who := &operator{answers: [][]string{{"wrong"}, {"open sesame"}}}
	b.options.Ask = who.ask
	b.live(t)
	if p := who.asked[0].Prompts; len(who.asked) != 2 || len(p) != 1 || !p[0].Secret || p[0].Text != "ops@127.0.0.1's password: " {
		t.Errorf("%+v", who.asked)
	}
	who.answers = [][]string{{"a"}, {"b"}, {"c"}, {"open sesame"}}
	wantKind(t, ConnectFirst(t.Context(), b.host(t)), LoginFailed, "server accepts password") // three tries, as ssh has them
}

// What is broken and was allowed is told while it is used.
func TestLegacyIsTold(t *testing.T) {
	old, err := ssh.NewSignerFromKey(rsaKey(t))
	must(t, err)
	sha1, err := ssh.NewSignerWithAlgorithms(old.(ssh.AlgorithmSigner), []string{ssh.KeyAlgoRSA})
	must(t, err)
	b := newBed(t)
	b.server = newServer(t, b.clientKey, sha1)
	b.config.KeyExchanges = []string{ssh.InsecureKeyExchangeDH14SHA1}
	b.loginAs("0", "")
	b.knows(old.PublicKey())
	b.target.Address = b.address()
	wantKind(t, ConnectFirst(t.Context(), b.host(t)), Protocol, "offers only diffie-hellman-group14-sha1", "legacy: true", "KexAlgorithms +diffie")
	b.target.Legacy = true
	if got := b.live(t).Link().Legacy; got != "ssh-rsa, diffie-hellman-group14-sha1" {
		t.Errorf("legacy %q", got)
	}
	plain := newBed(t)
	if got := plain.live(t).Link().Legacy; got != "" {
		t.Errorf("legacy %q", got)
	}
}

// After Retry the configuration is read anew.
func TestRetryReadsTheConfigurationAnew(t *testing.T) {
	b := newBed(t)
	host, port, _ := net.SplitHostPort(b.address())
	config, identity := t.TempDir()+"/config", b.target.Identity[0]
	write := func(user string) {
		must(t, os.WriteFile(config, []byte("Host be1\n  HostName "+host+"\n  Port "+port+"\n  User "+user+"\n  IdentityFile "+identity+
			"\n  UserKnownHostsFile "+b.known+"\n"), 0o600))
	}
	write("stranger")
	b.target, b.options.Config = Target{Name: "be1"}, []string{config}
	h := b.host(t)
	wantKind(t, ConnectFirst(t.Context(), h), LoginFailed, "login as stranger refused")
	write("ops")
	changed := h.Changed()
	h.Retry()
	<-changed
	until(t, h, Live)
}
