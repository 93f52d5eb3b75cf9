package model

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// request is what curl is asked to do.
type request struct {
	urls    []string
	head    bool // -i
	verbose bool
	errors  bool // -S, or no -s
	discard bool // -o /dev/null
	patient time.Duration
	connect time.Duration
}

func parseCurl(args []string) request {
	r := request{errors: true, patient: 5 * time.Minute, connect: 2 * time.Minute}
	for i := 0; i < len(args); i++ {
		a := args[i]
		value := func() string {
			i++
			if i < len(args) {
				return args[i]
			}
			return ""
		}
		switch {
		case a == "-m" || a == "--max-time":
			r.patient = seconds(value())
		case a == "--connect-timeout":
			r.connect = seconds(value())
		case a == "-o" || a == "--output":
			r.discard = value() == "/dev/null"
		case a == "--noproxy" || a == "-H" || a == "-X" || a == "-w" || a == "-A":
			value()
		case strings.HasPrefix(a, "--"):
		case strings.HasPrefix(a, "-"):
			r.head = r.head || strings.Contains(a, "i")
			r.verbose = r.verbose || strings.Contains(a, "v")
			if strings.Contains(a, "s") {
				r.errors = false
			}
		default:
			r.urls = append(r.urls, a)
		}
	}
	for _, a := range args {
		if strings.HasPrefix(a, "-") && !strings.HasPrefix(a, "--") && strings.Contains(a, "S") {
			r.errors = true
		}
	}
	return r
}

func seconds(s string) time.Duration {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0
	}
	return time.Duration(v * float64(time.Second))
}

// curl fetches one address after the other; its exit code is the last one's.
func curl(p *Process) {
	r := parseCurl(p.argv[1:])
	if len(r.urls) == 0 {
		p.errorf("curl: no URL specified!\ncurl: try 'curl --help' or 'curl --manual' for more information\n")
		p.end(2)
		return
	}
	code := 0
	for _, url := range r.urls {
		p.then(fetch(r, url, &code))
	}
	p.then(act(func(p *Process) { p.end(code) }))
}

// fetch is one address.
func fetch(r request, url string, code *int) stage {
	scheme, rest, _ := strings.Cut(url, "://")
	hostPort, path, _ := strings.Cut(rest, "/")
	host, portText, _ := strings.Cut(hostPort, ":")
	port, _ := strconv.Atoi(portText)
	if port == 0 {
		port = 80
	}
	var got *answer
	return func(p *Process) bool {
		if got == nil {
			switch p.w.Connect(p.n.name, host, port) {
			case Timeout:
				if !p.waited(min(r.connect, r.patient)) {
					return false
				}
				r.fail(p, code, 28, fmt.Sprintf("Connection timed out after %d milliseconds", p.w.now.Sub(p.marker).Milliseconds()+1))
				return true
			case Refused:
				if r.verbose {
					p.errorf("* connect to %s port %d failed: Connection refused\n", host, port)
				}
				r.fail(p, code, 7, fmt.Sprintf("Failed to connect to %s port %d: Connection refused", host, port))
				return true
			}
			if r.verbose {
				p.errorf("* Connected to %s (%s) port %d (#0)\n", host, host, port)
			}
			if scheme != "http" {
				*code = 0
				return true
			}
			a := p.w.http(p.n, host, port, "/"+path)
			if p.w.mute(p.n, host, port) {
				a = answer{takes: never}
			}
			got = &a
		}
		if got.takes >= r.patient {
			if !p.waited(r.patient) {
				return false
			}
			r.fail(p, code, 28, fmt.Sprintf("Operation timed out after %d milliseconds with 0 bytes received", r.patient.Milliseconds()+1))
			return true
		}
		if !p.waited(got.takes) {
			return false
		}
		r.show(p, got)
		*code = 0
		return true
	}
}

func (r request) fail(p *Process, code *int, exit int, why string) {
	*code = exit
	if r.errors {
		p.errorf("curl: (%d) %s\n", exit, why)
	}
}

func (r request) show(p *Process, a *answer) {
	if r.discard {
		return
	}
	if r.head {
		p.printf("HTTP/1.1 %s\r\n", a.status)
		for _, h := range a.header {
			p.printf("%s\r\n", h)
		}
		p.printf("Date: %s\r\nContent-Length: %d\r\n\r\n", p.n.clock().Format("Mon, 02 Jan 2006 15:04:05 GMT"), len(a.body))
	}
	p.printf("%s", a.body)
}

// never is longer than anybody waits.
const never = 1000 * time.Hour

// portOwner is the service behind a port.
var portOwner = map[int]string{portEtcd: "etcd", portLeaderl: "leaderl", portElastic: "elasticsearch", portPostgres: "postgresql"}

// mute says whether what listens on a port will never answer.
func (w *World) mute(from *node, host string, port int) bool {
	name := portOwner[port]
	return name != "" && w.at(from, host).service(name).hung
}

// at is the node that an address means to another one.
func (w *World) at(from *node, host string) *node {
	if n := w.byAddress(host); n != nil {
		return n
	}
	return from
}

// http answers a request that from sends to a service.
func (w *World) http(from *node, host string, port int, path string) answer {
	n := w.at(from, host)
	switch port {
	case portEtcd:
		return n.etcd.get(path)
	case portLeaderl:
		return n.leaderl.get(path)
	case portElastic:
		return n.es.get(path)
	}
	return answer{status: "400 Bad Request"}
}
