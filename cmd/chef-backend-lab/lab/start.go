//go:build linux

package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// startCluster founds the cluster on hosts that have power: etcd by itself,
// PostgreSQL on the first host, its copies on the others, then the rest.
func (l *Lab) startCluster(ctx context.Context) error {
	for i := range l.state.Hosts {
		h := &l.state.Hosts[i]
		if err := until(ctx, "sshd of "+h.Name, 30*time.Second, []string{h.dir("console.log"), h.file("/var/log/sshd.log")}, h.sshAnswers); err != nil {
			return err
		}
	}
	l.progress("sshd answers on three hosts")
	for i := range l.state.Hosts {
		h := &l.state.Hosts[i]
		if err := until(ctx, "etcd of "+h.Name, 40*time.Second, []string{h.log("etcd", "current")}, h.etcdHealthy); err != nil {
			return err
		}
	}
	l.progress("etcd is healthy on three hosts")
	if err := l.foundDatabase(ctx); err != nil {
		return err
	}
	l.progress("PostgreSQL streams to two followers")
	for i := range l.state.Hosts {
		h := &l.state.Hosts[i]
		for _, s := range []string{"epmd", "elasticsearch", "leaderl"} {
			if err := h.firstStart(ctx, s); err != nil {
				return err
			}
		}
		// The first host shall lead, as in the simulation: it has to come first.
		if i == 0 {
			if err := until(ctx, "leaderl elects "+h.Name, 30*time.Second, []string{h.log("leaderl", "current")}, h.leads); err != nil {
				return err
			}
		}
	}
	l.progress(l.state.Hosts[0].Name + " is elected")
	return l.settled(ctx)
}

// firstStart starts a service that was held back, for good.
func (h *Host) firstStart(ctx context.Context, service string) error {
	folder := serviceDir + "/" + service
	return until(ctx, service+" of "+h.Name, 30*time.Second, []string{h.log(service, "current")}, func(ctx context.Context) error {
		// sv would look only twice a second whether it is up.
		out, err := sh(ctx, h, "rm -f "+folder+"/down; printf u >"+folder+"/supervise/control; sv status "+folder)
		if err == nil && !strings.HasPrefix(out, "run:") {
			err = errors.New(out)
		}
		return err
	})
}

// settled waits until every part says that the cluster is whole.
func (l *Lab) settled(ctx context.Context) error {
	for i := range l.state.Hosts {
		h := &l.state.Hosts[i]
		what := h.Name + " takes part"
		logs := []string{h.log("leaderl", "current"), h.log("elasticsearch", "current"), h.log("postgresql", "current")}
		err := until(ctx, what, 90*time.Second, logs, func(ctx context.Context) error {
			out, err := sh(ctx, h, optDir+"/bin/chef-backend-ctl cluster-status")
			if err != nil {
				return err
			}
			for line := range strings.Lines(out) {
				f := strings.Fields(line)
				if len(f) > 4 && f[0] == h.Name && (f[3] == "leader" || f[3] == "follower") {
					return h.searchAnswers(ctx)
				}
			}
			return fmt.Errorf("cluster-status says:\n%s", out)
		})
		if err != nil {
			return err
		}
	}
	l.progress("three nodes are healthy")
	return nil
}

// sshAnswers says whether sshd greets.
func (h *Host) sshAnswers(ctx context.Context) error {
	// Shorter than the kernel's pause before it asks again.
	d := net.Dialer{Timeout: 300 * time.Millisecond}
	c, err := d.DialContext(ctx, "tcp", h.Address+":22")
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return err
	}
	b := make([]byte, 4)
	if _, err := io.ReadFull(c, b); err != nil {
		return err
	}
	if string(b) != "SSH-" {
		return fmt.Errorf("port 22 says %q", b)
	}
	return nil
}

// get asks a host over HTTP.
func (h *Host) get(ctx context.Context, port, path string) (code int, body string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+h.Address+":"+port+path, nil)
	if err != nil {
		return 0, "", err
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	return resp.StatusCode, string(text), err
}

func (h *Host) etcdHealthy(ctx context.Context) error {
	code, body, err := h.get(ctx, "2379", "/health")
	if err == nil && (code != 200 || !strings.Contains(body, "true")) {
		err = fmt.Errorf("/health answers %d %s", code, strings.TrimSpace(body))
	}
	return err
}

// leads says whether leaderl answers that its host leads.
func (h *Host) leads(ctx context.Context) error {
	code, _, err := h.get(ctx, "7331", "/leader")
	if err == nil && code != 200 {
		err = fmt.Errorf("/leader answers %d", code)
	}
	return err
}

// searchAnswers asks Elasticsearch itself: leaderl tells of it only every ten
// seconds.
func (h *Host) searchAnswers(ctx context.Context) error {
	out, err := sh(ctx, h, "curl -s -m 2 'http://127.0.0.1:9200/_cluster/health'")
	if err == nil && !strings.Contains(out, `"green"`) {
		err = fmt.Errorf("asked for its health, Elasticsearch answers %s", out)
	}
	return err
}
