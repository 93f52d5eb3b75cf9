package remote

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// refused is the error of a login that the server did not accept: what was
// offered, what is wrong with it as far as it can be seen from here, what the
// server accepts, and what to do.
func (l *login) refused(cause error) *Error {
	who := "login as " + Safe([]byte(l.h.user)) + " refused"
	e := &Error{Kind: LoginFailed, Err: cause}
	switch {
	case l.unanswered != nil:
		e.waits = true
		e.Text, e.Remedy = who+": the question was not answered", "dial anew and answer it"
		if l.wanted != "" {
			e.Text = fmt.Sprintf("%s: the key %s stays encrypted", who, Safe([]byte(l.wanted)))
			e.Remedy = "dial anew and give its passphrase, or add it to the agent: ssh-add " + shellWord(l.wanted)
		}
		return e
	case l.wanted != "" || len(l.locked) > 0 && l.needs == "":
		path := l.wanted
		if path == "" {
			path = l.locked[0]
		}
		e.waits = true
		e.Text = fmt.Sprintf("login as %s waits for you: the key %s is encrypted", Safe([]byte(l.h.user)), Safe([]byte(path)))
		e.Remedy = "dial anew and give its passphrase, or add it to the agent: ssh-add " + shellWord(path)
		return e
	case l.needs != "":
		e.waits = true
		what := map[string]string{"password": "a password", "keyboard-interactive": "an answer (keyboard-interactive)"}[l.needs]
		e.Text = fmt.Sprintf("login as %s waits for you: the server asks for %s; %s", Safe([]byte(l.h.user)), what, l.whatWasOffered())
		e.Remedy = "dial anew and answer it, or use a key that needs no answer"
		return e
	}
	e.Text, e.Remedy = who+": "+l.whatWasOffered(), l.remedy(cause)
	return e
}

func keyCount(n int) string {
	if n == 1 {
		return "1 key"
	}
	return fmt.Sprintf("%d keys", n)
}

// whatWasOffered names the keys and what the server accepts.
func (l *login) whatWasOffered() string {
	accepts := Safe([]byte(strings.Join(l.accepts, ", ")))
	if accepts == "" {
		accepts = "nothing"
	}
	var keys []string
	for _, c := range l.offered {
		label := c.label
		if cert, ok := c.offer.(*ssh.Certificate); ok {
			if wrong := wrongWith(cert, l.h.user, time.Now()); wrong != "" {
				label += ", which " + wrong
			}
		}
		if !slices.Contains(keys, label) {
			keys = append(keys, label)
		}
	}
	text := "there is no key to offer"
	if len(keys) > 0 {
		text = fmt.Sprintf("none of %s accepted (%s)", keyCount(len(keys)), strings.Join(keys, "; "))
	}
	if l.partly {
		text = "your key was taken as one of two factors"
	}
	return text + "; the server accepts " + accepts
}

// remedy is what to do about a refusal.
func (l *login) remedy(cause error) string {
	text := cause.Error()
	switch {
	case strings.Contains(text, "Too many authentication failures"):
		return "too many keys were offered: name the right one (IdentityFile) with IdentitiesOnly yes"
	case strings.Contains(text, "no common public key signature algorithm"):
		return "the server takes RSA keys with SHA-1 only: use another key, or allow it for this host: legacy: true in config.yaml, PubkeyAcceptedAlgorithms +ssh-rsa in ~/.ssh/config"
	case !slices.Contains(l.accepts, "publickey"):
		return "the server takes no keys: allow PubkeyAuthentication there, or what it accepts in PreferredAuthentications"
	case len(l.offered) == 0:
		return "add a key to the agent (ssh-add) or name its file (IdentityFile)"
	}
	for _, c := range l.offered {
		if cert, ok := c.offer.(*ssh.Certificate); ok && wrongWith(cert, l.h.user, time.Now()) != "" {
			return "have the certificate made anew, or name the right user"
		}
	}
	return "put your public key into its authorized_keys, or name the right user or key"
}
